"""Attention over a latent vector of each token (MLA), and its cost if the projection is absorbed.

Keys and values are made from a latent vector of ``r`` numbers by one projection, and that vector alone is in
the cache. transformers projects all P cached tokens again at every step. Serving engines take the projection
over to the queries and the results instead, and let T queries meet the latent vectors themselves
(DeepSeek-V2, arXiv:2405.04434, section 2.1.2). Per head, with ``n`` features without position, ``p`` with
position and ``v`` of a value:

    projection  P r (n + v)     becomes  T r (n + v)
    scores      T P (n + p)     becomes  T P (r + p)
    results     T P v           becomes  T P r
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import equal, is_dim, product
from flopledger.dims.bounds import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.analysis.formulas import Formulas
    from flopledger.dims.types import Dim, Number
    from flopledger.graph.tables import Layer, Tables

FACTS = ("kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
"""The sizes that a module of such attention declares: r, n, p and v."""
QUERIES = "q_lora_rank"
"""The size of the latent vector of its queries, where these are projected in two steps."""


def absorbed(graph: Tables, formulas: Formulas) -> Mapping[int, Number]:
    """Return the factor of the work of calls if the projection is absorbed."""
    sizes = {m.id: found for m in graph.modules if (found := _sizes(m.native))}
    if not sizes:
        return {}
    ratios: dict[int, Number] = {}
    lengths: dict[int, tuple[Dim, Dim]] = {}
    inside: dict[int, int] = {}
    for layer in graph.layers:
        owner = (
            layer.module
            if layer.module in sizes
            else inside.get(layer.parent if layer.parent is not None else -1)
        )
        if owner is None:
            continue
        if layer.level == "layer" and layer.module != owner and layer.kind != "linear":
            continue
        inside[layer.id] = owner
        product = _product(graph, formulas, layer, sizes[owner])
        if product is not None:
            ratios[layer.id], lengths[owner] = product
    for layer in graph.layers:
        owner = inside.get(layer.id)
        if owner in lengths and _projects(graph, layer, sizes[owner]):
            queries, keys = lengths[owner]
            ratios[layer.id] = _ratio(queries, keys)
    return ratios


def elements(graph: Tables) -> Mapping[int, Dim]:
    """Return the elements of the latent vectors, of queries too, in calls of such attention."""
    ranks: dict[int | None, Dim] = {}
    for module in graph.modules:
        sizes, of_queries = _sizes(module.native), module.native.get(QUERIES)
        if sizes:
            ranks[module.id] = sizes[0] + of_queries if is_dim(of_queries) else sizes[0]
    found: dict[int, Dim] = {}
    for layer in graph.layers if ranks else ():
        shape = graph.shape(layer.outputs[0]) if layer.outputs else None
        if layer.level == "layer" and layer.module in ranks and shape:
            found[layer.id] = product(shape[:-1]) * ranks[layer.module]
    return found


def _sizes(native: Mapping[str, object]) -> tuple[Dim, Dim, Dim, Dim] | None:
    if FACTS[0] not in native:
        return None
    found = [native.get(name) for name in FACTS]
    whole = [size for size in found if is_dim(size)]
    return (whole[0], whole[1], whole[2], whole[3]) if len(whole) == len(FACTS) else None


def _product(
    graph: Tables, formulas: Formulas, layer: Layer, sizes: tuple[Dim, ...]
) -> tuple[Number, tuple[Dim, Dim]] | None:
    """Return the ratio of one of the products of attention, and its numbers of queries and keys."""
    rank, plain, rotated, value = sizes
    facts = formulas.facts(layer)
    if "pair_macs" in facts:
        return _ratio(2 * rank + rotated, plain + rotated + value), (facts["queries"], facts["keys"])
    shapes = [graph.shape(i) or () for i in (*layer.inputs[:2], *layer.outputs[:1])]
    if layer.kind != "matmul" or len(shapes) < 3 or any(len(shape) < 3 for shape in shapes):
        return None
    left, right, out = shapes
    if equal(left[-1], plain + rotated):
        return _ratio(rank + rotated, plain + rotated), (out[-2], out[-1])
    if equal(right[-1], value):
        return _ratio(rank, value), (left[-2], left[-1])
    return None


def _projects(graph: Tables, layer: Layer, sizes: tuple[Dim, ...]) -> bool:
    """Return whether a call projects latent vectors to the keys and values of all heads."""
    rank, plain, _, value = sizes
    shapes = [graph.shape(i) or () for i in (*layer.inputs[:1], *layer.outputs[:1])]
    if layer.kind not in ("linear", "matmul") or len(shapes) < 2 or not all(shapes):
        return False
    wide, head = shapes[1][-1], plain + value
    whole = isinstance(wide, int) and isinstance(head, int) and wide % head == 0
    return whole and equal(shapes[0][-1], rank)


def _ratio(above: Dim, below: Dim) -> Number:
    return (
        Fraction(above, below) if isinstance(above, int) and isinstance(below, int) else number(above / below)
    )
