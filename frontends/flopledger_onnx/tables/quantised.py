"""Quantisation, and the quantised forms of operators.

Source: onnx.ai/onnx/operators; ONNX Runtime's ContribOperators.md for the domain com.microsoft. A quantised
operator does the work of the plain one on whole numbers; scales and zero points are not weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, Attrs, Part, Row, Step, row

from flopledger_onnx.tables.movement import inferred
from flopledger_onnx.tables.norms import softmax
from flopledger_onnx.tables.products import matmul, product, recurrent_step
from flopledger_onnx.tables.reductions import reduction
from flopledger_onnx.tables.transformers import projected_attention
from flopledger_onnx.tables.windows import conv, global_pool, pool
from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger_onnx.node import Call


def quantize(call: Call) -> Step:
    """Real numbers to whole ones, in the type of the zero point."""
    dtype = call.value(2).dtype if call.has(2) else "uint8"
    if call.whole("output_dtype", 0):
        dtype = type_name(call.whole("output_dtype", 0))
    return Step("quantize", {}, (0,), dtypes=(dtype,), constant=True)


def dequantize(call: Call) -> Step:
    """Whole numbers to real ones; a weight is made real once, when the network is loaded."""
    value = call.value(0)
    dtype = call.value(1).dtype if call.has(1) else "float32"
    if value.constants:
        return Step("cast", {}, (0,), [call.shape()], dtypes=(dtype,), constant=True)
    return Step("dequantize", {}, (0,), dtypes=(dtype,))


def dynamic_quantize(call: Call) -> Step:
    """The smallest and the largest element give the scale, then all are made whole numbers."""
    shape = call.shape()
    parts = (
        Part("range", "min_max", {}, (shape,)),
        Part("quantize", "quantize", {}, (shape,)),
    )
    dtypes = ("uint8", "float32", "uint8")
    return Step(CONTAINER, parts=parts, shapes=[shape, (), ()], dtypes=dtypes)


def quantised(kind: str, *operands: int) -> Callable[[Call], Step]:
    """Return the rule of a quantised function of these operands."""
    return lambda _: Step(kind, {}, operands)


def gemm(call: Call) -> Step:
    """QGemm: A, scale, zero, B, scale, zero, C."""
    turn = (call.flag("transA"), call.flag("transB"))
    return product(call, 0, 3, turn, bias=call.has(6))


def joined(call: Call) -> Step:
    """QLinearConcat: the output's scale and zero point, then threes of input, scale and zero point."""
    operands = tuple(range(2, len(call.inputs), 3))
    axis = call.axis(call.whole("axis"), call.rank(2))
    attrs: Attrs = {"axis": axis}
    out = inferred(call, "concat", attrs, *(call.shape(i) for i in operands))
    return Step("concat", attrs, operands, out, dtypes=(call.value(2).dtype,))


def lstm(call: Call) -> Step:
    """DynamicQuantizeLSTM: W is (directions, I, 4 H), R (directions, H, 4 H)."""
    return recurrent_step(call, "lstm", call.shape(1)[0], call.whole("hidden_size"))


def attention(call: Call) -> Step:
    """QAttention: the projection of one input to query, key and value, and attention in each head."""
    return projected_attention(call, call.shape(1)[-1], bias=call.has(2), mask=call.has(5))


def selected(call: Call) -> Step:
    """QLinearWhere: a condition, then twice an operand, its scale and its zero point."""
    return Step("select", {}, (0, 1, 4), dtypes=(call.value(1).dtype,))


_ALL = tuple(range(1, 9))
_PAIR = (1, 2, 4, 5, 6, 7)
_MS = "com.microsoft."

ROWS: Mapping[str, Row[Call]] = {
    "QuantizeLinear": row(quantize, 1, 2),
    "DequantizeLinear": row(dequantize, 1, 2),
    "DynamicQuantizeLinear": row(dynamic_quantize),
    f"{_MS}QuantizeLinear": row(quantize, 1, 2),
    f"{_MS}DequantizeLinear": row(dequantize, 1, 2),
    f"{_MS}QLinearAdd": row(quantised("add", 0, 3), *_PAIR),
    f"{_MS}QLinearMul": row(quantised("multiply", 0, 3), *_PAIR),
    f"{_MS}QLinearSigmoid": row(quantised("sigmoid", 0), *_ALL),
    f"{_MS}QLinearLeakyRelu": row(quantised("leaky_relu", 0), *_ALL),
    f"{_MS}QLinearSoftmax": row(softmax("softmax"), *_ALL),
    f"{_MS}QLinearAveragePool": row(pool("avg_pool"), *_ALL),
    f"{_MS}QLinearGlobalAveragePool": row(global_pool("avg_pool"), *_ALL),
    f"{_MS}QLinearReduceMean": row(reduction("reduce_mean"), *_ALL),
    f"{_MS}QLinearConcat": row(joined),
    f"{_MS}QLinearWhere": row(selected, 2, 3, 5, 6, 7, 8),
    f"{_MS}QLinearConv": row(conv(3, 8), *_PAIR, weights={3: "weight", 8: "bias"}),
    f"{_MS}QGemm": row(gemm, 1, 2, 4, 5, 7, 8, weights={3: "weight", 6: "bias"}),
    f"{_MS}MatMulIntegerToFloat": row(matmul(dtype="float32"), 2, 3, 4, 5, weights={1: "weight", 6: "bias"}),
    f"{_MS}DynamicQuantizeMatMul": row(matmul(), 2, 3, weights={1: "weight", 4: "bias"}),
    f"{_MS}DynamicQuantizeLSTM": row(
        lstm, 4, 5, 6, 8, 9, 10, 11, weights={1: "weight", 2: "weight", 3: "bias", 7: "weight"}
    ),
    f"{_MS}QAttention": row(attention, 3, 4, 5, 6, 7, 8, weights={1: "weight", 2: "bias"}),
}
