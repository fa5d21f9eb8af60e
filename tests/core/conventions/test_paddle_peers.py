"""The conventions of Paddle's counters where recorded answers do not reach, on calls made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Value

READING = Reading("net", "paddle", "paddle", "3.3.1", {"mode": "eval"})


def added_in_place() -> Graph:
    """A network of one addition in place of two tensors of 5 times 3 by 4."""
    b = GraphBuilder(builtin())
    x, y = b.input("x", (5, 3, 4)), b.input("y", (5, 3, 4))
    out = b.tensor((5, 3, 4), alias_of=x)
    b.modules.append(Module(0, ("",), "mine.Net"))
    root = b.layer("", "container", "mine.Net", module=0, inputs=(x, y), outputs=(out,))
    b.layer(
        "add_", "add", "pd_op.add_", level="op", parent=root, inputs=(x, y), outputs=(out,),
        native={"operands": ((5, 3, 4), (5, 3, 4))},
    )  # fmt: skip
    return b.build(READING, (out,))


def dense() -> Graph:
    """A layer of 3 times 4 frozen weights and 4 trained biases."""
    b = GraphBuilder(builtin())
    x, out = b.input("x", (2, 3)), b.tensor((2, 4))
    shapes = ((3, 4), (4,))
    for i, (name, shape) in enumerate(zip(("fc.weight", "fc.bias"), shapes, strict=True)):
        b.parameters.append(Parameter(i, (name,), shape, trainable=i == 1, object=i, storage=i))
    own = (("weight", 0), ("bias", 1))
    native = {"parameters": shapes, "trained": shapes[1:]}
    b.modules += [
        Module(0, ("",), "mine.Net", children=(1,), native={"parameters": (), "trained": ()}),
        Module(1, ("fc",), "paddle.nn.Linear", parameters=own, native=native),
    ]
    root = b.layer("", "container", "mine.Net", module=0, inputs=(x,), outputs=(out,))
    b.layer(
        "fc", "linear", "paddle.nn.Linear", parent=root, module=1, inputs=(x,), outputs=(out,),
        attrs={"out_features": 4, "bias": True}, native=native,
    )  # fmt: skip
    return b.build(replace(READING), (out,))


def test_an_operator_in_place_counts_one_sample_as_the_plain_one_does() -> None:
    assert added_in_place().count("paddle-flops-static").total.count == 3 * 4


def test_a_summary_lists_frozen_and_trained_weights() -> None:
    total = dense().count("paddle-summary").total
    assert (total.params, total.trainable_params, total.non_trainable_params) == (16, 4, 12)


def test_the_size_of_a_pass_counts_8_bytes_for_each_element_of_a_layer_s_results() -> None:
    assert dense().count("paddle-size").total.count == 8 * 2 * 4


def recurrent() -> Graph:
    """A recurrent layer, a list of cells, that gives 2 sequences of 3 steps of 5, and the last state."""
    b = GraphBuilder(builtin())
    x, outs = b.input("x", (2, 3, 4)), (b.tensor((2, 3, 5)), b.tensor((1, 2, 5)))
    native: dict[str, Value] = {"parameters": (), "trained": (), "could_use_cudnn": True}
    bases = ("paddle.nn.layer.rnn.RNNBase", "paddle.nn.LayerList", "paddle.nn.Layer")
    b.modules.append(Module(0, ("",), "paddle.nn.GRU", bases, native=native))
    b.layer(
        "", "gru", "paddle.nn.GRU", module=0, inputs=(x,), outputs=outs,
        attrs={"hidden_size": 5, "batch_first": True}, native=native,
    )  # fmt: skip
    return b.build(READING, outs)


def test_the_size_of_a_recurrent_layer_has_its_last_state() -> None:
    assert recurrent().count("paddle-size").total.count == 8 * (2 * 3 * 5 + 2 * 5)
