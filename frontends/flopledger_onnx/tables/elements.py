"""Operators element by element, reductions, scans and transforms. Source: onnx.ai/onnx/operators.

Where every operand is known, so is the result: it is arithmetic on sizes, and counts as such.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import ceildiv, floordiv, is_symbolic
from flopledger.graph.tables import CONTAINER

from flopledger_onnx import arrays
from flopledger_onnx.arrays import Array
from flopledger_onnx.tables.row import Attrs, Part, Row, Step, row
from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.dims.arithmetic import Shape

    from flopledger_onnx.arrays import Item
    from flopledger_onnx.node import Call

_TRUTH = "bool"


def folded(call: Call, function: Callable[..., Item], dtype: str = "") -> Step | None:
    """Return the step of a node whose operands are all known, or None."""
    known = call.folded()
    found = None if known is None else arrays.mapped(function, *known)
    if found is None:
        return None
    dtypes = (dtype or call.value(0).dtype,)
    return Step(
        "index_arithmetic", {"shape": found.shape}, None, [found.shape], dtypes=dtypes, arrays=[found]
    )


def one(kind: str, function: Callable[[Item], Item] | None = None) -> Callable[[Call], Step]:
    """Return the rule of a function of one operand."""

    def rule(call: Call) -> Step:
        step = folded(call, function) if function is not None else None
        return step or Step(kind, {}, (0,))

    return rule


def several(
    kind: str, function: Callable[..., Item] | None = None, dtype: str = ""
) -> Callable[[Call], Step]:
    """Return the rule of a function of operands that are broadcast."""

    def rule(call: Call) -> Step:
        step = folded(call, function, dtype) if function is not None else None
        return step or Step(kind, {}, dtypes=(dtype,) if dtype else ())

    return rule


def many(kind: str, function: Callable[[Item, Item], Item]) -> Callable[[Call], Step]:
    """Return the rule of a function of any number of operands, joined two by two."""

    def join(*items: Item) -> Item:
        found = items[0]
        for item in items[1:]:
            found = function(found, item)
        return found

    return several(kind, join)


def truth(call: Call) -> Step:
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


def clip(call: Call) -> Step:
    """Kept between two bounds; with 0 and 6 it is what exporters make of ReLU6."""
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
    turned = shape
    if size > 0:
        turned = (*shape[:-1], size) if len(shape) == 4 else (*shape[:-1], size * max(heads, 1))
    return Step("multiply_add", {"scaled": True}, (turned,), [shape])


def reduction(kind: str, attrs: Attrs | None = None) -> Callable[[Call], Step]:
    """Return the rule of a reduction; its axes are an attribute, or later an input."""

    def rule(call: Call) -> Step:
        known = _reduced(call, kind)
        if known is not None:
            return known
        given = call.axes("axes", 1, call.rank())
        if not given and call.flag("noop_with_empty_axes"):
            return Step("identity", {}, (0,))
        full: Attrs = {
            **(attrs or {}),
            "axes": given or None,
            "keep_dims": call.flag("keepdims", default=True),
        }
        return Step(kind, full, (0,))

    return rule


_JOINS: Mapping[str, Callable[[Item, Item], Item]] = {
    "reduce_prod": arrays.MUL, "reduce_sum": arrays.ADD, "reduce_max": arrays.MAX, "reduce_min": arrays.MIN,
}  # fmt: skip


def _reduced(call: Call, kind: str) -> Step | None:
    """Return the step of a vector of sizes that is joined into one: a product of sizes is an exporter's."""
    known = call.value(0).known()
    if known is None or len(known.shape) > 1 or kind not in _JOINS or not known.items:
        return None
    found = known.items[0]
    for item in known.items[1:]:
        found = _JOINS[kind](found, item)
    shape = (1,) * len(known.shape) if call.flag("keepdims", default=True) else ()
    array = Array(shape, (found,))
    return Step("index_arithmetic", {"shape": shape}, (0,), [shape], arrays=[array])


def log_sum(call: Call) -> Step:
    """The logarithm of a sum."""
    axes, keep = call.axes("axes", 1, call.rank()), call.flag("keepdims", default=True)
    reduce: Attrs = {"axes": axes or None, "keep_dims": keep}
    shape = call.shape()
    picked = axes or tuple(range(len(shape)))
    out = tuple(1 if i in picked else n for i, n in enumerate(shape) if keep or i not in picked)
    parts = (Part("sum", "reduce_sum", reduce, (shape,)), Part("log", "log", {}, (out,)))
    return Step(CONTAINER, parts=parts, shapes=[out])


def arg_extreme(call: Call) -> Step:
    """The place of the largest or smallest element along an axis."""
    axis = call.axis(call.whole("axis", 0), call.rank())
    attrs: Attrs = {"axes": (axis,), "keep_dims": call.flag("keepdims", default=True)}
    return Step("arg_max", attrs, (0,), dtypes=("int64",))


def top_k(call: Call) -> Step:
    """The largest elements along an axis, and their places."""
    size = call.dims(1)[0] if call.has(1) else call.whole("k")
    axis = call.axis(call.whole("axis", -1), call.rank())
    return Step("top_k", {"size": size, "axis": axis}, (0,), dtypes=(call.value(0).dtype, "int64"))


def scan(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a running sum or product."""

    def rule(call: Call) -> Step:
        known = call.value(0).known()
        step = Step(kind, {"axis": call.axis(call.dims(1)[0], call.rank())}, (0,))
        if known is None or kind != "cumsum" or len(known.shape) != 1:
            return step
        sums, found = [], 0
        for item in known.items:
            sums.append(found := arrays.ADD(found, item))  # type: ignore[assignment]
        return Step(
            "index_arithmetic", {"shape": known.shape}, (0,), [known.shape], arrays=[arrays.vector(sums)]
        )

    return rule


def dft(call: Call) -> Step:
    """A discrete Fourier transform; the last axis is the real and imaginary part, or the real one alone."""
    shape = call.shape()
    rank = len(shape)
    axis = call.axis(
        call.whole("axis", 1) if call.opset < 20 else call.dims(2)[0] if call.has(2) else -2, rank
    )
    points = call.dims(1)[0] if call.has(1) and call.value(1).shape != (0,) else shape[axis]
    onesided, real, inverse = call.flag("onesided"), shape[-1] == 1, call.flag("inverse")
    signal = tuple(points if i == axis else n for i, n in enumerate(shape[:-1]))
    half = tuple(floordiv(points, 2) + 1 if i == axis else n for i, n in enumerate(signal))
    if inverse and onesided:
        attrs: Attrs = {"axes": (axis,), "real": "output", "size": points}
        return Step("fft", attrs, (signal,), [(*signal, 1)])
    attrs = {"axes": (axis,), "real": "input" if real else "neither", "scaled": inverse}
    if real:
        attrs["onesided"] = onesided
    return Step("fft", attrs, (signal,), [(*(half if onesided else signal), 2)])


def stft(call: Call) -> Step:
    """Windows of a signal, each multiplied by the window function and transformed."""
    shape, step = call.shape(), call.dims(1)[0]
    length = call.dims(3)[0] if call.has(3) else call.shape(2)[0]
    if len(shape) < 2:
        raise call.impossible("needs a batch of signals")
    frames = floordiv(shape[1] - length, step) + 1
    onesided = call.flag("onesided", default=True)
    real = len(shape) == 2 or shape[2] == 1
    windows = (shape[0], frames, length)
    attrs: Attrs = {"axes": (2,), "real": "input" if real else "neither"}
    if real:
        attrs["onesided"] = onesided
    parts = [Part("transform", "fft", attrs, (windows,))]
    if call.has(2):
        parts.insert(0, Part("window", "multiply", {}, (windows, (length,))))
    bins = floordiv(length, 2) + 1 if onesided else length
    return Step(CONTAINER, parts=parts, shapes=[(shape[0], frames, bins, 2)])


def window(terms: int) -> Callable[[Call], Step]:
    """Return the rule of a window function: a sum of cosines, as many as there are terms."""

    def rule(call: Call) -> Step:
        size = call.dims(0)[0]
        dtype = type_name(call.whole("output_datatype", 1))
        part = Part("cosines", "cos", {}, ((terms, size),))
        return Step(CONTAINER, parts=(part,), shapes=[(size,)], dtypes=(dtype,))

    return rule


def mel_weights(call: Call) -> Step:
    """The table of a mel filter bank, worked out from five numbers: no data."""
    bands, points = call.dims(0)[0], call.dims(1)[0]
    shape = (floordiv(points, 2) + 1, bands)
    return Step("fill", {"shape": shape}, (), [shape], dtypes=(type_name(call.whole("output_datatype", 1)),))


def determinant(_: Call) -> Step:
    """Determinants of matrices."""
    return Step("det", {}, (0,))


def numbers(call: Call) -> Step:
    """Range: whole numbers from a start to a limit, or real ones."""
    start, limit, step = (call.array(i).items[0] for i in range(3))
    count: Item
    if any(is_symbolic(item) for item in (start, limit, step)):
        difference = arrays.SUB(limit, start)
        count = ceildiv(difference, step) if isinstance(step, int) and step > 0 else None  # type: ignore[arg-type]
    else:
        count = max(math.ceil((limit - start) / step), 0) if step else None  # type: ignore[operator]
    array = None
    if isinstance(count, int) and count <= arrays.MOST_ITEMS:
        array = arrays.vector(arrays.ADD(start, arrays.MUL(i, step)) for i in range(count))
    if count is None:
        raise call.impossible(f"counts from {start} to {limit} by {step}")
    shape: Shape = (count,)  # type: ignore[assignment]
    return Step("index_arithmetic", {"shape": shape}, (), [shape], arrays=[array])


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


_UNARY: Mapping[str, str] = {
    "Abs": "abs", "Acos": "special", "Acosh": "special", "Asin": "special", "Asinh": "special",
    "Atan": "special", "Atanh": "special", "Celu": "celu", "Cos": "cos", "Cosh": "special", "Elu": "elu",
    "Erf": "erf", "Exp": "exp", "HardSigmoid": "hard_sigmoid", "HardSwish": "hard_swish",
    "LeakyRelu": "leaky_relu", "Log": "log", "Mish": "mish", "PRelu": "prelu", "Reciprocal": "reciprocal",
    "Relu": "relu", "Selu": "selu", "Shrink": "soft_shrink", "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin",
    "Sinh": "special", "Softplus": "softplus", "Softsign": "softsign", "Tan": "special", "Tanh": "tanh",
    "ThresholdedRelu": "threshold", "BitwiseNot": "logical",
}  # fmt: skip

_REDUCTIONS: Mapping[str, tuple[str, Attrs]] = {
    "ReduceL1": ("reduce_asum", {}),
    "ReduceL2": ("vector_norm", {}),
    "ReduceLogSumExp": ("logsumexp", {}),
    "ReduceMax": ("reduce_max", {}),
    "ReduceMean": ("reduce_mean", {}),
    "ReduceMin": ("reduce_min", {}),
    "ReduceProd": ("reduce_prod", {}),
    "ReduceSum": ("reduce_sum", {}),
    "ReduceSumSquare": ("reduce_sumsq", {}),
}

ROWS: Mapping[str, Row] = {
    **{name: row(one(kind)) for name, kind in _UNARY.items()},
    **{name: row(reduction(kind, attrs), 1) for name, (kind, attrs) in _REDUCTIONS.items()},
    "PRelu": row(one("prelu"), weights={1: "weight"}),
    "Sqrt": row(
        one("sqrt", lambda item: math.sqrt(item) if isinstance(item, (int, float)) and item >= 0 else None)
    ),
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
    "Div": row(several("divide", arrays.DIV)),
    "Mod": row(several("modulo", arrays.MOD)),
    "Pow": row(power),
    "Max": row(many("maximum", arrays.MAX)),
    "Min": row(many("minimum", arrays.MIN)),
    "Sum": row(many("add", arrays.ADD)),
    "Mean": row(several("average")),
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
    "RotaryEmbedding": row(rotary, 1, 2, 3),
    "ReduceLogSum": row(log_sum, 1),
    "ArgMax": row(arg_extreme),
    "ArgMin": row(arg_extreme),
    "TopK": row(top_k, 1),
    "CumSum": row(scan("cumsum"), 1),
    "CumProd": row(scan("cumprod"), 1),
    "DFT": row(dft, 1, 2),
    "STFT": row(stft, 1, 3),
    "HannWindow": row(window(1), 0),
    "HammingWindow": row(window(1), 0),
    "BlackmanWindow": row(window(2), 0),
    "MelWeightMatrix": row(mel_weights, 0, 1, 2, 3, 4),
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
