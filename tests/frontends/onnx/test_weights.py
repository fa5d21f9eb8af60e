"""Constants that are weights, their roles and their sharing, in whole networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from onnx_files import BOOL, INT8, INT64, UINT8, graph, model, node, one, tensor, value
from onnx_files import Tensor as Stored
from onnx_operators import ints, out, params

if TYPE_CHECKING:
    from conftest import Read


def test_a_weight_is_an_initializer_a_constant_or_a_filled_shape(read: Read) -> None:
    nodes = [
        node("Constant", [], ["b"], value=Stored(tensor("", [4, 4], None))),
        node("ConstantOfShape", ["shape"], ["c"]),
        node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"], ["i"]),
        node("MatMul", ["i", "c"], ["y"]),
    ]  # fmt: skip
    network = read(
        model(graph(nodes, [value("x", [1, 4])], ["y"], [tensor("a", [4, 4], None), ints("shape", 4, 4)]))
    )
    assert params(network) == [("a", "weight", 16), ("b", "weight", 16), ("c", "weight", 16)]
    assert network.reading.notes == ()


def test_a_weight_is_one_behind_moves_casts_and_quantisation(read: Read) -> None:
    nodes = [
        node("Transpose", ["a"], ["at"]), node("MatMul", ["x", "at"], ["h"], name="first"),
        node("DequantizeLinear", ["q", "s"], ["d"]), node("MatMul", ["h", "d"], ["y"], name="second"),
    ]  # fmt: skip
    constants = [tensor("a", [6, 4], None), tensor("q", [6, 5], None, INT8), tensor("s", [], [0.1])]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"], constants)))
    assert params(network) == [("a", "weight", 24), ("q", "weight", 30)]
    kinds = {layer.path: layer.kind for layer in network.layers}
    assert (kinds["first"], kinds["second"]) == ("linear", "linear")
    assert network.parameters[1].dtype == "int8"


def test_roles_follow_from_the_place(read: Read) -> None:
    nodes = [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])]
    network = read(
        model(graph(nodes, [value("x", [1, 4, 3])], ["y"], [tensor(n, [4], None) for n in "sbmv"]))
    )
    assert [role for _, role, _ in params(network)] == ["scale", "shift", "running_mean", "running_var"]
    total = network.count("mac").total
    assert (total.params, total.buffers) == (8, 8)


def test_shapes_scales_and_conditions_are_no_weights(read: Read) -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("Where", ["mask", "d", "low"], ["e"]), node("Resize", ["e", "", "up"], ["y"], mode="nearest"),
    ]  # fmt: skip
    constants = [
        tensor("s", [4], None), tensor("z", [4], None, UINT8), tensor("mask", [4, 4], None, BOOL),
        tensor("low", [], [-1e9]), tensor("up", [4], [1.0, 1.0, 2.0, 2.0]),
    ]  # fmt: skip
    network = read(model(graph(nodes, [value("x", [1, 1, 4, 4])], ["y"], constants)))
    assert params(network) == []


def test_large_constants_in_other_places_are_weights_with_a_note(read: Read) -> None:
    nodes = [node("Add", ["x", "val_12"], ["h"]), node("Mul", ["h", "encoder.scale"], ["y"])]
    constants = [tensor("val_12", [4, 4], None), tensor("encoder.scale", [4], None)]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"], constants)))
    assert [count for *_, count in params(network)] == [16, 4]
    assert network.reading.notes == (
        "counted as weights, though they may be masks or positions: val_12 (16 elements)",
    )


MS = "com.microsoft"

TABLES = (tensor("cos", [9, 2], None), tensor("sin", [9, 2], None))

SEQUENCE = tensor("p", [1, 3], [0, 1, 2], INT64)

UNSURE = "counted as weights, though they may be masks or positions: "


@pytest.mark.parametrize(
    ("content", "numbers", "named"),
    [
        (one("RotaryEmbedding", [1, 2, 3, 4], constants=[*TABLES, SEQUENCE], opset=23), [18, 18], "cos, sin"),
        (one("RotaryEmbedding", [1, 3, 8], constants=[SEQUENCE, *TABLES], domain=MS), [18, 18], "cos, sin"),
        (
            one("Attention", *[[1, 2, 4, 3]] * 3, constants=[tensor("mask", [4, 4], None)], opset=23),
            [16], "mask",
        ),
        (
            one("NegativeLogLikelihoodLoss", [2, 5], constants=[
                tensor("t", [2], [0, 1], INT64), tensor("each", [5], None)]),
            [5], "each",
        ),
    ],
    ids=["rotary", "ms_rotary", "mask", "loss"],
)  # fmt: skip
def test_tables_and_masks_of_one_operator_are_weights_with_a_note_too(
    read: Read, content: bytes, numbers: list[int], named: str
) -> None:
    network = read(content)
    assert [count for *_, count in params(network)] == numbers
    assert network.reading.notes == (f"{UNSURE}{named} ({sum(numbers)} elements)",)


def test_the_sinks_of_an_attention_s_heads_are_weights(read: Read) -> None:
    constants = [*[None] * 10, tensor("sinks", [4], None)]
    network = read(one("GroupQueryAttention", [1, 4, 24], constants=constants, domain=MS,
                       num_heads=4, kv_num_heads=2))  # fmt: skip
    assert params(network) == [("sinks", "weight", 4)]
    assert network.reading.notes == ()


def test_a_weight_that_is_read_twice_or_lies_in_one_place_is_stored_once(read: Read) -> None:
    nodes = [
        node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "a"], ["i"]),
        node("MatMul", ["i", "b"], ["y"]),
    ]  # fmt: skip
    shared = tensor("b", [4, 4], None).replace(b"offset\x12\x01b", b"offset\x12\x01a")
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"], [tensor("a", [4, 4], None), shared])))
    assert network.count("mac").total.params == 16
    assert network.parameters[0].names == ("a", "b")


def test_a_table_of_vectors_is_an_embedding(read: Read) -> None:
    nodes = [node("Gather", ["table", "ids"], ["y"], name="words")]
    content = model(graph(nodes, [value("ids", [2, 7], INT64)], ["y"], [tensor("table", [30, 8], None)]))
    network = read(content)
    assert (network.layers[1].kind, out(network)) == ("embedding", "2x7x8")
    assert params(network) == [("table", "weight", 240)]
