"""The example is the file that its script writes, and has the figures that one works out by hand."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import flopledger
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def test_the_example_has_the_figures_worked_out_by_hand(examples: Path) -> None:
    total = flopledger.count(str(examples / "tiny.onnx"), "image=2x3x32x32").total
    assert total.count == 2 * (8 * 27 * 32 * 32 + 80)
    assert total.params == 8 * 27 + 8 + 80 + 10


def test_the_example_is_what_its_script_writes(examples: Path) -> None:
    pytest.importorskip("onnx", reason="the script of the example needs the package onnx")
    spec = importlib.util.spec_from_file_location("tiny_onnx", examples / "tiny_onnx.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.tiny().SerializeToString() == (examples / "tiny.onnx").read_bytes()
