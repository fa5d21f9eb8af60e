"""Operators of the domain com.microsoft, which ONNX Runtime's exporters for language models write.

Source: ContribOperators.md of ONNX Runtime. An operator that does several computations is a container of
them, so that each is priced by its own formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, WEIGHT_AND_BIAS, Attrs, Part, Row, Step, floordiv, row

from flopledger_onnx.tables.elements import rotated
from flopledger_onnx.tables.movement import inferred
from flopledger_onnx.tables.products import attention_attrs, heads_of, product
from flopledger_onnx.tables.windows import conv, conv_attrs, global_pool, pool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Dim, Shape

    from flopledger_onnx.node import Call

_ACTIVATIONS: Mapping[str, str] = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "leakyrelu": "leaky_relu", "clip": "hard_tanh",
    "hardsigmoid": "hard_sigmoid", "gelu": "gelu", "fastgelu": "gelu_tanh", "silu": "silu", "swish": "silu",
    "quickgelu": "quick_gelu", "elu": "elu", "hardswish": "hard_swish",
}  # fmt: skip


def _activation(call: Call, name: str, shape: Shape) -> list[Part]:
    kind = _ACTIVATIONS.get(name.lower())
    if name and kind is None and name.lower() not in ("none", "identity"):
        raise call.error(f"has the activation {name!r}, which is none that is known")
    return [Part("activation", kind, {}, (shape,))] if kind else []


def _together(
    parts: list[Part], shapes: list[Shape | None], outputs: int, dtypes: tuple[str, ...] = ()
) -> Step:
    return Step(CONTAINER, parts=parts, shapes=shapes[: max(outputs, 1)], dtypes=dtypes)


def fused_matmul(call: Call) -> Step:
    """A product whose operands may be turned, or have their first axis in front of the batch.

    That axis is put behind the batch, (M, ..., K) to (..., M, K), before the last two change places.
    """
    step = product(call, 0, 1, (call.flag("transA"), call.flag("transB")))
    moved = [call.flag("transBatchA"), call.flag("transBatchB")]
    if not any(moved):
        return step
    rank = call.rank()
    if rank < 3 or call.rank(1) != rank:
        raise call.impossible("moves the first axis, so its inputs need as many axes, three at least")
    order = (*range(1, rank - 1), 0, rank - 1)
    operands: list[Shape] = [call.shape(0), call.shape(1)]
    parts = []
    for i, name in enumerate(("turn_a", "turn_b")):
        if moved[i]:
            parts.append(Part(name, "transpose", {"order": order}, (operands[i],)))
            operands[i] = tuple(operands[i][axis] for axis in order)
    out = inferred(call, "matmul", step.attrs, *operands)[0]
    return _together([*parts, Part("product", "matmul", step.attrs, operands)], [out], 1)


def fused_conv(call: Call) -> Step:
    """A convolution, a sum where there is a fourth input, and an activation."""
    step = conv()(call)
    out = inferred(call, "conv", step.attrs, call.shape())[0]
    parts = [Part("conv", "conv", step.attrs, (call.shape(),))]
    if call.has(3):
        parts.append(Part("add", "add", {}, (out, out)))
    return _together([*parts, *_activation(call, call.word("activation"), out)], [out], 1)


def fused_gemm(call: Call) -> Step:
    """Gemm and an activation."""
    step = product(call, 0, 1, (call.flag("transA"), call.flag("transB")), bias=call.has(2))
    operands = [call.shape(i) for i in step.operands or () if isinstance(i, int)]
    out = inferred(call, step.kind, step.attrs, *operands)[0]
    parts = [Part("gemm", step.kind, step.attrs, operands)]
    return _together([*parts, *_activation(call, call.word("activation"), out)], [out], 1)


def biased(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a bias, where there is one, and an activation."""

    def rule(call: Call) -> Step:
        shape = call.shape()
        if not call.has(1):
            return Step(kind, {}, (0,))
        parts = [Part("bias", "add", {}, (shape, call.shape(1))), Part("activation", kind, {}, (shape,))]
        return _together(parts, [shape], 1)

    return rule


def skip_norm(kind: str, shift: int = 3, bias: int = 4) -> Callable[[Call], Step]:
    """Return the rule of a sum of input, skip and bias, and its normalisation."""

    def rule(call: Call) -> Step:
        shape = call.shape()
        summed = [shape, call.shape(1), *([call.shape(bias)] if call.has(bias) else [])]
        attrs: Attrs = {"scale": True}
        if kind == "layer_norm":
            attrs["shift"] = call.has(shift)
        parts = [Part("add", "add", {}, summed), Part("norm", kind, attrs, (shape,))]
        rows = (*shape[:-1], 1)
        return _together(parts, [shape, rows, rows, shape], call.outputs)

    return rule


def embeddings(call: Call) -> Step:
    """EmbedLayerNormalization: embeddings of words, positions and segments, added and normalised."""
    ids, width = call.shape(), call.shape(2)[1]
    out = (*ids, width)
    tables = [i for i in (2, 3, 4) if call.has(i)]
    parts = [
        Part(name, "embedding", {"num_embeddings": call.shape(i)[0], "embedding_dim": width}, (ids,))
        for i, name in zip((2, 3, 4), ("words", "positions", "segments"), strict=True)
        if i in tables
    ]
    parts += [Part("add", "add", {}, (out,) * len(tables)), Part("norm", "layer_norm", {}, (out,))]
    return _together(parts, [out, (ids[0],), out], call.outputs, ("float32", "int32", "float32"))


def projected_attention(call: Call, width: Dim, *, bias: bool, mask: bool) -> Step:
    """One input is projected to query, key and value, which meet in heads.

    ``width`` is that of all three together; ``qkv_hidden_sizes`` gives each its own.
    """
    shape, heads = call.shape(), call.whole("num_heads")
    if len(shape) != 3 or heads < 1:
        raise call.impossible("needs an input of three axes and heads")
    sizes = call.wholes("qkv_hidden_sizes")
    each = floordiv(width, 3)
    query_width, key_width, value_width = sizes if sizes and len(sizes) == 3 else (each, each, each)
    past = call.shape(4)[3] if call.type == "Attention" and call.has(4) and call.rank(4) == 5 else 0
    steps = shape[1] + past
    query = (shape[0], heads, shape[1], floordiv(query_width, heads))
    key = (shape[0], heads, steps, floordiv(key_width, heads))
    value = (shape[0], heads, steps, floordiv(value_width, heads))
    attrs = attention_attrs(query, key, causal=call.flag("unidirectional"), mask=mask)
    parts = [
        Part("project", "linear", {"out_features": width, "bias": bias}, (shape,)),
        Part("attention", "attention", attrs, (query, key, value)),
    ]
    present = (2, shape[0], heads, steps, floordiv(key_width, heads))
    return _together(parts, [(*shape[:2], value_width), present], call.outputs)


def attention(call: Call) -> Step:
    """Attention: input, weights, bias, mask, past."""
    return projected_attention(call, call.shape(1)[-1], bias=call.has(2), mask=call.has(3))


def multi_head(call: Call) -> Step:
    """MultiHeadAttention: query, key, value, bias, padding mask, attention bias, past key and value.

    The query may hold all three, (B, L, H, 3, E), the key both, (B, S, H, 2, E); keys and values that
    have four axes already are those of cross-attention, (B, H, S, E).
    """
    heads, query = call.whole("num_heads"), call.shape()
    if len(query) == 5:
        query = (query[0], heads, query[1], query[4])
        key: Shape = query
        value: Shape = query
    else:
        query = heads_of(call, query, heads)
        key, value = _keys(call, heads)
    if call.has(6):
        past = call.shape(6)[2]
        key, value = (*key[:2], key[2] + past, key[3]), (*value[:2], value[2] + past, value[3])
    mask = call.has(4) or call.has(5)
    attrs = attention_attrs(query, key, causal=call.flag("unidirectional"), mask=mask)
    width = heads * value[3]
    parts = [Part("attention", "attention", attrs, (query, key, value))]
    if call.has(3):
        rows = (query[0], query[2], heads * query[3])
        parts.insert(0, Part("bias", "add", {}, (rows, rows[-1:])))
    out = (query[0], query[2], width)
    return _together(parts, [out, key, value, (*query[:3], key[2])], call.outputs)


def _keys(call: Call, heads: int) -> tuple[Shape, Shape]:
    """Return the shapes of key and value, (B, H, S, E)."""
    if not call.has(1):
        raise call.impossible("has neither a key nor a packed query")
    key = call.shape(1)
    if len(key) == 5:
        packed = (key[0], heads, key[1], key[4])
        return packed, packed
    key = key if len(key) == 4 else heads_of(call, key, heads)
    if not call.has(2):
        return key, key
    value = call.shape(2)
    return key, value if len(value) == 4 else heads_of(call, value, heads)


def grouped(call: Call) -> Step:
    """GroupQueryAttention: query, key, value, past key and value, lengths, tables of cosines and sines.

    Several heads of the query share a key and a value; the attention is causal. Without a key the query
    holds all three side by side. Past keys take part in full.
    """
    heads, shared, shape = call.whole("num_heads"), call.whole("kv_num_heads"), call.shape()
    if heads < 1 or shared < 1 or len(shape) != 3:
        raise call.impossible("needs a query of three axes and heads")
    if call.has(1):
        query = heads_of(call, shape, heads)
        key, value = (heads_of(call, call.shape(i), shared) for i in (1, 2))
    else:
        size = floordiv(shape[2], heads + 2 * shared)
        query, key = (shape[0], heads, shape[1], size), (shape[0], shared, shape[1], size)
        value = key
    if call.has(3) and call.rank(3) == 4:
        past = call.shape(3)[2]
        key, value = (*key[:2], key[2] + past, key[3]), (*value[:2], value[2] + past, value[3])
    attrs = attention_attrs(query, key, causal=True, mask=call.has(10))
    parts = []
    if call.flag("do_rotary"):
        turned = (key[0], key[1], query[2], key[3])
        parts = [Part(f"rotate_{name}", "multiply_add", {"scaled": True}, (s,)) for name, s in
                 (("query", query), ("key", turned))]  # fmt: skip
    parts.append(Part("attention", "attention", attrs, (query, key, value)))
    return _together(parts, [(shape[0], shape[1], heads * value[3]), key, value], call.outputs)


def rotary(call: Call) -> Step:
    """RotaryEmbedding: input, positions, tables of cosines and sines."""
    return rotated(call, call.whole("rotary_embedding_dim", 0), call.whole("num_heads", 0))


def packed_matmul(call: Call) -> Step:
    """MatMulNBits: a dense layer whose weight is packed into few bits, (N, blocks, bytes)."""
    rows, columns = call.whole("K"), call.whole("N")
    shape = call.shape()
    if not shape or (isinstance(shape[-1], int) and shape[-1] != rows):
        raise call.impossible(f"has vectors of {shape[-1] if shape else 0} and a weight for {rows}")
    return Step("linear", {"out_features": columns, "bias": call.has(5)}, (0,))


def experts(call: Call) -> Step:
    """MoE: each row goes to the ``k`` experts that it scores highest, dense layers with an activation.

    The weights are (experts, width, hidden) or (experts, hidden, width) and back, since releases turned
    them; the rows that reach an expert differ, their sum does not: rows times k.
    """
    shape, scores, packed = call.shape(), call.shape(1), call.type == "QMoE"
    first = call.shape(2)
    width = shape[-1]
    rows: Dim = call.whole("k", 1)
    for size in shape[:-1]:
        rows = rows * size
    outer = first[1:] if not packed else (first[1], width)
    hidden = outer[0] if outer[1] == width else outer[1]
    gated = call.word("activation_type", "relu") == "swiglu"
    into = floordiv(hidden, 2) if gated else hidden
    third = 8 if packed else 6
    name = "silu" if gated else call.word("activation_type", "relu")
    parts = [
        Part("choose", "top_k", {"size": call.whole("k", 1)}, (scores,)),
        Part(
            "fc1", "linear", {"out_features": hidden, "bias": call.has(4 if packed else 3)}, ((rows, width),)
        ),
        *_activation(call, name, (rows, into)),
        Part("fc2", "linear", {"out_features": width, "bias": call.has(7 if packed else 5)}, ((rows, into),)),
    ]
    if call.has(third):
        parts.insert(2, Part("fc3", "linear", {"out_features": into}, ((rows, width),)))
    if gated or call.has(third):
        parts.insert(-1, Part("gate", "multiply", {}, ((rows, into), (rows, into))))
    parts.append(Part("weigh", "multiply", {}, ((rows, width), (rows, 1))))
    return _together(parts, [shape], 1)


def group_norm(call: Call) -> Step:
    """GroupNorm and SkipGroupNorm: channels last by default, with SiLU where ``activation`` is 1."""
    shape = call.shape()
    axis = -1 if call.flag("channels_last", default=True) else 1
    skip = call.type == "SkipGroupNorm"
    parts = [Part("norm", "group_norm", {"groups": call.whole("groups"), "axis": axis}, (shape,))]
    if skip:
        parts.insert(0, Part("add", "add", {}, (shape, call.shape(3))))
    if call.flag("activation"):
        parts.append(Part("activation", "silu", {}, (shape,)))
    return _together(parts, [shape, shape], call.outputs)


def gated_gelu(call: Call) -> Step:
    """BiasSplitGelu: a bias, then one half gated by the gelu of the other."""
    shape = call.shape()
    half = (*shape[:-1], floordiv(shape[-1], 2))
    parts = [
        Part("bias", "add", {}, (shape, call.shape(1))),
        Part("activation", "gelu", {}, (half,)),
        Part("gate", "multiply", {}, (half, half)),
    ]
    return _together(parts, [half], 1)


def biased_add(_: Call) -> Step:
    """BiasAdd: input, bias and skip."""
    return Step("add", {}, (0, 1, 2))


def biased_softmax(call: Call) -> Step:
    """BiasSoftmax: a mask is added, then softmax."""
    shape = call.shape()
    parts = [Part("add", "add", {}, (shape, call.shape(1))), Part("softmax", "softmax", {}, (shape,))]
    return _together(parts, [shape], 1)


def rms(call: Call) -> Step:
    """SimplifiedLayerNormalization: divided by the root mean square."""
    axis = call.axis(call.whole("axis", -1), call.rank())
    return Step("rms_norm", {"axis": axis}, (0,))


def packed_gather(call: Call) -> Step:
    """GatherBlockQuantized: rows of a packed table, made real: (..., width)."""
    table, indices = call.shape(), call.shape(1)
    axis = call.axis(call.whole("gather_axis", 0), len(table))
    bits = call.whole("bits", 4)
    packed = 8 // bits if call.value(0).dtype == "uint8" and bits in (2, 4) else 1
    width = table[-1] * packed
    out = (*table[:axis], *indices, *table[axis + 1 : -1], width)
    attrs: Attrs = {"num_embeddings": table[axis], "embedding_dim": width}
    parts = [Part("gather", "embedding", attrs, (indices,)), Part("dequantize", "dequantize", {}, (out,))]
    return _together(parts, [out], 1, (call.value(2).dtype,))


def nhwc_conv(call: Call) -> Step:
    """A convolution with the channels last; the weight stays (C_out, C_in / group, kernel)."""
    shape = call.shape()
    attrs = {**conv_attrs(call, shape[-1:]), "channels_last": True}
    out = inferred(call, "conv", attrs, shape)[0]
    activation = _activation(call, call.word("activation"), out)
    if not activation:
        return Step("conv", attrs, (0,))
    return _together([Part("conv", "conv", attrs, (shape,)), *activation], [out], 1)


_NORM: Mapping[int, str] = {2: "scale", 3: "shift", 4: "bias"}

_ROWS: Mapping[str, Row[Call]] = {
    "Attention": row(attention, 3, 4, 6, weights=WEIGHT_AND_BIAS),
    "MultiHeadAttention": row(multi_head, 4, 6, 7, 8, 9, weights={3: "bias"}),
    "GroupQueryAttention": row(grouped, 3, 4, 5, 6, 9, 12, 13, weights={11: "weight"}),
    "RotaryEmbedding": row(rotary, 1),
    "MatMulNBits": row(packed_matmul, 2, 3, 4, weights={1: "weight", 5: "bias"}),
    "MatMulBnb4": row(packed_matmul, 2, weights={1: "weight"}),
    "FusedMatMul": row(fused_matmul),
    "TransposeMatMul": row(fused_matmul),
    "FusedConv": row(fused_conv, weights=WEIGHT_AND_BIAS),
    "NhwcFusedConv": row(nhwc_conv, weights=WEIGHT_AND_BIAS),
    "FusedGemm": row(fused_gemm, weights=WEIGHT_AND_BIAS),
    "NhwcMaxPool": row(pool("max_pool", channels_last=True)),
    "GlobalAveragePool": row(global_pool("avg_pool", channels_last=True)),
    "Gelu": row(biased("gelu")),
    "BiasGelu": row(biased("gelu"), weights={1: "bias"}),
    "FastGelu": row(biased("gelu_tanh"), weights={1: "bias"}),
    "QuickGelu": row(biased("quick_gelu")),
    "BiasSplitGelu": row(gated_gelu, weights={1: "bias"}),
    "BiasAdd": row(biased_add, weights={1: "bias"}),
    "BiasSoftmax": row(biased_softmax),
    "SkipLayerNormalization": row(skip_norm("layer_norm"), weights=_NORM),
    "SkipSimplifiedLayerNormalization": row(skip_norm("rms_norm", bias=3), weights={2: "scale", 3: "bias"}),
    "SimplifiedLayerNormalization": row(rms, weights={1: "scale"}),
    "EmbedLayerNormalization": row(
        embeddings, 0, 1, 7, 8, weights={2: "weight", 3: "weight", 4: "weight", 5: "scale", 6: "shift"}
    ),
    "GroupNorm": row(group_norm, weights={1: "scale", 2: "shift"}),
    "SkipGroupNorm": row(group_norm, weights={1: "scale", 2: "shift", 4: "bias"}),
    "MoE": row(experts, weights={2: "weight", 3: "bias", 4: "weight", 5: "bias", 6: "weight", 7: "bias"}),
    "QMoE": row(
        experts, 3, 6, 9,
        weights={2: "weight", 4: "bias", 5: "weight", 7: "bias", 8: "weight", 10: "bias"},
    ),
    "GatherBlockQuantized": row(packed_gather, 1, 2, 3, weights={0: "weight"}),
}  # fmt: skip

ROWS: Mapping[str, Row[Call]] = {f"com.microsoft.{name}": rule for name, rule in _ROWS.items()}
