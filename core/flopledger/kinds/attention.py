r"""Scaled dot-product attention, alone, with its projections, and as a whole encoder layer.

``L`` queries meet ``S`` keys in each of B batch entries and H heads; E is the size of a query and a
key in one head, E_v that of a value. Source of all: Vaswani et al., *Attention Is All You Need*, 2017
(arXiv:1706.03762), sections 3.2 and 3.3::

    attention(Q, K, V) = softmax(Q K^T / sqrt(E) + mask) V
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.activation import PER_ELEMENT, times
from flopledger.kinds.axes import broadcast, differ
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts, merged

if TYPE_CHECKING:
    from flopledger.dims.types import Dim, Shape


def _pairs(queries: Dim, keys: Dim, macs: Dim, dots: Dim) -> Facts:
    """Return how many queries meet how many keys, and the cost of each pair."""
    return {"queries": queries, "keys": keys, "pair_macs": macs, "pair_dots": dots}


def _sizes(call: Call) -> tuple[Dim, Dim, Dim, Dim]:
    """Return L, S, E and E_v."""
    if len(call.inputs) < 3 or any(len(shape) < 2 for shape in call.inputs[:3]):
        raise call.impossible("attention needs a query, a key and a value of two axes or more")
    query, key, value = call.inputs[:3]
    if differ(query[-1], key[-1]) or differ(key[-2], value[-2]):
        raise call.impossible("the query and the key, or the key and the value, don't fit")
    return query[-2], key[-2], query[-1], value[-1]


def attention_shapes(call: Call) -> tuple[Shape, ...]:
    """The query's shape with the size of the values; leading axes are broadcast.

    With ``grouped`` the query has a multiple of the heads of key and value.
    """
    queries, _, _, features = _sizes(call)
    query, key, value = (shape[:-2] for shape in call.inputs[:3])
    lead = query if call.flag("grouped") else broadcast(call, (query, key, value))
    return ((*lead, queries, features),)


def attention_facts(call: Call) -> Facts:
    """``macs = B H L S (E + E_v)``: of each pair of a query and a key, in each head, ``E + E_v``.

    Kernels differ in whether they leave out the pairs that a mask does, so that both can be counted.
    """
    queries, keys, size, features = _sizes(call)
    heads = product(call.output[:-2])
    return {
        "macs": heads * queries * keys * (size + features),
        "dots": heads * queries * (keys + features),
        **_pairs(queries, keys, heads * (size + features), heads),
    }


def _softmax(rows: Dim, scores: Dim, *, masked: bool) -> Parts:
    """The scores scaled, masked, and made to sum to 1 in each row."""
    parts = {"multiplies": scores, "compares": scores - rows, "exps": scores, "divides": scores}
    return {**parts, "adds": 2 * scores - rows + (scores if masked else 0)}


def attention_parts(call: Call) -> Parts:
    """Both products, and between them a scale, a mask and a softmax over the keys for each query."""
    facts = attention_facts(call)
    queries, keys, _, _ = _sizes(call)
    rows = product(call.output[:-2]) * queries
    softmax = _softmax(rows, rows * keys, masked=call.flag("mask"))
    return merged(dot_parts(facts["macs"], facts["dots"]), softmax)


def _sequences(call: Call) -> tuple[Dim, Dim, Dim, tuple[Dim, Dim, Dim]]:
    """Return batch, L, S (with the rows that are added to the keys), and the three inputs' features."""
    query, key, value = (*call.inputs, *call.inputs[-1:] * 2)[:3] if call.inputs else ((), (), ())
    if not all(len(shape) in (2, 3) for shape in (query, key, value)):
        raise call.impossible("it reads L, N, E or N, L, E or L, E, as query, key and value")
    steps = 1 if call.flag("batch_first") and len(query) == 3 else 0
    batch = 1 if len(query) == 2 else query[1 - steps]
    return batch, query[steps], key[steps] + call.whole("extra_keys"), (query[-1], key[-1], value[-1])


def multi_head_shapes(call: Call) -> tuple[Shape, ...]:
    """The query's shape; attention weights may follow it."""
    _sequences(call)
    return ((*call.input[:-1], call.dim("embed_dim")),)


def multi_head_facts(call: Call) -> Facts:
    """The query's, the keys' and the values' projections, attention in each head, and one projection more.

    ``macs = N (L E_q D + S_k E_k D + S_v E_v D) + N L S 2 D + N L D D`` for D features in all heads.
    Keys that are added to those given (``extra_keys``) are learned, not projected.
    """
    batch, queries, keys, (q, k, v) = _sequences(call)
    width, heads = call.dim("embed_dim"), call.dim("heads")
    given = keys - call.whole("extra_keys")
    projected = queries * q + given * k + given * v + queries * width
    return {
        "macs": batch * (width * projected + queries * keys * 2 * width),
        "dots": batch * (width * (3 * queries + 2 * given) + queries * keys * heads),
        **_pairs(queries, keys, batch * 2 * width, batch * heads),
    }


def multi_head_parts(call: Call) -> Parts:
    """The dot products, the biases of four projections, and in each head a scale, mask and softmax."""
    facts = multi_head_facts(call)
    batch, queries, keys, _ = _sequences(call)
    rows = batch * call.dim("heads") * queries
    given = keys - call.whole("extra_keys")
    biases = batch * call.dim("embed_dim") * (2 * queries + 2 * given) if call.flag("bias") else 0
    softmax = _softmax(rows, rows * keys, masked=call.flag("mask"))
    return merged(dot_parts(facts["macs"], facts["dots"], biases), softmax)


def encoder_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays."""
    _sequences(call)
    return (call.input,)


def encoder_facts(call: Call) -> Facts:
    """Self-attention, and two dense layers from D features to F and back: ``2 N L D F`` more."""
    facts = multi_head_facts(call)
    rows, width, hidden = product(call.input[:-1]), call.dim("embed_dim"), call.dim("feedforward")
    dense = 2 * rows * width * hidden
    return {
        **facts,
        "macs": facts["macs"] + dense,
        "dots": facts["dots"] + rows * (width + hidden),
    }


def encoder_parts(call: Call) -> Parts:
    """Attention, two dense layers with an activation between them, two sums and two layer norms.

    A layer norm of n elements in r rows takes ``4 n - r`` additions, ``3 n`` products, 2 r divisions
    and r roots, as :mod:`flopledger.kinds.norm` derives them.
    """
    attention = multi_head_parts(call)
    rows, width, hidden = product(call.input[:-1]), call.dim("embed_dim"), call.dim("feedforward")
    name, n = call.word("activation"), rows * width
    if name not in PER_ELEMENT:
        raise call.impossible(f"the activation {name!r} is no activation function that is known")
    biases = rows * (width + hidden) if call.flag("bias") else 0
    dense = dot_parts(2 * rows * width * hidden, rows * (width + hidden), biases)
    norms: Parts = {"adds": 8 * n - 2 * rows, "multiplies": 6 * n, "divides": 4 * rows, "sqrts": 2 * rows}
    return merged(attention, dense, times(PER_ELEMENT[name], rows * hidden), {"adds": 2 * n}, norms)


_HEADS = (
    Attribute("embed_dim", "features in all heads together"),
    Attribute("heads", "number of heads"),
    Attribute("batch_first", "whether the batch is the first axis", default=False),
    Attribute("bias", "whether the projections have a bias", default=True),
    Attribute("causal", "whether a query meets the keys up to its own place alone", default=False),
    Attribute("mask", "whether a mask is added to the scores", default=False),
    Attribute("extra_keys", "learned or zero keys that are added to those given", default=0),
)


def mask_shapes(call: Call) -> tuple[Shape, ...]:
    """One value for each query and key, for each sequence and all its heads."""
    return ((call.dim("batch"), 1, call.dim("queries"), call.dim("keys")),)


KINDS = (
    Kind(
        name="attention_mask",
        doc="which keys each query of an attention meets",
        group="move",
        attributes=(
            Attribute("batch", "number of sequences", default=1),
            Attribute("queries", "number of queries"),
            Attribute("keys", "number of keys"),
            Attribute("offset", "the place of the first query among the keys", default=0),
            Attribute("causal", "whether a query meets the keys up to its own place alone", default=True),
            Attribute("window", "how many of these, the last ones; 0 for all", default=0),
            Attribute("chunk", "length of the chunks that a query meets its own of; 0 for none", default=0),
            Attribute(
                "start", "the place of the first key in the sequence, where chunks are counted", default=0
            ),
        ),
        shapes=mask_shapes,
    ),
    Kind(
        name="attention",
        doc="scaled dot-product attention of queries, keys and values",
        group="attention",
        attributes=(
            Attribute("causal", "whether a query meets the keys up to its own place alone", default=False),
            Attribute("mask", "whether a mask is added to the scores", default=False),
            Attribute("grouped", "whether several heads of the query share a key and value", default=False),
        ),
        shapes=attention_shapes,
        parts=attention_parts,
        facts=attention_facts,
    ),
    Kind(
        name="multi_head_attention",
        doc="attention in several heads, with the projections before and after",
        group="attention",
        attributes=_HEADS,
        shapes=multi_head_shapes,
        parts=multi_head_parts,
        facts=multi_head_facts,
    ),
    Kind(
        name="transformer_encoder_layer",
        doc="self-attention and two dense layers, each with a sum and a layer norm",
        group="attention",
        attributes=(
            *_HEADS,
            Attribute("feedforward", "features between the dense layers"),
            Attribute("activation", "activation function between the dense layers", default="relu"),
        ),
        shapes=encoder_shapes,
        parts=encoder_parts,
        facts=encoder_facts,
    ),
)
