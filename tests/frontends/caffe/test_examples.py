"""The networks in ``examples/``, against figures that are known from their papers and from Caffe."""

from __future__ import annotations

from pathlib import Path

import pytest
from flopledger.dims.arithmetic import total
from flopledger.frontend.request import Request
from flopledger.kinds import builtin
from flopledger.kinds.kind import Call
from flopledger_caffe.read import read_file

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize(
    ("name", "weights", "macs", "output"),
    [
        # 500 + 20, 25000 + 50, 400000 + 500, 5000 + 10; 288000 + 1600000 + 400000 + 5000
        ("lenet", 431080, 2293000, (1, 10)),
        # the weights and products of BVLC's AlexNet
        ("alexnet", 60965224, 724406816, (1, 1000)),
        # the weights of torchvision's resnet18; its products are 1814073344
        ("resnet18", 11689512, 1814073344, (1, 1000)),
    ],
)
def test_an_example_has_the_known_figures(
    name: str, weights: int, macs: int, output: tuple[int, ...]
) -> None:
    graph = read_file(EXAMPLES / f"{name}.prototxt", Request(name))
    assert sum(int(p.numel) for p in graph.parameters if not p.is_buffer) == weights
    assert graph.shape(graph.outputs[0]) == output
    assert graph.reading.notes == ()
    found = []
    for layer in graph.layers[1:]:
        kind = builtin()[layer.kind]
        inputs, outputs = (tuple(map(graph.shape, ids)) for ids in (layer.inputs, layer.outputs))
        call = Call(kind, layer.attrs, tuple(filter(None, inputs)), tuple(filter(None, outputs)))
        found.append(kind.facts(call).get("macs", 0))
    assert total(found) == macs
