"""The pairs of query and key that an attention mask leaves out, by following it through the graph.

A mask starts at a call of the kind ``attention_mask``, or at an attention that is ``causal`` itself. It is
added to scores, whatever else happens to them. So it thins out the pairs of two products: the one that made
the scores, and the one that the resulting weights go into. Both are found by following tensors whose last two
axes are queries and keys.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.analysis.flow import MASK, tensors_read
from flopledger.dims.arithmetic import equal, floordiv, is_dim, maximum, minimum, product
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.formulas import Formulas
    from flopledger.dims.types import Dim, Number
    from flopledger.graph.tables import Layer, Tables

PRODUCTS = frozenset(("matmul", "einsum"))
"""The kinds of products that attention is made of where it is spelled out."""


def _triangle(side: Dim) -> Dim:
    """Return ``1 + 2 + ... + side``."""
    return _half(side * (side + 1))


def _half(even: Dim) -> Dim:
    """Return half of an even number, as the sum of a row of numbers has it."""
    return even // 2 if isinstance(even, int) else even / 2


def _halved(size: Dim) -> Number:
    return Fraction(size, 2) if isinstance(size, int) else size / 2


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask over L queries and S keys: query i has the position ``offset + i`` among the keys.

    Where it is ``causal``, query i meets the keys 0 to ``offset + i``; with a ``window`` of W only the last W
    of them; with a ``chunk`` of C only those of its own chunk, where the first key is number ``start`` of the
    whole sequence. A window or chunk of 0 is none.
    """

    queries: Dim
    keys: Dim
    offset: Dim = 0
    causal: bool = True
    window: Dim = 0
    chunk: Dim = 0
    start: Dim = 0

    @property
    def pairs(self) -> Dim:
        """All pairs: L S."""
        return self.queries * self.keys

    @property
    def above(self) -> Dim:
        """The pairs above the diagonal: the sum of ``max(D - i, 0)``, with ``D = S - offset - 1``."""
        if not self.causal:
            return 0
        first = maximum(self.keys - self.offset - 1, 0)
        rows = minimum(self.queries, first)
        return _half(rows * (2 * first - rows + 1))

    @property
    def outside(self) -> Dim:
        """The pairs on or below the diagonal that lie before the window or chunk.

        Before a window: ``sum of max(offset + i + 1 - W, 0)``, the difference of two triangles.
        """
        if self.chunk != 0:
            return self._before_chunk(self.offset + self.start)
        last, first = self._before_window()
        return _triangle(last) - _triangle(first)

    def _before_window(self) -> tuple[Dim, Dim]:
        """Return how many keys are before the window of a query after the last one, and of the first one."""
        if self.window == 0:
            return 0, 0
        last = self.queries + self.offset - self.window
        return maximum(last, 0), maximum(self.offset - self.window, 0)

    def _before_chunk(self, first: Dim) -> Dim:
        """Return the sum of ``max(floor(p / C) C - start, 0)`` over the places p of the queries."""
        begin = maximum(first, -floordiv(-self.start, self.chunk) * self.chunk)
        end = first + self.queries
        count = maximum(end - begin, 0)
        return self._starts(end) - self._starts(end - count) - self.start * count

    def _starts(self, places: Dim) -> Dim:
        """Return the sum of ``floor(p / C) C`` for p from 0 to ``places - 1``."""
        whole = floordiv(places, self.chunk)
        rest = places - whole * self.chunk
        return self.chunk * (self.chunk * _half(whole * (whole - 1)) + rest * whole)

    @property
    def half(self) -> Number:
        """The pairs above the diagonal and half of those on it: half of the square of the new tokens.

        Estimators of training have T T / 2 pairs for T tokens (Megatron-LM: num_floating_point_operations).
        Of P tokens before them none is left out, so that T P + T T / 2 pairs remain. A single query is in a
        decode step, which meets every key: nothing of it is halved.
        """
        if not self.causal or equal(self.queries, 1):
            return self.above
        return self.above + _halved(minimum(self.queries, maximum(self.keys - self.offset, 0)))

    @property
    def half_outside(self) -> Number:
        """The pairs before the window by the same rule, of the triangles that lie there.

        MaxText has T W - W W / 2 pairs for T tokens: T T / 2 less (T - W)(T - W) / 2 (maxtext_utils.py). What
        lies before chunks is rectangles, of which nothing is halved.
        """
        if self.chunk != 0 or equal(self.queries, 1):
            return self.outside
        last, first = self._before_window()
        return _halved(last * last - first * first)

    def covers(self, shape: tuple[Dim, ...] | None) -> bool:
        """Return whether the last two axes are the mask's queries and keys, or more keys (sinks)."""
        if shape is None or len(shape) < 2 or not equal(shape[-2], self.queries):
            return False
        more = shape[-1] - self.keys
        return not isinstance(more, int) or more >= 0


@dataclass(frozen=True, slots=True)
class Masked:
    """A product under a mask, with its multiply-accumulates and dot products for each pair."""

    mask: Mask
    pair_macs: Dim
    pair_dots: Dim


class Masks:
    """The masks of one graph, by the products that they thin out."""

    def __init__(self, graph: Tables, calls: CallTree, formulas: Formulas) -> None:
        self.graph, self._calls, self._formulas = graph, calls, formulas
        self._of_tensor: dict[int, Mask] = {}
        self._makers: dict[int, Layer] = {}
        self.found: dict[int, Masked] = {}
        for layer in graph.layers:
            self._follow(layer)

    def _follow(self, layer: Layer) -> None:
        """Follow masks through one call: it makes one, has attention under one, or passes one on.

        A product of scores with values reads the mask only by way of the scores; everything else that is
        computed of a mask and still covers it is a mask too, as the additive form (0 and -inf) that eager
        attention adds.
        """
        if layer.kind == MASK:
            self._of_tensor.update(dict.fromkeys(layer.outputs, _stated(layer)))
            return
        facts = self._formulas.facts(layer)
        if "pair_macs" in facts:
            mask = self._of_attention(layer, facts)
            if mask is not None:
                times = floordiv(facts["queries"], mask.queries)
                self.found[layer.id] = Masked(mask, times * facts["pair_macs"], times * facts["pair_dots"])
        if self._calls.has_children[layer.id]:
            return
        self._makers.update(dict.fromkeys(layer.outputs, layer))
        given = [self._of_tensor[i] for i in tensors_read(layer) if i in self._of_tensor]
        if not given:
            return
        if layer.kind in PRODUCTS:
            if layer.inputs and layer.inputs[0] in self._of_tensor:
                self._add(layer, self._of_tensor[layer.inputs[0]], layer.inputs[0], scores=False)
            return
        mask = given[0]
        for tensor in layer.outputs:
            if mask.covers(self.graph.shape(tensor)):
                self._of_tensor.setdefault(tensor, mask)
        for tensor in tensors_read(layer):
            self._trace_back(tensor, mask)

    def _of_attention(self, layer: Layer, facts: dict[str, Dim]) -> Mask | None:
        """Return the mask of an attention: its own, else that of one of its input tensors.

        The mask of a single query holds for all: in a decode step, the query heads that share keys may be
        written as several queries of one head.
        """
        queries, keys = facts["queries"], facts["keys"]
        if layer.attrs.get("causal") is True:
            return Mask(queries, keys)
        given = (self._of_tensor.get(i) for i in tensors_read(layer))
        return next(
            (
                mask
                for mask in given
                if mask and equal(mask.keys, keys) and (equal(mask.queries, queries) or mask.queries == 1)
            ),
            None,
        )

    def _trace_back(self, tensor: int, mask: Mask) -> None:
        """Find the product that made scores; products whose mask is known are skipped."""
        pending = [tensor]
        while pending:
            tensor = pending.pop()
            maker = self._makers.get(tensor)
            if maker is None or tensor in self._of_tensor or not mask.covers(self.graph.shape(tensor)):
                continue
            self._of_tensor[tensor] = mask
            if maker.kind in PRODUCTS:
                self._add(maker, mask, tensor, scores=True)
            else:
                pending += tensors_read(maker)

    def _add(self, layer: Layer, mask: Mask, tensor: int, *, scores: bool) -> None:
        """Note a product, and the calls around it that are the same product as the user spelled it."""
        shape = self.graph.shape(tensor)
        if shape is None or not (equal(shape[-2], mask.queries) and equal(shape[-1], mask.keys)):
            return
        macs = self._formulas.macs(layer)
        masked = Masked(mask, floordiv(macs, mask.pairs), product(shape[:-2]) if scores else 0)
        for i in (layer.id, *self._same(layer, macs)):
            self.found.setdefault(i, masked)

    def _same(self, layer: Layer, macs: Dim) -> Iterator[int]:
        for up in self._calls.around(layer.id):
            above = self.graph.layers[up]
            if above.kind not in PRODUCTS or not equal(self._formulas.macs(above), macs):
                return
            yield up


def _stated(layer: Layer) -> Mask:
    """Return the mask that a call of its kind makes."""
    sizes = {name: value for name, value in layer.attrs.items() if is_dim(value)}
    return Mask(
        sizes["queries"],
        sizes["keys"],
        sizes.get("offset", 0),
        layer.attrs.get("causal", True) is True,
        sizes.get("window", 0),
        sizes.get("chunk", 0),
        sizes.get("start", 0),
    )
