"""Dense layers, matrix products, embeddings, attention and recurrent layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import TensorRef
from flopledger.frontend import einsum as contraction

from flopledger_torch.tables.call import Meaning, Rule, TorchCall, whole

if TYPE_CHECKING:
    from flopledger.frontend import Dim, Value


def linear_module(call: TorchCall) -> Meaning:
    """torch.nn.Linear."""
    out = call.out[-1] if call.out else 0
    return Meaning("linear", {"out_features": out, "bias": call.own("bias") is not None}, call.first)


def linear_call(call: TorchCall) -> Meaning:
    """torch.nn.functional.linear; a weight of one axis is a vector."""
    weight = call.shape("weight")
    if len(weight) == 1:
        return Meaning("matmul", {"bias": call.has("bias")}, call.refs("input", "weight"))
    return Meaning("linear", {"out_features": weight[0], "bias": call.has("bias")}, call.first)


def bilinear(call: TorchCall) -> Meaning:
    """torch.nn.Bilinear, and the function."""
    bias = call.own("bias") is not None or call.has("bias")
    return Meaning("bilinear", {"out_features": call.out[-1], "bias": bias}, tuple(call.inputs[:2]))


def matmul(call: TorchCall) -> Meaning | None:
    """torch.matmuland its variants: the first two tensors."""
    return Meaning("matmul", {}, tuple(call.inputs[:2])) if len(call.inputs) >= 2 else None


def vecdot(call: TorchCall) -> Meaning | None:
    """torch.linalg.vecdot: one dot product along an axis for each pair of vectors; the others broadcast."""
    if len(call.inputs) < 2:
        return None
    ranks = [len(call.tensors.shapes[i]) for i in call.inputs[:2]]
    rank = max(ranks)
    letters = "abcdefghijklmnopqrstuvwxyz"[:rank]
    axis = whole(call.get("dim"), -1)
    summed = rank + axis if axis < 0 else axis  # torch counts it in the broadcast shape
    if not 0 <= summed < rank:
        return None
    terms = [letters[rank - own :] for own in ranks]
    result = letters[:summed] + letters[summed + 1 :]
    return Meaning("einsum", {"equation": f"{terms[0]},{terms[1]}->{result}"}, tuple(call.inputs[:2]))


def conv_tbc(call: TorchCall) -> Meaning:
    """torch.conv_tbc, whose axes are time, batch and channels."""
    return Meaning("conv_tbc", {"padding": whole(call.get("pad"), 0)}, tuple(call.inputs[:2]))


def packed_linear(call: TorchCall) -> Meaning | None:
    """A dense layer whose weight has a layout of its own: the result has its number of columns."""
    if not call.out or not call.input_shape:
        return None
    return Meaning("linear", {"out_features": call.out[-1], "bias": call.has("bias")}, call.first)


def matmul_turned(call: TorchCall) -> Meaning | None:
    """``__rmatmul__``, whose operands come the other way round."""
    return Meaning("matmul", {}, tuple(call.inputs[1::-1])) if len(call.inputs) >= 2 else None


def added(first: str, second: str) -> Rule:
    """Return the rule of torch.addmmand its variants: a product of two of the arguments, and an addend."""

    def rule(call: TorchCall) -> Meaning | None:
        operands = call.refs(first, second)
        if len(operands) != 2:
            return None
        return Meaning("matmul", {"bias": call.get("beta", 1) != 0}, operands)

    return rule


def added_stack(call: TorchCall) -> Meaning:
    """torch.addbmm, the sum of a stack of products, and an addend."""
    attrs: dict[str, Value] = {"equation": "abc,acd->bd", "bias": call.get("beta", 1) != 0}
    return Meaning("einsum", attrs, call.refs("batch1", "batch2"))


def added_outer(call: TorchCall) -> Meaning:
    """torch.addr, the products of all pairs of elements, and an addend."""
    attrs: dict[str, Value] = {"equation": "a,b->ab", "bias": call.get("beta", 1) != 0}
    return Meaning("einsum", attrs, call.refs("vec1", "vec2"))


def grouped_mm(call: TorchCall) -> Meaning:
    """aten._grouped_mm."""
    groups = call.out[0] if len(call.out) == 3 else 1
    return Meaning("grouped_matmul", {"groups": groups, "bias": call.has("bias")}, tuple(call.inputs[:2]))


def einsum(call: TorchCall) -> Meaning | None:
    """torch.einsum of two operands; more are contracted in an order that torch chooses."""
    equation = call.get("equation")
    operands = call.inputs
    if not isinstance(equation, str) or len(operands) != 2:
        return None
    try:
        terms, result = contraction.parse(equation, [len(call.tensors.shapes[i]) for i in operands])
    except ValueError:
        return None
    if any(len(set(term)) != len(term) for term in (*terms, result)):
        return None
    return Meaning("einsum", {"equation": f"{terms[0]},{terms[1]}->{result}"}, tuple(operands))


def embedding_module(call: TorchCall) -> Meaning | None:
    """torch.nn.Embedding; one that makes its vectors shorter is more than a lookup."""
    if call.own("max_norm") is not None:
        return None
    count, size = call.own("num_embeddings"), call.own("embedding_dim")
    return Meaning("embedding", {"num_embeddings": count, "embedding_dim": size}, call.first)


def embedding_call(call: TorchCall) -> Meaning | None:
    """torch.nn.functional.embedding, and the op, whose weight comes first."""
    weight = call.shape("weight")
    if len(weight) != 2 or call.has("max_norm"):
        return None
    indices = call.refs("input", "indices")
    return Meaning("embedding", {"num_embeddings": weight[0], "embedding_dim": weight[1]}, indices[:1])


_MODES = ("sum", "mean", "max")


def _bags(
    call: TorchCall, mode: Value, table: tuple[Value, Value], operands: tuple[Value, ...]
) -> Meaning | None:
    """Return bags of a table's vectors; ``operands`` are indices, starts of bags, weights.

    Vectors that are made shorter on the way are not these.
    """
    refs = [value.id if isinstance(value, TensorRef) else None for value in operands]
    if max(call.has("max_norm"), call.own("max_norm") is not None) or refs[0] is None:
        return None
    attrs: dict[str, Value] = {
        "num_embeddings": table[0],
        "embedding_dim": table[1],
        "mode": _MODES[mode] if isinstance(mode, int) else mode,
        "weighted": refs[2] is not None,
        "last_end": True in (call.own("include_last_offset"), call.get("include_last_offset")),
    }
    return Meaning("embedding_bag", attrs, tuple(number for number in refs[:2] if number is not None))


def embedding_bag_module(call: TorchCall) -> Meaning | None:
    """torch.nn.EmbeddingBag."""
    table = call.own("num_embeddings"), call.own("embedding_dim")
    return _bags(call, call.own("mode"), table, _arguments(call, "input", "offsets", "per_sample_weights"))


def embedding_bag_call(call: TorchCall) -> Meaning | None:
    """torch.nn.functional.embedding_bag, and the ops below it, which number the modes."""
    weight = call.shape("weight")
    if len(weight) != 2:
        return None
    operands = (
        call.get("indices", call.get("input")),
        call.get("offsets"),
        call.get("per_sample_weights"),
    )
    return _bags(call, call.get("mode", "mean"), (weight[0], weight[1]), operands)


def packed_bag(call: TorchCall) -> Meaning | None:
    """Bags of a packed table, whose size no argument shows; they are always sums."""
    operands = call.get("indices"), call.get("offsets"), call.get("per_sample_weights")
    return _bags(call, "sum", (None, call.out[-1]), operands)


def attention(call: TorchCall) -> Meaning | None:
    """Scaled dot-product attention, and the kernels that it chooses among."""
    operands = call.refs("query", "key", "value")
    if len(operands) != 3:
        return None
    query, key, value = (call.tensors.shapes[i] for i in operands)
    masked = any(call.has(name) for name in ("attn_mask", "attn_bias"))
    grouped = len(query) > 2 and len(key) == len(query) and query[-3] != key[-3]
    attrs: dict[str, Value] = {"causal": call.get("is_causal") is True, "mask": masked}
    if grouped:
        attrs["grouped"] = True
    del value
    return Meaning("attention", attrs, operands)


def attention_mask(call: TorchCall) -> Meaning:
    """A mask as :mod:`flopledger_torch.listen.masks` records it."""
    names = ("batch", "queries", "keys", "offset", "causal", "window", "chunk", "start")
    return Meaning("attention_mask", {n: call.get(n) for n in names if call.has(n)}, ())


def multi_head_module(call: TorchCall) -> Meaning | None:
    """torch.nn.MultiheadAttention; on nested tensors its sizes are not known."""
    extra = int(call.own("add_zero_attn") is True) + int(call.own("bias_k") is not None)
    operands = _three(call, "query", "key", "value")
    attrs: dict[str, Value] = {
        "embed_dim": call.own("embed_dim"),
        "heads": call.own("num_heads"),
        "batch_first": call.own("batch_first") is True,
        "bias": call.own("in_proj_bias") is not None,
        "causal": call.get("is_causal") is True,
        "mask": call.has("attn_mask") or call.has("key_padding_mask"),
        "extra_keys": extra,
    }
    return Meaning("multi_head_attention", attrs, operands) if len(operands) == 3 else None


def _arguments(call: TorchCall, *names: str) -> tuple[Value, ...]:
    """Return a module's arguments, the first by position, the rest by name."""
    args = call.native.get("args")
    places = dict(zip(names, args if isinstance(args, tuple) else (), strict=False))
    return tuple(places.get(name, call.get(name)) for name in names)


def _three(call: TorchCall, *names: str) -> tuple[int, ...]:
    """Return the tensors among a module's arguments."""
    return tuple(value.id for value in _arguments(call, *names) if isinstance(value, TensorRef))


def multi_head_op(call: TorchCall) -> Meaning:
    """aten._native_multi_head_attention."""
    attrs: dict[str, Value] = {
        "embed_dim": call.get("embed_dim"),
        "heads": call.get("num_head", call.get("num_heads")),
        "batch_first": True,
        "bias": call.has("qkv_bias"),
        "mask": call.has("mask"),
    }
    return Meaning("multi_head_attention", attrs, call.refs("query", "key", "value"))


def encoder_layer_op(call: TorchCall) -> Meaning:
    """aten._transformer_encoder_layer_fwd, a whole layer in one op."""
    attrs: dict[str, Value] = {
        "embed_dim": call.get("embed_dim"),
        "heads": call.get("num_heads"),
        "batch_first": True,
        "bias": call.has("qkv_bias"),
        "mask": call.has("mask"),
        "feedforward": call.shape("ffn_weight_1")[0],
        "activation": "gelu" if call.get("use_gelu") is True else "relu",
    }
    return Meaning("transformer_encoder_layer", attrs, call.refs("src"))


def recurrent_module(kind: str) -> Rule:
    """Return the rule of torch.nn.LSTMand its variants; a packed sequence is one of all its steps."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {
            "hidden_size": call.own("hidden_size"),
            "layers": call.own("num_layers"),
            "directions": 2 if call.own("bidirectional") is True else 1,
            "biases": 2 if call.own("bias") is True else 0,
            "batch_first": call.own("batch_first") is True,
        }
        if kind == "lstm":
            attrs["projection"] = call.own("proj_size") or 0  # a quantised one has no such thing
        if kind == "rnn":
            attrs["nonlinearity"] = call.own("nonlinearity")
        return Meaning(kind, attrs, call.first)

    return rule


def recurrent_call(kind: str, nonlinearity: str = "tanh") -> Rule:
    """Return the rule of torch.lstmand its variants, which are given all weights in one list."""

    def rule(call: TorchCall) -> Meaning | None:
        weights = call.get("params")
        layers, first = whole(call.get("num_layers"), 1), call.first
        directions = 2 if call.get("bidirectional") is True else 1
        if not isinstance(weights, tuple) or not weights:
            return None
        shapes = [call.tensors.shapes[w.id] for w in weights if isinstance(w, TensorRef)]
        hidden = _hidden(kind, shapes[0][0])
        attrs: dict[str, Value] = {
            "hidden_size": hidden,
            "layers": layers,
            "directions": directions,
            "biases": 2 if call.get("has_biases") is True else 0,
            "batch_first": call.get("batch_first") is True,
        }
        if kind == "lstm" and shapes[1][1] != hidden:
            attrs["projection"] = shapes[1][1]
        if kind == "rnn":
            attrs["nonlinearity"] = nonlinearity
        return Meaning(kind, attrs, first)

    return rule


_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def _hidden(kind: str, rows: Dim) -> Dim:
    return rows // _GATES[kind] if isinstance(rows, int) else rows


def mkldnn_rnn(call: TorchCall) -> Meaning | None:
    """aten.mkldnn_rnn_layer: one layer and direction of an LSTM, as a CPU runs it."""
    if call.get("mode") != 2:  # the number of an LSTM
        return None
    attrs: dict[str, Value] = {
        "hidden_size": call.get("hidden_size"),
        "biases": 2 if call.get("has_biases") is True else 0,
    }
    return Meaning("lstm", attrs, call.first)


def cell_module(kind: str) -> Rule:
    """Return the rule of torch.nn.LSTMCelland its variants."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {
            "hidden_size": call.own("hidden_size"),
            "biases": 2 if call.own("bias") is True else 0,
        }
        if kind == "rnn_cell":
            attrs["nonlinearity"] = call.own("nonlinearity")
        return Meaning(kind, attrs, call.first)

    return rule


def cell_call(kind: str, nonlinearity: str = "tanh") -> Rule:
    """Return the rule of torch.lstm_celland its variants."""

    def rule(call: TorchCall) -> Meaning:
        rows = call.shape("w_ih")[0]
        attrs: dict[str, Value] = {
            "hidden_size": _hidden(kind.removesuffix("_cell"), rows),
            "biases": 2 if call.has("b_ih") else 0,
        }
        if kind == "rnn_cell":
            attrs["nonlinearity"] = nonlinearity
        return Meaning(kind, attrs, call.first)

    return rule
