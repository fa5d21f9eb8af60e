"""The example has the figures that one works out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger

if TYPE_CHECKING:
    from pathlib import Path


def test_the_example_has_the_figures_worked_out_by_hand(examples: Path) -> None:
    total = flopledger.count(str(examples / "tiny.tflite"), "image=2x32x32x3").total
    assert total.count == 2 * (8 * 27 * 32 * 32 + 80)
    assert total.params == 8 * 27 + 8 + 80 + 10


def test_the_example_is_the_network_of_the_onnx_one(examples: Path) -> None:
    onnx = flopledger.read(str(examples / "tiny.onnx"), "image=1x3x32x32")
    tflite = flopledger.read(str(examples / "tiny.tflite"), "image=1x32x32x3")
    found = flopledger.compare(onnx, tflite)
    assert found.equal
    assert [pair.why for pair in found.pairs if pair.why] == []
