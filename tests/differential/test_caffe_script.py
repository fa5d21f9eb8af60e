"""The pycaffe script, against its published table; pycaffe itself can't be installed any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import flopledger
import pytest
from click.testing import CliRunner
from flopledger.cli import group

if TYPE_CHECKING:
    from pathlib import Path

ALEXNET = """\
{source}
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


def test_the_scripts_own_printout_of_alexnet(examples: Path) -> None:
    source = str(examples / "alexnet.prototxt")

    done = CliRunner().invoke(group, ["count", source, "-c", "caffe-script", "--format", "tool"])

    assert done.output == ALEXNET.format(source=source)


def test_the_scripts_figures_of_published_networks(shared: Path) -> None:
    golden = shared / "golden"
    for entry in json.loads((golden / "caffe.json").read_text())["files"]:
        inputs = [f"{name}={'x'.join(map(str, shape))}" for name, shape in entry["inputs"].items()]
        ledger = flopledger.count(str(golden / "caffe" / entry["file"]), inputs, "caffe-script")

        assert ledger.total.params == entry["caffe_script"]["params"], entry["file"]
        assert ledger.total.count == entry["caffe_script"]["flops"], entry["file"]


@pytest.mark.parametrize("batch", [1, 10])
def test_the_batch_is_ignored(examples: Path, batch: int) -> None:
    source = str(examples / "alexnet.prototxt")

    assert flopledger.count(source, f"{batch}x3x227x227", "caffe-script").total.count == 724406816
