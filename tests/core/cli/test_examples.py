"""The networks in the examples folder, through the command line, from prototxt to printout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flopledger.cli import run

ALEXNET = str(Path(__file__).parents[3] / "examples" / "alexnet.prototxt")

PRINTOUT = """\
layer name Filter Shape     Output Size      Params   Flops        Ratio
conv1     (96, 3, 11, 11)  (1, 96, 55, 55)  34848    105415200    14.552%
conv2     (256, 48, 5, 5)  (1, 256, 27, 27) 307200   223948800    30.915%
conv3     (384, 256, 3, 3) (1, 384, 13, 13) 884736   149520384    20.64%
conv4     (384, 192, 3, 3) (1, 384, 13, 13) 663552   112140288    15.48%
conv5     (256, 192, 3, 3) (1, 256, 13, 13) 442368   74760192     10.32%
fc6       (4096, 9216)     (1, 4096)        37748736 37748736     5.211%
fc7       (4096, 4096)     (1, 4096)        16777216 16777216     2.316%
fc8       (1000, 4096)     (1, 1000)        4096000  4096000      0.565%
Layers num: 8
Total number of parameters:  60954656
Total number of FLOPs:  724406816
"""


def test_alexnet_prints_as_the_pycaffe_script_does(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", ALEXNET, "-c", "caffe-script", "--format", "tool"]) == 0
    out, err = capfd.readouterr()
    assert out == f"{ALEXNET}\n{PRINTOUT}"
    assert err == ""


@pytest.mark.parametrize(
    ("convention", "count", "params"),
    [("mac", 724406816, 60965224), ("caffe-script", 724406816, 60954656), ("2mac", 1448813632, 60965224)],
)
def test_alexnet_in_json(convention: str, count: int, params: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", ALEXNET, "-c", convention, "--format", "json", "--strict"]) == 0
    total = json.loads(capfd.readouterr().out)["total"]
    assert (total["count"], total["params"], total["macs"]) == (count, params, 724406816)


def test_a_symbol_for_the_batch_gives_shares_and_a_formula(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", ALEXNET, "-i", "data=Nx3x227x227"]) == 0
    lines = capfd.readouterr().out.splitlines()
    (row,) = [line.split() for line in lines if line.startswith("conv2 ")]
    assert row == ["conv2", "conv", "Nx256x27x27", "307,456", "223948800*N", "30.9%", "███▏"]
    assert "MAC         724406816*N MAC (mac)" in lines
