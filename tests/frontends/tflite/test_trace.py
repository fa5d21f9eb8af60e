from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tflite_files import HALF, INT8, INT32, RESOURCE, Graph, Op, Tensor, model, one, weight

if TYPE_CHECKING:
    from conftest import Read

ADD, CONV, DENSE, DEQUANTIZE, RELU, READ, ASSIGN, HANDLE = 0, 3, 9, 6, 19, 143, 144, 142


def rows(read: Read, content: bytes) -> list[tuple[str, str, str]]:
    return [(layer.path, layer.kind, layer.source) for layer in read(content).layers[1:]]


def fused() -> bytes:
    name = "net/relu_1/Relu;net/bn_1/batchnorm/mul_1;net/conv_1/convolution"
    tensors = [Tensor("x", (1, 8, 8, 4)), weight("w", 6, 3, 3, 4), weight("b", 6), Tensor(name, (1, 8, 8, 6))]
    return model(Graph(tensors, [Op(CONV, ["x", "w", "b"], [name], 1, "b0 i1 i1 b1 i1 i1")], ["x"], [name]))


def test_an_activation_that_is_fused_is_a_call_of_its_own(read: Read) -> None:
    assert rows(read, fused()) == [("conv_1", "conv", "CONV_2D"), ("relu_1", "relu", "RELU")]


def test_the_ops_of_a_fused_activation_count_once(read: Read) -> None:
    elements = 8 * 8 * 6
    # products and additions of 36 terms and of the bias, then a comparison
    assert read(fused()).count("ops").total.count == elements * (36 + 36 + 1)


def test_modules_are_made_of_names_between_slashes(read: Read) -> None:
    names = ["net/block_1/conv/Conv2D", "net/block_1/relu/Relu", "net/head/MatMul"]
    tensors = [Tensor("x", (1, 4)), *(Tensor(name, (1, 4)) for name in names)]
    operators = [Op(RELU, [a], [b]) for a, b in zip(["x", *names], names, strict=False)]
    found = rows(read, model(Graph(tensors, operators, ["x"], names[-1:])))
    assert found == [
        ("block_1", "container", "tflite.Scope"),
        ("block_1.conv", "relu", "RELU"),
        ("block_1.relu", "relu", "RELU"),
        ("head", "relu", "RELU"),
    ]


def test_an_output_without_a_name_of_its_own_goes_by_its_operator(read: Read) -> None:
    tensors = [Tensor("x", (1, 4)), Tensor("StatefulPartitionedCall:0", (1, 4))]
    assert rows(
        read, model(Graph(tensors, [Op(RELU, ["x"], [tensors[1].name])], ["x"], [tensors[1].name]))
    ) == [("relu_0", "relu", "RELU")]


def test_a_weight_that_two_operators_read_counts_once(read: Read) -> None:
    tensors = [Tensor("x", (1, 4)), weight("w", 4, 4), Tensor("h", (1, 4)), Tensor("y", (1, 4))]
    operators = [Op(DENSE, ["x", "w"], ["h"], 8, "b0"), Op(DENSE, ["h", "w"], ["y"], 8, "b0")]
    total = read(model(Graph(tensors, operators, ["x"], ["y"]))).count("mac").total
    assert (total.count, total.params) == (32, 16)


def test_a_weight_of_half_precision_counts_at_its_use(read: Read) -> None:
    tensors = [Tensor("x", (1, 4)), weight("w", 3, 4, dtype=HALF), Tensor("r", (3, 4)), Tensor("y", (1, 3))]
    operators = [Op(DEQUANTIZE, ["w"], ["r"]), Op(DENSE, ["x", "r"], ["y"], 8, "b0")]
    graph = read(model(Graph(tensors, operators, ["x"], ["y"])))
    total = graph.count("mac").total
    assert (total.count, total.params) == (12, 12)
    assert graph.parameters[0].dtype == "float16"
    assert graph.count("ops").total.count == 24 - 3  # four products and three additions for each of three


def test_a_bias_of_whole_numbers_is_a_weight_and_a_shape_is_none(read: Read) -> None:
    content = one(
        DENSE, [Tensor("x", (1, 4), INT8), weight("w", 3, 4, dtype=INT8), weight("b", 3, dtype=INT32)],
        [(1, 3)], 8, "b0", dtype=INT8,
    )  # fmt: skip
    assert read(content).count("mac").total.params == 12 + 3
    assert read(content).layers[1].native["input_types"] == ("int8", "int8", "int32")


def test_another_constant_counts_with_a_note_that_names_it(read: Read) -> None:
    graph = read(one(ADD, [Tensor("x", (1, 4)), weight("mask", 4)], [(1, 4)], 11, "b0"))
    assert graph.count("mac").total.params == 4
    assert graph.reading.notes == (
        "counted as weights, though they may be masks or positions: mask (4 elements)",
    )


def held(*, filled: bool) -> bytes:
    """A dense layer whose weight is in a variable, which the graph itself fills or does not."""
    tensors = [
        Tensor("x", (1, 4)), Tensor("v", (), RESOURCE), Tensor("w", (3, 4)), Tensor("y", (1, 3)),
        Tensor("new", (3, 4)),
    ]  # fmt: skip
    operators = [
        Op(HANDLE, [], ["v"], 111, "s: s:kernel"),
        Op(READ, ["v"], ["w"]),
        Op(DENSE, ["x", "w"], ["y"], 8, "b0"),
    ]
    if filled:
        operators.append(Op(ASSIGN, ["v", "new"], []))
    return model(Graph(tensors, operators, ["x", "new"], ["y"]))


def test_a_variable_is_a_weight_unless_the_inference_fills_it(read: Read) -> None:
    weights, state = read(held(filled=False)).count("mac").total, read(held(filled=True)).count("mac").total
    assert (weights.count, weights.params) == (12, 12)
    assert (state.count, state.params) == (12, 0)


def chain(length: int) -> bytes:
    tensors = [Tensor(f"t{i}", (1, 4)) for i in range(length + 1)]
    operators = [Op(RELU, [f"t{i}"], [f"t{i + 1}"]) for i in range(length)]
    return model(Graph(tensors, operators, ["t0"], [f"t{length}"]))


@pytest.mark.slow
def test_a_hundred_thousand_operators_take_a_hundred_times_as_long_as_a_thousand(read: Read) -> None:
    taken = {}
    for length in (1_000, 100_000):
        content = chain(length)
        started = time.process_time()
        assert len(read(content).layers) == length + 1
        taken[length] = time.process_time() - started
    assert taken[100_000] < 300 * taken[1_000]
