"""Operators that are sums of products: dense layers, matrix products, attention, recurrent layers.

Source: onnx.ai/onnx/operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, WEIGHT, WEIGHT_AND_BIAS, Attrs, Part, Row, Step, floordiv, row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Dim, Shape

    from flopledger_onnx.node import Call


def gemm(call: Call) -> Step:
    """``A' B' + C``; with a constant B it is a dense layer."""
    return product(call, 0, 1, turn=(call.flag("transA"), call.flag("transB")), bias=call.has(2))


def product(
    call: Call, left: int, right: int, turn: tuple[bool, bool] = (False, False), *, bias: bool = False
) -> Step:
    """A matrix product of two inputs; with a constant matrix on the right it is a dense layer."""
    a, b = call.shape(left), call.shape(right)
    if not a or not b:
        raise call.impossible("multiplies a scalar, expected a vector or a matrix")
    if len(b) == 2 and not turn[0] and call.value(right).constants and not call.value(left).constants:
        rows, columns = (b[1], b[0]) if turn[1] else b
        if a[-1] != rows and isinstance(a[-1], int) and isinstance(rows, int):
            raise call.impossible(f"has vectors of {a[-1]} and a weight for {rows}")
        return Step("linear", {"out_features": columns, "bias": bias}, (left,))
    attrs: Attrs = {"bias": bias}
    if turn[0]:
        attrs["transpose_a"] = True
    if turn[1]:
        attrs["transpose_b"] = True
    return Step("matmul", attrs, (left, right))


def matmul(left: int = 0, right: int = 1, dtype: str = "") -> Callable[[Call], Step]:
    """Return the rule of a matrix product of these inputs."""

    def rule(call: Call) -> Step:
        step = product(call, left, right)
        return Step(step.kind, step.attrs, step.operands, dtypes=(dtype,) if dtype else ())

    return rule


def _letters(call: Call, equation: str) -> str:
    """Return an equation without blanks and dots, and with its result spelled out."""
    equation = equation.replace(" ", "")
    terms, arrow, result = equation.partition("->")
    words = terms.split(",")
    if len(words) != len(call.shapes()):
        raise call.impossible(f"has {len(call.shapes())} inputs for the equation {equation!r}")
    used = set(equation) - set(".,->")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in used]
    dots = [len(s) - len(w) + 3 for w, s in zip(words, call.shapes(), strict=True) if "..." in w]
    most = max(dots, default=0)
    if any(n < 0 for n in dots) or most > len(free):
        raise call.impossible(f"has inputs that don't fit the equation {equation!r}")
    written = []
    for word, shape in zip(words, call.shapes(), strict=True):
        letters = free[most - (len(shape) - len(word) + 3) : most] if "..." in word else []
        written.append(word.replace("...", "".join(letters)))
    if not arrow:
        together = "".join(words).replace(".", "")
        result = "..." * bool(dots) + "".join(sorted(c for c in set(together) if together.count(c) == 1))
    return f"{','.join(written)}->{result.replace('...', ''.join(free[:most]))}"


def einsum(call: Call) -> Step:
    """A product whose axes are named by letters."""
    return Step("einsum", {"equation": _letters(call, call.word("equation"))})


def heads_of(call: Call, shape: Shape, heads: int) -> Shape:
    """Return (batch, steps, heads features) as (batch, heads, steps, features)."""
    if heads < 1:
        raise call.impossible(f"has {heads} heads, expected 1 or more")
    if len(shape) != 3:
        raise call.impossible(f"has an input of {len(shape)} axes, expected 3 or 4")
    batch, steps, width = shape
    if isinstance(width, int) and width % heads:
        raise call.impossible(f"has {width} features, which {heads} heads don't divide")
    return (batch, heads, steps, floordiv(width, heads))


def attention(call: Call) -> Step:
    """Attention (from opset 23): Q, K, V of three or four axes, a mask, and past keys and values."""
    query, key, value = call.shape(0), call.shape(1), call.shape(2)
    flat = len(query) == 3
    if flat:
        query = heads_of(call, query, call.whole("q_num_heads"))
        key, value = (heads_of(call, s, call.whole("kv_num_heads")) for s in (key, value))
    if call.has(4):
        past = call.shape(4)[2]
        key, value = (*key[:2], key[2] + past, key[3]), (*value[:2], value[2] + past, value[3])
    attrs = attention_attrs(query, key, causal=call.flag("is_causal"), mask=call.has(3))
    lead, steps, features = query[:2], query[2], value[3]
    out: Shape = (*lead, steps, features)
    if flat:
        out = (lead[0], steps, lead[1] * features)
    scores = (*lead, steps, key[2])
    part = Part("attention", "attention", attrs, (query, key, value))
    shapes = [out, key, value, scores][: max(call.outputs, 1)]
    if flat or call.has(4):
        return Step(CONTAINER, parts=(part,), shapes=shapes)
    return Step("attention", attrs, (0, 1, 2), shapes)


def attention_attrs(query: Shape, key: Shape, *, causal: bool, mask: bool) -> Attrs:
    """Return the attributes; several heads of the query may share one key and value."""
    grouped = query[1] != key[1]
    return {"causal": causal, "mask": mask, "grouped": grouped}


def linear_attention(call: Call) -> Step:
    """LinearAttention (opset 27): in each step a state ``S += k v^T`` and an output ``S^T q``.

    Each product takes E E_v multiply-accumulates in each head; the delta rules also read ``S^T k``, the value
    that the state already holds for the key.
    """
    query = heads_of(call, call.shape(0), call.whole("q_num_heads"))
    key, value = (heads_of(call, call.shape(i), call.whole("kv_num_heads")) for i in (1, 2))
    batch, heads, steps, size = query
    features, shared = value[3], key[1]
    written, read = batch * shared * steps, batch * heads * steps
    parts = [
        Part("update", "matmul", {}, ((written, size, 1), (written, 1, features))),
        Part("output", "matmul", {}, ((read, 1, size), (read, size, features))),
    ]
    if call.word("update_rule", "linear") in ("delta", "gated_delta"):
        parts.insert(0, Part("recall", "matmul", {}, ((written, 1, size), (written, size, features))))
    out, state = (batch, steps, heads * features), (batch, shared, size, features)
    return Step(CONTAINER, parts=parts, shapes=[out, state][: max(call.outputs, 1)])


def causal_conv(call: Call) -> Step:
    """CausalConvWithState (opset 27): a depthwise convolution of the past steps and these."""
    shape, weight = call.shape(), call.shape(1)
    if len(shape) != 3 or len(weight) != 3:
        raise call.impossible("needs an input and a weight of three axes")
    batch, channels, steps = shape
    kept = weight[2] - 1
    attrs: Attrs = {"kernel": weight[2:], "out_channels": channels, "groups": channels, "bias": call.has(2)}
    parts = [Part("conv", "conv", attrs, ((batch, channels, steps + kept),))]
    if call.word("activation", "none") in ("silu", "swish"):
        parts.append(Part("activation", "silu", {}, (shape,)))
    shapes: list[Shape] = [shape, (batch, channels, kept)]
    return Step(CONTAINER, parts=parts, shapes=shapes[: max(call.outputs, 1)])


_NONLINEAR: Mapping[str, str] = {
    "Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid", "HardSigmoid": "hard_sigmoid",
    "LeakyRelu": "leaky_relu", "ThresholdedRelu": "threshold", "Elu": "elu", "Softsign": "softsign",
    "Softplus": "softplus",
}  # fmt: skip


def recurrent(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a recurrent layer; W is (directions, gates H, I), R (directions, gates H, H)."""

    def rule(call: Call) -> Step:
        shape, weight, again = call.shape(), call.shape(1), call.shape(2)
        if len(shape) != 3 or len(weight) != 3 or len(again) != 3:
            raise call.impossible("needs an input and two weights of three axes each")
        if weight[2] != shape[2] and isinstance(weight[2], int) and isinstance(shape[2], int):
            raise call.impossible(f"has steps of {shape[2]} features and a weight for {weight[2]}")
        return recurrent_step(call, kind, weight[0], again[2])

    return rule


def recurrent_step(call: Call, kind: str, directions: Dim, hidden: Dim) -> Step:
    """Return the step of a recurrent layer; its outputs are the steps' states and the last ones."""
    shape = call.shape()
    batch_first = call.flag("layout")
    attrs: Attrs = {
        "hidden_size": hidden,
        "biases": 2 if call.has(3) else 0,
        "directions": directions,
        "batch_first": batch_first,
    }
    names = call.attributes.get("activations")
    if names is not None and names.strings:
        # The new state's function is the first of an RNN, the second of an LSTM and of a GRU.
        position = 0 if kind == "rnn" else 1
        name = names.strings[min(position, len(names.strings) - 1)].decode("utf-8", "replace")
        attrs["nonlinearity"] = _NONLINEAR.get(name, "tanh")
    if kind == "gru":
        attrs["reset_after"] = call.flag("linear_before_reset")
    steps, batch = (shape[1], shape[0]) if batch_first else shape[:2]
    state = (batch, directions, hidden) if batch_first else (directions, batch, hidden)
    out = (batch, steps, directions, hidden) if batch_first else (steps, directions, batch, hidden)
    return Step(kind, attrs, (0,), [out, state, state][: max(call.outputs, 1)])


_RECURRENT: Mapping[int, str] = {1: "weight", 2: "weight", 3: "bias", 7: "weight"}

ROWS: Mapping[str, Row[Call]] = {
    "Gemm": row(gemm, weights=WEIGHT_AND_BIAS),
    "MatMul": row(matmul()),
    "MatMulInteger": row(matmul(dtype="int32"), 2, 3, weights=WEIGHT),
    "QLinearMatMul": row(matmul(0, 3), 1, 2, 4, 5, 6, 7, weights={3: "weight"}),
    "Einsum": row(einsum),
    "Attention": row(attention, 4, 5, 6),
    "LinearAttention": row(linear_attention, 3),
    "CausalConvWithState": row(causal_conv, 3, weights=WEIGHT_AND_BIAS),
    "LSTM": row(recurrent("lstm"), 4, 5, 6, weights=_RECURRENT),
    "GRU": row(recurrent("gru"), 4, 5, weights=_RECURRENT),
    "RNN": row(recurrent("rnn"), 4, 5, weights=_RECURRENT),
}
