"""The networks in the examples folder, through the command line, from prototxt to printout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flopledger.cli import run

ALEXNET = str(Path(__file__).parents[3] / "examples" / "alexnet.prototxt")


@pytest.mark.parametrize(
    ("convention", "count", "params"),
    [("mac", 724406816, 60965224), ("caffe-script", 724406816, 60954656), ("2mac", 1448813632, 60965224)],
)
def test_alexnet_in_json(convention: str, count: int, params: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", ALEXNET, "-c", convention, "--format", "json", "--strict"]) == 0
    total = json.loads(capfd.readouterr().out)["ledgers"][0]["total"]
    assert (total["count"], total["params"], total["macs"]) == (count, params, 724406816)


def test_a_symbol_for_the_batch_gives_shares_and_a_formula(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", ALEXNET, "-i", "data=Nx3x227x227"]) == 0
    lines = capfd.readouterr().out.splitlines()
    (row,) = [line.split() for line in lines if line.startswith("conv2 ")]
    assert row == ["conv2", "conv", "Nx256x27x27", "307,456", "223948800*N", "30.9%", "███▏"]
    assert "MAC         724406816*N MAC (mac)" in lines
