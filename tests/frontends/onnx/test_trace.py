"""Whole graphs: shapes that exporters calculate, weights wherever they stand, modules of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from onnx_files import INT64, graph, model, node, tensor, value
from onnx_files import Tensor as Stored
from onnx_operators import ints, out

if TYPE_CHECKING:
    from conftest import Read


def test_a_shape_that_is_calculated_from_symbols_is_followed(read: Read) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Slice", ["s", "two", "end"], ["hw"]),
        node("Mul", ["hw", "two"], ["double"]),
        node("Unsqueeze", ["n", "axis"], ["n1"]),
        node("Concat", ["n1", "minus", "double"], ["wanted"], axis=0),
        node("ReduceProd", ["hw"], ["area"], keepdims=1),
        node("Concat", ["n1", "minus", "area"], ["flat"], axis=0),
        node("Reshape", ["x", "flat"], ["y"]),
    ]
    constants = [
        tensor("zero", [], [0], INT64),
        ints("two", 2),
        ints("end", 2**63 - 1),
        ints("axis", 0),
        ints("minus", -1),
    ]
    network = read(model(graph(nodes, [value("x", ["N", 3, "H", "W"])], ["y"], constants)))
    assert out(network) == "Nx3xH*W"
    assert {layer.kind for layer in network.layers[2:]} <= {
        "index_arithmetic", "gather", "slice", "unsqueeze", "concat", "reshape",
    }  # fmt: skip


def test_floats_travel_in_sizes(read: Read) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]), node("Slice", ["s", "two", "four"], ["hw"]),
        node("Cast", ["hw"], ["f"], to=1),
        node("Mul", ["f", "scale"], ["g"]), node("Floor", ["g"], ["h"]), node("Cast", ["h"], ["i"], to=7),
        node("Slice", ["s", "zero", "two"], ["nc"]), node("Concat", ["nc", "i"], ["size"], axis=0),
        node("Resize", ["x", "", "", "size"], ["y"], mode="nearest"),
    ]  # fmt: skip
    constants = [ints("zero", 0), ints("two", 2), ints("four", 4), tensor("scale", [1], [0.5])]
    content = model(graph(nodes, [value("x", [1, 3, 9, "W"])], ["y"], constants))
    assert out(read(content)) == "1x3x4x(W//2)".replace("(W//2)", "FloorDiv(W, 2)")
    assert out(read(content, "1x3x9x7")) == "1x3x4x3"


def test_the_older_exporter_s_pads_are_followed(read: Read) -> None:
    """TorchScript turns (last axis first) pairs round: fill, join, reshape, slice backwards, transpose."""
    nodes = [
        node("ConstantOfShape", ["four"], ["zeros"], value=Stored(tensor("v", [1], [0], INT64))),
        node("Concat", ["pads", "zeros"], ["all"], axis=0),
        node("Reshape", ["all", "pairs"], ["p"]),
        node("Slice", ["p", "last", "first", "axis", "back"], ["q"]),
        node("Transpose", ["q"], ["r"], perm=[1, 0]),
        node("Reshape", ["r", "flat"], ["t"]),
        node("Cast", ["t"], ["u"], to=INT64),
        node("Pad", ["x", "u"], ["y"]),
    ]
    constants = [
        ints("four", 4), ints("pads", 1, 2, 3, 4), ints("pairs", -1, 2), ints("last", -1),
        ints("first", -(2**63) + 1), ints("axis", 0), ints("back", -1), ints("flat", -1),
    ]  # fmt: skip
    network = read(model(graph(nodes, [value("x", [1, 2, 5, 6])], ["y"], constants)))
    assert out(network) == "1x2x12x9"


@pytest.mark.parametrize(
    ("op", "size", "wanted"),
    [
        ("Ceil", 7, "4"),
        ("Floor", 7, "3"),
        ("Ceil", "W", "-FloorDiv(-W, 2)"),
        ("Floor", "W", "FloorDiv(W, 2)"),
    ],
)
def test_a_size_that_is_divided_as_a_real_number_is_rounded_as_the_node_says(
    read: Read, op: str, size: int | str, wanted: str
) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]), node("Cast", ["s"], ["f"], to=1), node("Div", ["f", "two"], ["g"]),
        node(op, ["g"], ["h"]), node("Cast", ["h"], ["i"], to=INT64), node("Expand", ["one", "i"], ["y"]),
    ]  # fmt: skip
    constants = [tensor("two", [1], [2.0]), tensor("one", [1], [1.0])]
    found = out(read(model(graph(nodes, [value("x", [size])], ["y"], constants))))
    assert found == wanted


def test_a_range_of_floats_up_to_a_symbol_has_a_size(read: Read) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]), node("Gather", ["s", "one"], ["w"]), node("Cast", ["w"], ["f"], to=1),
        node("Range", ["start", "f", "step"], ["y"]),
    ]  # fmt: skip
    constants = [tensor("one", [], [1], INT64), tensor("start", [], [0.0]), tensor("step", [], [1.0])]
    assert out(read(model(graph(nodes, [value("x", [1, "W"])], ["y"], constants)))) == "W"


def test_nodes_without_names_are_called_by_what_they_give(read: Read) -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Relu", ["a"], ["y"], name="same"),
        node("Relu", ["a"], ["z"], name="same"),
    ]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y", "z"])))
    assert [layer.path for layer in network.layers[1:]] == ["a", "same", "same#2"]


def test_a_value_that_nothing_gives_is_refused_with_its_reader(read: Read) -> None:
    with pytest.raises(SourceError, match=r"the node 'n' \(Relu\) reads 'z', which no input"):
        read(model(graph([node("Relu", ["z"], ["y"], name="n")], [value("x", [1])], ["y"])))
    with pytest.raises(SourceError, match="the graph's output reads 'q'"):
        read(model(graph([node("Relu", ["x"], ["y"], name="n")], [value("x", [1])], ["q"])))


def test_what_lies_below_an_unknown_call_says_so_unless_the_file_states_the_shape(read: Read) -> None:
    nodes = [
        node("Magic", ["x"], ["h"], name="magic", domain="acme"),
        node("MatMul", ["h", "w"], ["y"], name="mm"),
    ]
    inputs, weight = [value("x", [2, 4])], [tensor("w", [4, 5], None)]
    network = read(model(graph(nodes, inputs, ["y"], weight), acme=1))
    assert network.layers[2].problem == "its input has no shape: 'magic' (Magic) above it is unknown"
    stated = graph(nodes, inputs, ["y"], weight, [value("h", [2, 4])])
    network = read(model(stated, acme=1))
    assert [layer.kind for layer in network.layers[1:]] == ["unknown", "linear"]
    assert network.count("mac").total.count == 40
    network = read(model(stated, acme=1), "x=3x4")
    assert network.layers[2].kind == "unknown"


def test_native_facts_keep_what_conventions_of_tools_need(read: Read) -> None:
    nodes = [node("Conv", ["x", "w", ""], ["y"], group=1, auto_pad="VALID", kernel_shape=[3])]
    network = read(model(graph(nodes, [value("x", [1, 2, 9])], ["y"], [tensor("w", [4, 2, 3], None)])))
    assert network.layers[1].native == {
        "group": 1, "auto_pad": "VALID", "kernel_shape": (3,), "input_types": ("float32", "float32", ""),
        "input_shapes": ((1, 2, 9), (4, 2, 3), None),
        "constants": (((4, 2, 3), ()),),
    }  # fmt: skip


def test_two_readings_give_one_digest(read: Read) -> None:
    content = model(graph([node("Relu", ["x"], ["y"])], [value("x", ["N", 3])], ["y"]))
    assert read(content).digest == read(content).digest
