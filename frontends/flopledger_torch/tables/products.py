"""Dense layers, matrix products, embeddings, attention and recurrent layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import TensorRef
from flopledger.frontend import einsum as contraction

from flopledger_torch.tables.call import Meaning, Row, Said, whole

if TYPE_CHECKING:
    from flopledger.frontend import Dim, Value


def linear_module(said: Said) -> Meaning:
    """torch.nn.Linear."""
    out = said.out[-1] if said.out else 0
    return Meaning("linear", {"out_features": out, "bias": said.own("bias") is not None}, said.first)


def linear_call(said: Said) -> Meaning:
    """torch.nn.functional.linear; a weight of one axis is a vector."""
    weight = said.shape("weight")
    if len(weight) == 1:
        return Meaning("matmul", {"bias": said.has("bias")}, said.refs("input", "weight"))
    return Meaning("linear", {"out_features": weight[0], "bias": said.has("bias")}, said.first)


def bilinear(said: Said) -> Meaning:
    """torch.nn.Bilinear, and the function."""
    bias = said.own("bias") is not None or said.has("bias")
    return Meaning("bilinear", {"out_features": said.out[-1], "bias": bias}, tuple(said.inputs[:2]))


def matmul(said: Said) -> Meaning | None:
    """torch.matmul and its like: the first two tensors."""
    return Meaning("matmul", {}, tuple(said.inputs[:2])) if len(said.inputs) >= 2 else None


def vecdot(said: Said) -> Meaning | None:
    """torch.linalg.vecdot: one dot product along an axis for each pair of vectors; the others broadcast."""
    if len(said.inputs) < 2:
        return None
    ranks = [len(said.tensors.shapes[i]) for i in said.inputs[:2]]
    rank = max(ranks)
    letters = "abcdefghijklmnopqrstuvwxyz"[:rank]
    axis = whole(said.get("dim"), -1)
    summed = rank + axis if axis < 0 else axis  # torch counts it in the broadcast shape
    if not 0 <= summed < rank:
        return None
    words = [letters[rank - own :] for own in ranks]
    result = letters[:summed] + letters[summed + 1 :]
    return Meaning("einsum", {"equation": f"{words[0]},{words[1]}->{result}"}, tuple(said.inputs[:2]))


def conv_tbc(said: Said) -> Meaning:
    """torch.conv_tbc, whose axes are time, batch and channels."""
    return Meaning("conv_tbc", {"padding": whole(said.get("pad"), 0)}, tuple(said.inputs[:2]))


def packed_linear(said: Said) -> Meaning | None:
    """A dense layer whose weight has a layout of its own: the result tells its columns."""
    if not said.out or not said.given:
        return None
    return Meaning("linear", {"out_features": said.out[-1], "bias": said.has("bias")}, said.first)


def matmul_turned(said: Said) -> Meaning | None:
    """``__rmatmul__``, whose operands come the other way round."""
    return Meaning("matmul", {}, tuple(said.inputs[1::-1])) if len(said.inputs) >= 2 else None


def added(first: str, second: str) -> Row:
    """Return the row of torch.addmm and its like: a product of two of the arguments, and an addend."""

    def row(said: Said) -> Meaning | None:
        operands = said.refs(first, second)
        if len(operands) != 2:
            return None
        return Meaning("matmul", {"bias": said.get("beta", 1) != 0}, operands)

    return row


def added_stack(said: Said) -> Meaning:
    """torch.addbmm, the sum of a stack of products, and an addend."""
    attrs: dict[str, Value] = {"equation": "abc,acd->bd", "bias": said.get("beta", 1) != 0}
    return Meaning("einsum", attrs, said.refs("batch1", "batch2"))


def added_outer(said: Said) -> Meaning:
    """torch.addr, the products of all pairs of elements, and an addend."""
    attrs: dict[str, Value] = {"equation": "a,b->ab", "bias": said.get("beta", 1) != 0}
    return Meaning("einsum", attrs, said.refs("vec1", "vec2"))


def grouped_mm(said: Said) -> Meaning:
    """aten._grouped_mm."""
    groups = said.out[0] if len(said.out) == 3 else 1
    return Meaning("grouped_matmul", {"groups": groups, "bias": said.has("bias")}, tuple(said.inputs[:2]))


def einsum(said: Said) -> Meaning | None:
    """torch.einsum of two operands; more are contracted in an order of torch's choice."""
    equation = said.get("equation")
    operands = said.inputs
    if not isinstance(equation, str) or len(operands) != 2:
        return None
    try:
        words, result = contraction.parse(equation, [len(said.tensors.shapes[i]) for i in operands])
    except ValueError:
        return None
    if any(len(set(word)) != len(word) for word in (*words, result)):
        return None
    return Meaning("einsum", {"equation": f"{words[0]},{words[1]}->{result}"}, tuple(operands))


def embedding_module(said: Said) -> Meaning | None:
    """torch.nn.Embedding; one that makes its vectors shorter is more than a lookup."""
    if said.own("max_norm") is not None:
        return None
    count, size = said.own("num_embeddings"), said.own("embedding_dim")
    return Meaning("embedding", {"num_embeddings": count, "embedding_dim": size}, said.first)


def embedding_call(said: Said) -> Meaning | None:
    """torch.nn.functional.embedding, and the op, whose weight comes first."""
    weight = said.shape("weight")
    if len(weight) != 2 or said.has("max_norm"):
        return None
    indices = said.refs("input", "indices")
    return Meaning("embedding", {"num_embeddings": weight[0], "embedding_dim": weight[1]}, indices[:1])


_MODES = ("sum", "mean", "max")


def _bags(said: Said, mode: Value, table: tuple[Value, Value], operands: tuple[Value, ...]) -> Meaning | None:
    """Return bags of a table's vectors; ``operands`` are indices, starts of bags, weights.

    Vectors that are made shorter on the way are not these.
    """
    refs = [value.id if isinstance(value, TensorRef) else None for value in operands]
    if max(said.has("max_norm"), said.own("max_norm") is not None) or refs[0] is None:
        return None
    attrs: dict[str, Value] = {
        "num_embeddings": table[0],
        "embedding_dim": table[1],
        "mode": _MODES[mode] if isinstance(mode, int) else mode,
        "weighted": refs[2] is not None,
        "last_end": True in (said.own("include_last_offset"), said.get("include_last_offset")),
    }
    return Meaning("embedding_bag", attrs, tuple(number for number in refs[:2] if number is not None))


def embedding_bag_module(said: Said) -> Meaning | None:
    """torch.nn.EmbeddingBag."""
    table = said.own("num_embeddings"), said.own("embedding_dim")
    return _bags(said, said.own("mode"), table, _given(said, "input", "offsets", "per_sample_weights"))


def embedding_bag_call(said: Said) -> Meaning | None:
    """torch.nn.functional.embedding_bag, and the ops below it, which number the modes."""
    weight = said.shape("weight")
    if len(weight) != 2:
        return None
    operands = (
        said.get("indices", said.get("input")),
        said.get("offsets"),
        said.get("per_sample_weights"),
    )
    return _bags(said, said.get("mode", "mean"), (weight[0], weight[1]), operands)


def attention(said: Said) -> Meaning | None:
    """Scaled dot-product attention, and the kernels that it chooses among."""
    operands = said.refs("query", "key", "value")
    if len(operands) != 3:
        return None
    query, key, value = (said.tensors.shapes[i] for i in operands)
    masked = any(said.has(name) for name in ("attn_mask", "attn_bias"))
    grouped = len(query) > 2 and len(key) == len(query) and query[-3] != key[-3]
    attrs: dict[str, Value] = {"causal": said.get("is_causal") is True, "mask": masked}
    if grouped:
        attrs["grouped"] = True
    del value
    return Meaning("attention", attrs, operands)


def multi_head_module(said: Said) -> Meaning | None:
    """torch.nn.MultiheadAttention; on nested tensors its sizes are not known."""
    extra = int(said.own("add_zero_attn") is True) + int(said.own("bias_k") is not None)
    operands = _three(said, "query", "key", "value")
    attrs: dict[str, Value] = {
        "embed_dim": said.own("embed_dim"),
        "heads": said.own("num_heads"),
        "batch_first": said.own("batch_first") is True,
        "bias": said.own("in_proj_bias") is not None,
        "causal": said.get("is_causal") is True,
        "mask": said.has("attn_mask") or said.has("key_padding_mask"),
        "extra_keys": extra,
    }
    return Meaning("multi_head_attention", attrs, operands) if len(operands) == 3 else None


def _given(said: Said, *names: str) -> tuple[Value, ...]:
    """Return what a module was given, the first by position, the rest by name."""
    args = said.native.get("args")
    places = dict(zip(names, args if isinstance(args, tuple) else (), strict=False))
    return tuple(places.get(name, said.get(name)) for name in names)


def _three(said: Said, *names: str) -> tuple[int, ...]:
    """Return the tensors among what a module was given."""
    return tuple(value.id for value in _given(said, *names) if isinstance(value, TensorRef))


def multi_head_op(said: Said) -> Meaning:
    """aten._native_multi_head_attention."""
    attrs: dict[str, Value] = {
        "embed_dim": said.get("embed_dim"),
        "heads": said.get("num_head", said.get("num_heads")),
        "batch_first": True,
        "bias": said.has("qkv_bias"),
        "mask": said.has("mask"),
    }
    return Meaning("multi_head_attention", attrs, said.refs("query", "key", "value"))


def encoder_layer_op(said: Said) -> Meaning:
    """aten._transformer_encoder_layer_fwd, a whole layer in one op."""
    attrs: dict[str, Value] = {
        "embed_dim": said.get("embed_dim"),
        "heads": said.get("num_heads"),
        "batch_first": True,
        "bias": said.has("qkv_bias"),
        "mask": said.has("mask"),
        "feedforward": said.shape("ffn_weight_1")[0],
        "activation": "gelu" if said.get("use_gelu") is True else "relu",
    }
    return Meaning("transformer_encoder_layer", attrs, said.refs("src"))


def recurrent_module(kind: str) -> Row:
    """Return the row of torch.nn.LSTM and its like; a packed sequence is one of all its steps."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {
            "hidden_size": said.own("hidden_size"),
            "layers": said.own("num_layers"),
            "directions": 2 if said.own("bidirectional") is True else 1,
            "biases": 2 if said.own("bias") is True else 0,
            "batch_first": said.own("batch_first") is True,
        }
        if kind == "lstm":
            attrs["projection"] = said.own("proj_size")
        if kind == "rnn":
            attrs["nonlinearity"] = said.own("nonlinearity")
        return Meaning(kind, attrs, said.first)

    return row


def recurrent_call(kind: str, nonlinearity: str = "tanh") -> Row:
    """Return the row of torch.lstm and its like, which are given all weights in one list."""

    def row(said: Said) -> Meaning | None:
        weights = said.get("params")
        layers, first = whole(said.get("num_layers"), 1), said.first
        directions = 2 if said.get("bidirectional") is True else 1
        if not isinstance(weights, tuple) or not weights:
            return None
        shapes = [said.tensors.shapes[w.id] for w in weights if isinstance(w, TensorRef)]
        hidden = _hidden(kind, shapes[0][0])
        attrs: dict[str, Value] = {
            "hidden_size": hidden,
            "layers": layers,
            "directions": directions,
            "biases": 2 if said.get("has_biases") is True else 0,
            "batch_first": said.get("batch_first") is True,
        }
        if kind == "lstm" and shapes[1][1] != hidden:
            attrs["projection"] = shapes[1][1]
        if kind == "rnn":
            attrs["nonlinearity"] = nonlinearity
        return Meaning(kind, attrs, first)

    return row


_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def _hidden(kind: str, rows: Dim) -> Dim:
    return rows // _GATES[kind] if isinstance(rows, int) else rows


def mkldnn_rnn(said: Said) -> Meaning | None:
    """aten.mkldnn_rnn_layer: one layer and direction of an LSTM, as a CPU runs it."""
    if said.get("mode") != 2:  # the number of an LSTM
        return None
    attrs: dict[str, Value] = {
        "hidden_size": said.get("hidden_size"),
        "biases": 2 if said.get("has_biases") is True else 0,
    }
    return Meaning("lstm", attrs, said.first)


def cell_module(kind: str) -> Row:
    """Return the row of torch.nn.LSTMCell and its like."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {
            "hidden_size": said.own("hidden_size"),
            "biases": 2 if said.own("bias") is True else 0,
        }
        if kind == "rnn_cell":
            attrs["nonlinearity"] = said.own("nonlinearity")
        return Meaning(kind, attrs, said.first)

    return row


def cell_call(kind: str, nonlinearity: str = "tanh") -> Row:
    """Return the row of torch.lstm_cell and its like."""

    def row(said: Said) -> Meaning:
        rows = said.shape("w_ih")[0]
        attrs: dict[str, Value] = {
            "hidden_size": _hidden(kind.removesuffix("_cell"), rows),
            "biases": 2 if said.has("b_ih") else 0,
        }
        if kind == "rnn_cell":
            attrs["nonlinearity"] = nonlinearity
        return Meaning(kind, attrs, said.first)

    return row
