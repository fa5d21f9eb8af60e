"""Bounds of the time by hand: a dense layer and its operator, and one whose operator is not known.

The device does 10 operations and moves 4 bytes in a second.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from flopledger.counting.ledger import Roofline
from flopledger.counting.roofline import bound_of, on_device
from flopledger.devices.device import Device
from flopledger.dims.arithmetic import symbol
from flopledger.errors import UsageError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin
from handmade import network

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

DEVICE = Device("toy", "Toy", "by hand", Fraction(4), {"float32": Fraction(10)})


def test_the_larger_of_the_two_is_the_bound() -> None:
    assert bound_of(DEVICE, "float32", 100, 8) == Roofline(100, 8, compute_seconds=Fraction(10))
    memory = bound_of(DEVICE, "float32", 10, 8)
    assert (memory.seconds, memory.bound, memory.intensity) == (2, "memory", Fraction(5, 4))
    assert bound_of(DEVICE, "int64", 0, 8).seconds == 2  # what computes nothing needs no peak
    assert (Roofline().bound, Roofline().intensity) == ("", None)


def composite() -> Graph:
    """A layer of 24 MACs whose inside is one operator of 24, and one of 48 whose operator is not known."""
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 3))
    weight = builder.tensor((4, 3))
    attrs = {"out_features": 4}
    for name, kind in (("a", "linear"), ("b", "unknown")):
        y = builder.tensor((2, 4))
        out = {"inputs": [x], "outputs": [y]}
        layer = builder.layer(name, "linear", "Linear", **out, attrs=attrs)
        builder.layer(
            f"{name}/op", kind, "op", level="op", parent=layer, inputs=[x, weight], outputs=[y],
            attrs=attrs if kind == "linear" else {},
        )  # fmt: skip
    return builder.build(Reading("net", "toy", "toy", "", {}), [y])


def test_a_row_has_the_calls_inside_and_one_whose_inside_is_unknown_is_bound_as_a_whole() -> None:
    graph = composite()
    ledger = on_device(graph.count("mac"), graph, DEVICE)
    moved = 24 + 48 + 32  # x, the weight, the result: 26 seconds; 2 x 24 operations take 4.8
    bound = Roofline(48, moved, memory_seconds=Fraction(26))
    assert [row.roofline for row in ledger.rows] == [bound, bound]
    assert (ledger.total.roofline, ledger.device) == (bound.times(2), DEVICE)


def test_a_convention_that_lists_few_calls_has_the_same_bound_of_the_network() -> None:
    graph = network()
    rows = on_device(graph.count("mac"), graph, DEVICE)
    few = on_device(graph.count("bytes"), graph, DEVICE)
    assert rows.total.roofline == few.total.roofline
    assert rows.total.roofline is not None
    assert rows.total.roofline.flop == 2 * 88


def test_a_training_step_and_sizes_that_are_symbols_have_no_bound() -> None:
    graph = network(symbol("N"))
    with pytest.raises(UsageError, match="give numbers in place of symbols"):
        on_device(graph.count("mac"), graph, DEVICE)
    graph = network()
    train = replace(graph, reading=replace(graph.reading, profile={"step": "train", "mode": "train"}))
    with pytest.raises(UsageError, match="a forward pass"):
        on_device(train.count("mac"), train, DEVICE)
