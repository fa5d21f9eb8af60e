from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from flopledger.counting.ledger import (
    Adjustment,
    ConventionInfo,
    Coverage,
    GraphInfo,
    Ledger,
    Row,
    Total,
    Unknown,
)
from flopledger.graph.tables import Input, Reading

READING = Reading("toy.prototxt", "caffe", "caffe", "1.0", {"mode": "eval"})
MAC = ConventionInfo("mac", "multiply-accumulates", "MAC", {}, "c0ffee")
WHY = "no formula for 'Python'"


@dataclass(frozen=True)
class Known:
    """Stands for a graph of which only the digest matters."""

    digest: str


def row(number: int, path: str, what: str, shapes: tuple, counts: tuple[int, int]) -> Row:
    """what: kind and source; counts: params and macs."""
    kind, source = what.split()
    inputs, outputs = shapes
    params, macs = counts
    return Row(
        number, None, path, 1, kind, source, "layer", (inputs,), (outputs,), params, macs, macs,
        {"multiplies": macs} if macs else {},
    )  # fmt: skip


@pytest.fixture
def toy() -> Ledger:
    """A convolution 3 -> 4 of 3x3 on 8x8, a ReLU, a Python layer and a dense layer 144 -> 10.

    conv: 3 * 3 * 3 * 4 * 6 * 6 = 3888 macs, 3 * 3 * 3 * 4 + 4 = 112 parameters;
    fc: 144 * 10 = 1440 macs, 1440 + 10 = 1450 parameters; together 5328 and 1562.
    """
    image, maps = (1, 3, 8, 8), (1, 4, 6, 6)
    rows = (
        replace(
            row(0, "features.conv", "conv Convolution", (image, maps), (112, 3888)),
            weights=((4, 3, 3, 3), (4,)),
        ),
        replace(row(1, "features.relu", "relu ReLU", (maps, maps), (0, 0)), status="ignored"),
        replace(row(2, "proposal", "unknown Python", (maps, (1, 2)), (0, 0)), status="unknown", why=WHY),
        row(3, "fc", "linear InnerProduct", ((1, 144), (1, 10)), (1450, 1440)),
    )
    unknown = Unknown("Python", "unknown", 1, 2, WHY, ("proposal",), (maps,), ((1, 2),))
    return Ledger(
        GraphInfo(READING, ((Input("data", 0), image, "float32"),), Known("9a4b")),
        MAC,
        Total(5328, "MAC", 5328, 1562, 1562, 0, 0, unknown_calls=1),
        rows,
        Coverage(2, 0, 1, (unknown,)),
    )


@pytest.fixture
def halved(toy: Ledger) -> Ledger:
    """The toy under a convention that prints half of it: 5328 - 2664 = 2664, and a disagreement."""
    return replace(
        toy,
        total=replace(toy.total, count=2664, params=None),
        coverage=Coverage(2, 0, 1),
        adjustments=(Adjustment("batch division", -2664),),
        disagreements=("fc: 1440 as a layer, 1441 as a function",),
    )


@pytest.fixture
def alexnet() -> Ledger:
    """AlexNet's eight layers with weights as the pycaffe script counts them, and a ReLU between."""
    layers = (
        ("conv1", "Convolution", (96, 3, 11, 11), (1, 96, 55, 55), 34848, 105415200),
        ("relu1", "ReLU", None, (1, 96, 55, 55), 0, 0),
        ("conv2", "Convolution", (256, 48, 5, 5), (1, 256, 27, 27), 307200, 223948800),
        ("conv3", "Convolution", (384, 256, 3, 3), (1, 384, 13, 13), 884736, 149520384),
        ("conv4", "Convolution", (384, 192, 3, 3), (1, 384, 13, 13), 663552, 112140288),
        ("conv5", "Convolution", (256, 192, 3, 3), (1, 256, 13, 13), 442368, 74760192),
        ("fc6", "InnerProduct", (4096, 9216), (1, 4096), 37748736, 37748736),
        ("fc7", "InnerProduct", (4096, 4096), (1, 4096), 16777216, 16777216),
        ("fc8", "InnerProduct", (1000, 4096), (1, 1000), 4096000, 4096000),
    )
    rows = tuple(
        replace(
            row(i, name, f"any {source}", (None, out), (params, macs)), weights=(weight,) if weight else ()
        )
        for i, (name, source, weight, out, params, macs) in enumerate(layers)
    )
    return Ledger(
        GraphInfo(replace(READING, source="deploy.prototxt"), (), Known("a1e8")),
        ConventionInfo("script", "the script", "MAC", {}, "5c51"),
        Total(724406816, "MAC", 724406816, 60954656, 60965224, 0, 0),
        rows,
        Coverage(8, 0, 1),
    )
