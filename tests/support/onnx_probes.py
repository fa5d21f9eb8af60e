"""One-node ONNX models and a few small graphs, on which counters of ONNX files are compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from onnx_files import FLOAT, INT8, INT32, INT64, UINT8, graph, model, node, one, tensor, value

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURE = (1, 6, 17, 23)
ELEMENTWISE = (
    "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Softplus", "HardSigmoid", "Softmax", "LogSoftmax", "Exp", "Log",
    "Sqrt", "Neg", "Abs", "Erf", "Reciprocal", "Sign", "Sin", "Cos", "Floor", "Ceil", "Elu", "Identity",
)  # fmt: skip


def w(name: str, *dims: int) -> bytes:
    """A weight of ones: tools that look at values need some."""
    count = 1
    for size in dims:
        count *= size
    return tensor(name, dims, [1.0] * count)


def ints(name: str, *values: int) -> bytes:
    return tensor(name, [len(values)], values, INT64)


def probes() -> dict[str, bytes]:
    return dict([*_windows(), *_products(), *_quantised(), *_elements(), *_graphs()])


def _windows() -> Iterator[tuple[str, bytes]]:
    bias, pads = w("b", 10), [1, 0, 1, 0]
    yield "conv1d_bias", one("Conv", [1, 6, 31], constants=[w("w", 10, 6, 5), bias], strides=[2], pads=[1, 1])
    yield (
        "conv2d_bias",
        one("Conv", PICTURE, constants=[w("w", 10, 6, 3, 5), bias], strides=[2, 1], pads=pads),
    )
    yield "conv2d_batch", one("Conv", (2, 6, 17, 23), constants=[w("w", 10, 6, 3, 5), bias])
    yield "conv2d_plain", one("Conv", PICTURE, constants=[w("w", 10, 6, 3, 5)])
    yield (
        "conv2d_same",
        one("Conv", PICTURE, constants=[w("w", 10, 6, 3, 5)], strides=[2, 1], auto_pad="SAME_UPPER"),
    )
    yield "conv2d_groups", one("Conv", PICTURE, constants=[w("w", 10, 3, 3, 5), bias], group=2)
    yield "conv2d_depthwise", one("Conv", PICTURE, constants=[w("w", 6, 1, 3, 5), w("b", 6)], group=6)
    yield "conv2d_dilated", one("Conv", PICTURE, constants=[w("w", 10, 6, 3, 3), bias], dilations=[2, 2])
    yield "conv3d_bias", one("Conv", (1, 3, 7, 9, 11), constants=[w("w", 4, 3, 2, 3, 5), w("b", 4)])
    yield (
        "up1d",
        one("ConvTranspose", (1, 6, 13), constants=[w("w", 6, 10, 5), bias], strides=[2], dilations=[1]),
    )
    yield (
        "up2d",
        one(
            "ConvTranspose",
            (1, 6, 9, 11),
            constants=[w("w", 6, 10, 3, 5), bias],
            strides=[2, 3],
            pads=[1, 2, 1, 2],
        ),
    )
    yield (
        "up2d_groups",
        one("ConvTranspose", (1, 6, 9, 11), constants=[w("w", 6, 5, 3, 5), bias], strides=[2, 2], group=2),
    )
    yield "max_pool", one("MaxPool", PICTURE, kernel_shape=[2, 3], strides=[2, 3])
    yield "avg_pool", one("AveragePool", PICTURE, kernel_shape=[2, 3], strides=[2, 3])
    yield "max_pool_1d", one("MaxPool", (1, 6, 31), kernel_shape=[3], strides=[2])
    yield "max_pool_3d", one("MaxPool", (1, 3, 7, 9, 11), kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    yield "global_avg_pool", one("GlobalAveragePool", PICTURE)
    for mode in ("nearest", "linear", "cubic"):
        constants = [None, w("sc", 0), ints("sz", 1, 6, 18, 22)]
        yield f"resize_{mode}", one("Resize", (1, 6, 9, 11), constants=constants, mode=mode)


def _products() -> Iterator[tuple[str, bytes]]:
    yield "gemm_bias", one("Gemm", [1, 13], constants=[w("w", 7, 13), w("b", 7)], transB=1)
    yield "gemm_plain", one("Gemm", [2, 13], constants=[w("w", 13, 7)])
    yield "matmul_weight", one("MatMul", [1, 5, 13], constants=[w("w", 13, 7)])
    yield "matmul_two", one("MatMul", [2, 5, 13], [2, 13, 7])
    yield "einsum", one("Einsum", [2, 5, 13], [2, 13, 7], equation="bij,bjk->bik")
    lstm = [w("w", 1, 32, 6), w("r", 1, 32, 8), w("b", 1, 64)]
    yield "lstm", one("LSTM", [5, 1, 6], constants=lstm, outputs=3, hidden_size=8)
    both = [w("w", 2, 32, 6), w("r", 2, 32, 8), w("b", 2, 64)]
    yield (
        "lstm_both",
        one("LSTM", [5, 2, 6], constants=both, outputs=3, hidden_size=8, direction="bidirectional"),
    )
    gru = [w("w", 1, 24, 6), w("r", 1, 24, 8), w("b", 1, 48)]
    yield "gru", one("GRU", [5, 2, 6], constants=gru, outputs=2, hidden_size=8)


def _quantised() -> Iterator[tuple[str, bytes]]:
    """Products of whole numbers; each value has a scale and a zero point behind it."""

    def scaled(name: str) -> list[bytes]:
        return [tensor(f"{name}_s", [], [0.5]), tensor(f"{name}_z", [], [0], UINT8)]

    def whole(name: str, *dims: int) -> bytes:
        return tensor(name, dims, [1] * math.prod(dims), UINT8)

    kernel = whole("w", 10, 6, 3, 5)
    yield "conv_integer", one("ConvInteger", PICTURE, constants=[kernel], dtype=UINT8, gives=INT32)
    given = [*scaled("x"), kernel, *scaled("w"), *scaled("y")]
    yield "qlinear_conv", one("QLinearConv", PICTURE, constants=given, dtype=UINT8, gives=UINT8)
    bias = tensor("b", [10], [1] * 10, INT32)
    yield "qlinear_conv_bias", one("QLinearConv", PICTURE, constants=[*given, bias], dtype=UINT8, gives=UINT8)
    given = [*scaled("x"), whole("w", 13, 7), *scaled("w"), *scaled("y")]
    yield "qlinear_matmul", one("QLinearMatMul", [5, 13], constants=given, dtype=UINT8, gives=UINT8)
    yield (
        "matmul_integer",
        one("MatMulInteger", [5, 13], constants=[whole("w", 13, 7)], dtype=UINT8, gives=INT32),
    )


def _elements() -> Iterator[tuple[str, bytes]]:
    for op in ELEMENTWISE:
        yield op.lower(), one(op, PICTURE)
    yield "hard_swish", one("HardSwish", PICTURE)
    yield "prelu", one("PRelu", PICTURE, constants=[w("a", 6, 1, 1)])
    yield "clip", one("Clip", PICTURE, constants=[tensor("lo", [], [0.0]), tensor("hi", [], [6.0])])
    for op in ("Add", "Sub", "Mul", "Div", "Pow"):
        yield f"{op.lower()}_two", one(op, [1, 6, 9, 11], [1, 6, 1, 1])
    yield "add_vector", one("Add", [2, 5, 13], constants=[w("b", 13)])
    yield "add_scalar", one("Add", [2, 5, 13], constants=[tensor("b", [], [1.0])])
    yield "sum3", one("Sum", (1, 6), (1, 6), (1, 6))
    yield "batch_norm", one("BatchNormalization", PICTURE, constants=[w(n, 6) for n in "sbmv"])
    yield "instance_norm", one("InstanceNormalization", PICTURE, constants=[w("s", 6), w("b", 6)])
    yield "layer_norm", one("LayerNormalization", [1, 5, 13], constants=[w("s", 13), w("b", 13)])
    yield "lrn", one("LRN", PICTURE, size=5)
    yield "lp_norm", one("LpNormalization", [1, 5, 13], axis=-1, p=2)
    yield "gelu", one("Gelu", PICTURE, opset=20)
    yield "atan", one("Atan", PICTURE)
    yield "reduce_l2", one("ReduceL2", PICTURE, axes=[2, 3], keepdims=1)
    for op in ("ReduceMean", "ReduceMax"):
        yield op.lower(), one(op, PICTURE, axes=[2, 3], keepdims=1)
    yield "concat", one("Concat", [1, 6, 9, 11], [1, 3, 9, 11], axis=1)
    yield "transpose", one("Transpose", [1, 6, 9, 11], perm=[0, 2, 3, 1])
    yield "flatten", one("Flatten", [1, 6, 9, 11])
    yield "dropout", one("Dropout", [1, 6, 9, 11])


def _graphs() -> Iterator[tuple[str, bytes]]:
    inputs, weight = [value("x", [1, 13])], [w("w", 13, 13)]
    twice = [node("MatMul", ["x", "w"], ["h"], name="a"), node("MatMul", ["h", "w"], ["y"], name="b")]
    yield "weight_read_twice", model(graph(twice, inputs, ["y"], weight))
    table = [node("Gather", ["t", "x"], ["h"], name="a"), node("MatMul", ["h", "w"], ["y"], name="b")]
    yield "embedding", model(graph(table, [value("x", [1, 5], INT64)], ["y"], [w("t", 11, 13), *weight]))
    named = [
        node("Identity", ["w"], ["v"], name="i"),
        node("MatMul", ["x", "w"], ["h"], name="a"),
        node("MatMul", ["h", "v"], ["y"], name="b"),
    ]
    yield "weight_of_two_names", model(graph(named, inputs, ["y"], weight))
    folded = [
        node("Transpose", ["w"], ["v"], name="t", perm=[1, 0]),
        node("MatMul", ["x", "v"], ["y"], name="b"),
    ]
    yield "folded_weight", model(graph(folded, inputs, ["y"], weight))
    sized = [
        node("Reshape", ["x", "s"], ["h"], name="r"), node("Tile", ["h", "s"], ["i"], name="t"),
        node("Relu", ["i"], ["y"], name="e"),
    ]  # fmt: skip
    yield "sizes_are_parameters", model(graph(sized, inputs, ["y"], [ints("s", 13, 1)]))


def of_wrong_shapes() -> Iterator[tuple[str, bytes]]:
    """Operators whose result the tool gives another shape than the standard does."""
    sized = [None, tensor("s", [2], [2.0, 2.0])]
    yield "resize_axes", one("Resize", (1, 3, 10, 15), constants=sized, opset=19, mode="linear", axes=[-1, 2])
    yield (
        "resize_not_larger",
        one(
            "Resize", (1, 3, 10, 15), constants=[None, None, ints("z", 1, 3, 20, 20)], opset=19,
            mode="linear", keep_aspect_ratio_policy="not_larger",
        ),
    )  # fmt: skip
    for op in ("AveragePool", "MaxPool"):
        given = {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [0, 0, 1, 1], "ceil_mode": 1}
        yield f"{op.lower()}_in_padding", one(op, (1, 3, 10, 9), opset=19, **given)
    yield "einsum_of_three", one("Einsum", [4, 5], [5, 6], [6, 7], equation="ab,bc,cd->ad")


def of_odd_shapes() -> Iterator[tuple[str, bytes]]:
    """Their siblings, for which the tool has a figure that we know."""
    yield "einsum_dots", one("Einsum", [2, 3, 4, 5], [5, 6], equation="b...i,ij->b...j")
    yield "einsum_two_dots", one("Einsum", [2, 3, 4, 5], [2, 3, 4, 5], equation="...i, ...i->...i")
    given = {"kernel_shape": [2, 2], "strides": [3, 3], "ceil_mode": 1}
    yield "avg_pool_ceil", one("AveragePool", (1, 3, 10, 10), opset=19, **given)
    yield (
        "resize_plain",
        one(
            "Resize", (1, 3, 10, 15), constants=[None, None, ints("z", 1, 3, 20, 20)], opset=19, mode="linear"
        ),
    )


def weights_of_whole_numbers() -> Iterator[tuple[str, bytes]]:
    """DequantizeLinear is no constant to the tool, nor what is made of it; what is in front of it is."""
    inputs = [value("x", [2, 13])]
    stored = [tensor("w", (13, 7), [1] * 91, INT8), tensor("s", [], [0.5]), tensor("z", [], [0], INT8)]
    by_axis = [stored[0], w("s", 7), tensor("z", [7], [0] * 7, INT8)]
    real = node("DequantizeLinear", ["w", "s", "z"], ["v"], name="d")
    product = node("MatMul", ["x", "v"], ["y"], name="m")
    yield "dequantised_weight", model(graph([real, product], inputs, ["y"], stored))
    yield "dequantised_weight_by_axis", model(graph([real, product], inputs, ["y"], by_axis))
    for op, given in (
        ("Transpose", {"perm": [1, 0]}),
        ("Relu", {}),
        ("Identity", {}),
        ("Cast", {"to": FLOAT}),
    ):
        moved = node(op, ["v"], ["u"], name="t", **given)
        used = node("Gemm", ["x", "u"], ["y"], name="m", transB=int(op == "Transpose"))
        yield f"dequantised_{op.lower()}", model(graph([real, moved, used], inputs, ["y"], stored))
    turned = [node("Transpose", ["t"], ["w"], name="t", perm=[1, 0]), real, product]
    raw = [tensor("t", (7, 13), [1] * 91, INT8), *stored[1:]]
    yield "transposed_and_dequantised", model(graph(turned, inputs, ["y"], raw))
    added = [real, node("Add", ["v", "b"], ["u"], name="a"), node("MatMul", ["x", "u"], ["y"], name="m")]
    yield "dequantised_and_a_constant", model(graph(added, inputs, ["y"], [*stored, w("b", 7)]))
