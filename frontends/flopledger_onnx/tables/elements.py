"""Operators element by element, reductions, scans and transforms. Source: onnx.ai/onnx/operators.

Where every operand is known, so is the result: it is arithmetic on sizes, and counts as such.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.frontend import (
    CONTAINER,
    Part,
    Row,
    Step,
    Unshaped,
    arrays,
    ceildiv,
    divide,
    folded,
    is_symbolic,
    many,
    one,
    row,
    several,
)

from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Array, Dim, Item

    from flopledger_onnx.node import Call

_TRUTH = "bool"


def truth(_: Call) -> Step:
    """Return the step of a question about each element."""
    return Step("compare", {"scalars": 1}, (0,), dtypes=(_TRUTH,))


def where(call: Call) -> Step:
    """Elements of one input or the other."""
    step = folded(call, arrays.chosen, call.value(1).dtype)
    return step or Step("select", {}, dtypes=(call.value(1).dtype,))


def power(call: Call) -> Step:
    """``a ** b``; a constant exponent of 2 is a product, of 0.5 a root."""
    step = folded(call, arrays.POW)
    if step is not None:
        return step
    exponent = call.value(1).known()
    if exponent is not None and len(exponent.items) == 1 and len(exponent.shape) <= call.rank():
        kind = {2: "square", 0.5: "sqrt", -0.5: "rsqrt"}.get(_number(exponent))
        if kind:
            return Step(kind, {}, (0,))
    return Step("power")


def _number(array: Array) -> float:
    item = array.items[0]
    return float(item) if isinstance(item, (int, float)) else math.nan


def prelu(call: Call) -> Step:
    """A slope for each channel, which is the second input."""
    call.value(1)
    return Step("prelu", {}, (0,))


def clip(call: Call) -> Step:
    """Kept between two bounds; with 0 and 6 it is ReLU6 as exporters write it."""
    step = folded(call, _clipped)
    return step or Step("hard_tanh", {}, (0,))


def _clipped(item: Item, low: Item = None, high: Item = None) -> Item:
    found = item if low is None else arrays.MAX(item, low)
    return found if high is None else arrays.MIN(found, high)


def gelu(call: Call) -> Step:
    """Exact, or by the hyperbolic tangent."""
    return Step("gelu_tanh" if call.word("approximate", "none") == "tanh" else "gelu", {}, (0,))


def swish(call: Call) -> Step:
    """``x sigmoid(alpha x)``."""
    return Step("silu" if call.real("alpha", 1.0) == 1.0 else "swish", {}, (0,))


def swiglu(call: Call) -> Step:
    """``swish(a) b`` (opset 28)."""
    a, b = call.shape(0), call.shape(1)
    kind = "silu" if call.real("alpha", 1.0) == 1.0 else "swish"
    parts = (Part("swish", kind, {}, (a,)), Part("gate", "multiply", {}, (a, b)))
    return Step(CONTAINER, parts=parts, shapes=[a])


def rotary(call: Call) -> Step:
    """RotaryEmbedding (opset 23): see :func:`rotated`."""
    return rotated(call, call.whole("rotary_embedding_dim", 0), call.whole("num_heads", 0))


def rotated(call: Call, size: int, heads: int) -> Step:
    """``y = x cos + x' sin`` on the first ``size`` features of each head, on all where it is 0.

    Two products and an addition for each element that is turned; the others stay.
    """
    shape = call.shape()
    if size <= 0:
        return Step("multiply_add", {"scaled": True}, (0,), [shape])
    turned = (*shape[:-1], size) if len(shape) == 4 else (*shape[:-1], size * max(heads, 1))
    part = Part("rotate", "multiply_add", {"scaled": True}, (turned,))
    return Step(CONTAINER, parts=(part,), shapes=[shape])


def determinant(_: Call) -> Step:
    """Determinants of matrices."""
    return Step("det", {}, (0,))


def numbers(call: Call) -> Step:
    """Range: whole numbers from a start to a limit, or real ones."""
    start, limit, step = (call.array(i).items[0] for i in range(3))
    count = _turns(start, limit, step)
    if count is None:
        raise Unshaped(f"how many numbers there are from {start} to {limit} by {step} is not known")
    array = None
    if isinstance(count, int) and count <= arrays.MOST_ITEMS:
        array = arrays.vector(arrays.ADD(start, arrays.MUL(i, step)) for i in range(count))
    return Step("index_arithmetic", {"shape": (count,)}, (), [(count,)], arrays=[array])


def _turns(start: Item, limit: Item, step: Item) -> Dim | None:
    """Return ``ceil((limit - start) / step)``, at least 0."""
    if not isinstance(step, (int, float, Fraction)) or not step:
        return None
    difference = arrays.SUB(limit, start)
    if is_symbolic(difference):
        whole = int(step) if step > 0 and step == int(step) else 0
        return ceildiv(difference, whole) if whole else None
    if not isinstance(difference, (int, float, Fraction)) or not math.isfinite(difference):
        return None
    return max(math.ceil(difference / step), 0)


def like(kind: str) -> Callable[[Call], Step]:
    """Return the rule of new numbers in the shape of the input."""

    def rule(call: Call) -> Step:
        number = call.attributes.get("dtype")
        dtype = call.value(0).dtype if number is None else type_name(number.i)
        return Step(kind, {"shape": call.shape()}, (), [call.shape()], dtypes=(dtype,))

    return rule


def drawn(call: Call) -> Step:
    """Random numbers of a given shape: made, not computed from data."""
    shape = call.wholes("shape") or ()
    return Step("fill", {"shape": shape}, (), [shape], dtypes=(type_name(call.whole("dtype", 1)),))


def multinomial(call: Call) -> Step:
    """Places drawn by weights; the comparisons depend on the data."""
    return Step("draw", {"shape": (call.shape()[0], call.whole("sample_size", 1))}, (0,), dtypes=("int32",))


def _root(item: Item) -> Item:
    return math.sqrt(item) if isinstance(item, (int, float)) and item >= 0 else None


_UNARY: Mapping[str, str] = {
    "Abs": "abs", "Acos": "special", "Acosh": "special", "Asin": "special", "Asinh": "special",
    "Atan": "special", "Atanh": "special", "Celu": "celu", "Cos": "cos", "Cosh": "special", "Elu": "elu",
    "Erf": "erf", "Exp": "exp", "HardSigmoid": "hard_sigmoid", "HardSwish": "hard_swish",
    "LeakyRelu": "leaky_relu", "Log": "log", "Mish": "mish", "PRelu": "prelu", "Reciprocal": "reciprocal",
    "Relu": "relu", "Selu": "selu", "Shrink": "soft_shrink", "Sigmoid": "sigmoid", "Sign": "sign",
    "Sin": "sin", "Sinh": "special", "Softplus": "softplus", "Softsign": "softsign", "Tan": "special",
    "Tanh": "tanh", "ThresholdedRelu": "threshold", "BitwiseNot": "logical",
}  # fmt: skip

ROWS: Mapping[str, Row[Call]] = {
    **{name: row(one(kind)) for name, kind in _UNARY.items()},
    "PRelu": row(prelu, weights={1: "weight"}),
    "Relu": row(one("relu", lambda item: arrays.MAX(item, 0))),
    "Abs": row(one("abs", lambda item: arrays.MAX(item, arrays.SUB(0, item)))),
    "Sqrt": row(one("sqrt", _root)),
    "Neg": row(one("negate", lambda item: arrays.SUB(0, item))),
    "Floor": row(one("round", arrays.floor)),
    "Ceil": row(one("round", arrays.ceil)),
    "Round": row(one("round", arrays.rounded)),
    "Not": row(one("logical", arrays.negated)),
    "IsNaN": row(truth),
    "IsInf": row(truth),
    "Gelu": row(gelu),
    "Swish": row(swish),
    "SwiGLU": row(swiglu),
    "Clip": row(clip, 1, 2),
    "Add": row(several("add", arrays.ADD)),
    "Sub": row(several("subtract", arrays.SUB)),
    "Mul": row(several("multiply", arrays.MUL)),
    "Div": row(divide),
    "Mod": row(several("modulo", arrays.MOD)),
    "Pow": row(power),
    "Max": row(many("maximum", arrays.MAX)),
    "Min": row(many("minimum", arrays.MIN)),
    "Sum": row(many("add", arrays.ADD)),
    "Mean": row(several("average", least=1)),
    "Equal": row(several("compare", arrays.same, _TRUTH)),
    "Greater": row(several("compare", arrays.GREATER, _TRUTH)),
    "Less": row(several("compare", arrays.LESS, _TRUTH)),
    "GreaterOrEqual": row(several("compare", arrays.GREATER_OR_EQUAL, _TRUTH)),
    "LessOrEqual": row(several("compare", arrays.LESS_OR_EQUAL, _TRUTH)),
    "And": row(several("logical", arrays.both, _TRUTH)),
    "Or": row(several("logical", arrays.either, _TRUTH)),
    "Xor": row(several("logical", lambda a, b: None if None in (a, b) else bool(a) != bool(b), _TRUTH)),
    "BitShift": row(several("logical")),
    "BitwiseAnd": row(several("logical")),
    "BitwiseOr": row(several("logical")),
    "BitwiseXor": row(several("logical")),
    "Where": row(where),
    "RotaryEmbedding": row(rotary, 3),
    "Det": row(determinant),
    "Range": row(numbers, 0, 1, 2),
    "RandomNormal": row(drawn),
    "RandomUniform": row(drawn),
    "RandomNormalLike": row(like("fill"), 0),
    "RandomUniformLike": row(like("fill"), 0),
    "Bernoulli": row(truth),
    "EyeLike": row(like("fill"), 0),
    "Multinomial": row(multinomial),
}
