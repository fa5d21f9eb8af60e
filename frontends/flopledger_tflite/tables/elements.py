"""Operators element by element, activations, softmax, quantisation.

Source: the operators' kernels in tensorflow/lite/kernels. Where every operand is known, so is the result: it
is arithmetic on sizes, and counts as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    CONTAINER,
    Part,
    Row,
    Step,
    arrays,
    divide,
    folded,
    many,
    one,
    row,
    several,
    shapes_by_rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger_tflite.node import Call

_TRUTH = "bool"

FUSED: Mapping[int, tuple[str, str]] = {
    1: ("RELU", "relu"),
    2: ("RELU_N1_TO_1", "hard_tanh"),
    3: ("RELU6", "relu6"),
    4: ("TANH", "tanh"),
    5: ("SIGN_BIT", "sign"),
}
"""``ActivationFunctionType``: the activation that an operator does at its end, and its kind."""


def power(call: Call) -> Step:
    """``a ** b``; a constant exponent of 2 is a product, of 0.5 a root."""
    step = folded(call, arrays.POW)
    exponent = call.value(1).known()
    if step is not None or exponent is None or len(exponent.items) != 1:
        return step or Step("power")
    item = exponent.items[0]
    kind = {2: "square", 0.5: "sqrt", -0.5: "rsqrt"}.get(item) if isinstance(item, (int, float)) else None
    return Step(kind, {}, (0,)) if kind else Step("power")


def squared_difference(call: Call) -> Step:
    """``(a - b) ** 2``."""
    shapes = call.shapes()
    shape = shapes_by_rule("subtract", {}, shapes, call.where)[0]
    parts = (Part("subtract", "subtract", {}, shapes), Part("square", "square", {}, (shape,)))
    return Step(CONTAINER, parts=parts, shapes=[shape])


def select(call: Call) -> Step:
    """Elements of one input or the other."""
    step = folded(call, arrays.chosen)
    return step or Step("select", {})


def gelu(call: Call) -> Step:
    """Exact, or by the hyperbolic tangent."""
    return Step("gelu_tanh" if call.flag("approximate") else "gelu", {}, (0,))


def softmax(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a softmax along the last axis."""
    return lambda _: Step(kind, {"axis": -1}, (0,))


def truth(_: Call) -> Step:
    """Return the step of a question about each element."""
    return Step("compare", {"scalars": 1}, (0,))


def lrn(call: Call) -> Step:
    """A window across channels, ``radius`` to either side."""
    return Step("lrn", {"size": 2 * call.whole("radius") + 1}, (0,))


def l2_norm(call: Call) -> Step:
    """Vectors along the last axis divided by their length."""
    return Step("l2_norm", {"axis": call.rank() - 1}, (0,))


def cast(call: Call) -> Step:
    """Another type."""
    known, dtype = call.value(0).known(), call.dtypes[0] if call.dtypes else ""
    array = None
    if known is not None:
        change = arrays.truth if dtype == "bool" else arrays.whole if "int" in dtype else arrays.real
        array = arrays.Array(known.shape, tuple(map(change, known.items)))
    return Step("cast", {}, (0,), [call.shape()], arrays=[array], constant=True)


def quantize(_: Call) -> Step:
    """Real numbers to whole ones, or whole ones to those of another scale."""
    return Step("quantize", {}, (0,), constant=True)


def dequantize(call: Call) -> Step:
    """Whole numbers to real ones; a weight is made real once, when the network is loaded."""
    if call.value(0).constants:
        return Step("cast", {}, (0,), [call.shape()], constant=True)
    return Step("dequantize", {}, (0,))


def densify(call: Call) -> Step:
    """A sparse weight made dense, once, when the network is loaded."""
    return Step("cast", {}, (0,), [call.shape()], constant=True)


def drawn(call: Call) -> Step:
    """Random numbers of a given shape: made, not calculated from data."""
    shape = call.dims(0)
    return Step("fill", {"shape": shape}, (), [shape])


def multinomial(call: Call) -> Step:
    """Places drawn by weights; the comparisons depend on the data."""
    return Step("draw", {"shape": (call.shape()[0], call.dims(1)[0])}, (0,))


def complex_abs(call: Call) -> Step:
    """The root of the sum of two squares."""
    return Step("hypot", {}, (call.shape(), call.shape()), [call.shape()])


_UNARY: Mapping[str, str] = {
    "RELU": "relu", "RELU6": "relu6", "RELU_N1_TO_1": "hard_tanh", "RELU_0_TO_1": "hard_tanh",
    "LEAKY_RELU": "leaky_relu", "ELU": "elu", "LOGISTIC": "sigmoid", "TANH": "tanh",
    "HARD_SWISH": "hard_swish", "EXP": "exp", "LOG": "log", "SQRT": "sqrt", "RSQRT": "rsqrt",
    "SQUARE": "square", "SIN": "sin", "COS": "cos", "SIGN": "sign",
    "LOGICAL_NOT": "logical", "FAKE_QUANT": "fake_quantize",
    "STABLEHLO_LOGISTIC": "sigmoid", "STABLEHLO_TANH": "tanh", "STABLEHLO_COSINE": "cos",
    "STABLEHLO_EXPONENTIAL": "exp", "STABLEHLO_LOG": "log", "STABLEHLO_RSQRT": "rsqrt",
    "STABLEHLO_CBRT": "special",
}  # fmt: skip

_ADD, _SUB, _MUL = (
    several(*each) for each in (("add", arrays.ADD), ("subtract", arrays.SUB), ("multiply", arrays.MUL))
)
_NEGATE = one("negate", lambda item: arrays.SUB(0, item))
_ABS = one("abs", lambda item: arrays.MAX(item, arrays.SUB(0, item)))
_AND, _OR = several("logical", arrays.both, _TRUTH), several("logical", arrays.either, _TRUTH)
_LEAST, _LARGEST = several("minimum", arrays.MIN), several("maximum", arrays.MAX)

ROWS: Mapping[str, Row[Call]] = {
    **{name: row(one(kind)) for name, kind in _UNARY.items()},
    "PRELU": row(one("prelu"), weights={1: "weight"}),
    "GELU": row(gelu),
    "SOFTMAX": row(softmax("softmax")),
    "LOG_SOFTMAX": row(softmax("log_softmax")),
    "LOCAL_RESPONSE_NORMALIZATION": row(lrn),
    "L2_NORMALIZATION": row(l2_norm),
    "ABS": row(_ABS),
    "STABLEHLO_ABS": row(_ABS),
    "NEG": row(_NEGATE),
    "STABLEHLO_NEGATE": row(_NEGATE),
    "FLOOR": row(one("round", arrays.floor)),
    "STABLEHLO_FLOOR": row(one("round", arrays.floor)),
    "CEIL": row(one("round", arrays.ceil)),
    "ROUND": row(one("round", arrays.rounded)),
    "ADD": row(_ADD),
    "STABLEHLO_ADD": row(_ADD),
    "ADD_N": row(many("add", arrays.ADD)),
    "SUB": row(_SUB),
    "STABLEHLO_SUBTRACT": row(_SUB),
    "MUL": row(_MUL),
    "STABLEHLO_MULTIPLY": row(_MUL),
    "DIV": row(divide),
    "STABLEHLO_DIVIDE": row(divide),
    "FLOOR_DIV": row(several("divide", arrays.DIV)),
    "FLOOR_MOD": row(several("modulo", arrays.MOD)),
    "STABLEHLO_REMAINDER": row(several("modulo", arrays.MOD)),
    "POW": row(power),
    "STABLEHLO_POWER": row(power),
    "SQUARED_DIFFERENCE": row(squared_difference),
    "ATAN2": row(several("atan2")),
    "MAXIMUM": row(_LARGEST),
    "STABLEHLO_MAXIMUM": row(_LARGEST),
    "MINIMUM": row(_LEAST),
    "STABLEHLO_MINIMUM": row(_LEAST),
    "STABLEHLO_CLAMP": row(lambda call: Step("hard_tanh", {}, (1,), [call.shape(1)])),
    "EQUAL": row(several("compare", arrays.same, _TRUTH)),
    "NOT_EQUAL": row(several("compare", lambda a, b: arrays.negated(arrays.same(a, b)), _TRUTH)),
    "GREATER": row(several("compare", arrays.GREATER, _TRUTH)),
    "LESS": row(several("compare", arrays.LESS, _TRUTH)),
    "GREATER_EQUAL": row(several("compare", arrays.GREATER_OR_EQUAL, _TRUTH)),
    "LESS_EQUAL": row(several("compare", arrays.LESS_OR_EQUAL, _TRUTH)),
    "STABLEHLO_COMPARE": row(several("compare")),
    "LOGICAL_AND": row(_AND),
    "STABLEHLO_AND": row(_AND),
    "LOGICAL_OR": row(_OR),
    "STABLEHLO_OR": row(_OR),
    "BITWISE_XOR": row(several("logical")),
    "RIGHT_SHIFT": row(several("logical")),
    "STABLEHLO_SHIFT_LEFT": row(several("logical")),
    "SELECT": row(select),
    "SELECT_V2": row(select),
    "STABLEHLO_SELECT": row(select),
    "CAST": row(cast),
    "STABLEHLO_CONVERT": row(cast),
    "BITCAST": row(lambda call: Step("view", {"shape": call.output() or call.shape()}, (0,))),
    "QUANTIZE": row(quantize),
    "DEQUANTIZE": row(dequantize),
    "DENSIFY": row(densify),
    "RANDOM_UNIFORM": row(drawn, 0),
    "RANDOM_STANDARD_NORMAL": row(drawn, 0),
    "STABLEHLO_RNG_BIT_GENERATOR": row(
        lambda call: Step("fill", {"shape": call.output(1) or ()}, (), call.stated)
    ),
    "MULTINOMIAL": row(multinomial, 1),
    "COMPLEX_ABS": row(complex_abs),
    "REAL": row(lambda call: Step("view", {"shape": call.shape()}, (0,))),
    "IMAG": row(lambda call: Step("view", {"shape": call.shape()}, (0,))),
}
