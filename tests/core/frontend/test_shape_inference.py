from __future__ import annotations

import pytest
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import ShapeError
from flopledger.frontend.builder import GraphBuilder
from flopledger.frontend.shape_inference import check_shapes, reshape
from flopledger.graph.graph import Graph
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin


def network(*, last: str = "flatten") -> Graph:
    """A convolution of 8 x 8 to 6 x 6, and a step after it, inside a container."""
    builder = GraphBuilder(builtin())
    given = builder.input("x", (2, 3, 8, 8))
    middle, out = builder.tensor((2, 4, 6, 6)), builder.tensor((2, 144))
    root = builder.layer("", "container", "Net", inputs=[given], outputs=[out])
    attrs = {"kernel": (3, 3), "out_channels": 4}
    builder.layer("conv", "conv", "Conv", parent=root, inputs=[given], outputs=[middle], attrs=attrs)
    given_shape = {"shape": (2, 144)} if last == "view" else {}
    builder.layer("last", last, "Last", parent=root, inputs=[middle], outputs=[out], attrs=given_shape)
    return builder.build(Reading("by hand", "hand", "hand"), [out])


def test_every_shape_follows_from_the_new_input() -> None:
    again = reshape(network(), {0: (5, 3, 10, 7)}, builtin())
    assert [tensor.shape for tensor in again.tensors] == [(5, 3, 10, 7), (5, 4, 8, 5), (5, 160)]


def test_symbols_flow_through() -> None:
    again = reshape(network(), {0: (symbol("N"), 3, symbol("H"), 8)}, builtin())
    shape = again.tensors[2].shape
    assert shape is not None
    assert [substitute(size, {"N": 2, "H": 8}) for size in shape] == [2, 144]


def test_at_the_same_sizes_nothing_changes() -> None:
    assert reshape(network(), {}, builtin()) == network()
    assert check_shapes(network(), builtin()) == ()


def test_a_shape_that_contradicts_the_rule_is_found() -> None:
    graph = network()
    wrong = Graph.from_json(graph.to_json().replace("[2, 144]", "[2, 145]").replace("[2,144]", "[2,145]"))
    assert check_shapes(wrong, builtin()) == ("tensor 2: 2x145 became 2x144",)


def test_an_output_that_is_given_stays_while_its_input_does() -> None:
    graph = network(last="view")
    assert reshape(graph, {}, builtin()) == graph
    with pytest.raises(ShapeError, match="how the one follows from the other is not known"):
        reshape(graph, {0: (5, 3, 8, 8)}, builtin())


def test_a_call_without_a_rule_is_a_clear_error() -> None:
    with pytest.raises(ShapeError, match="no rule is known for the shapes of 'Last'"):
        reshape(network(last="unknown"), {0: (5, 3, 8, 8)}, builtin())


def test_an_input_keeps_its_number_of_axes() -> None:
    with pytest.raises(ShapeError, match="it can't become 5x3"):
        reshape(network(), {0: (5, 3)}, builtin())
