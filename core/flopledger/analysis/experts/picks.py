"""The calls of a network that pick some of several places: the k largest, or the largest with its place."""

from __future__ import annotations

import functools
from bisect import bisect_right
from typing import TYPE_CHECKING

from flopledger.analysis.experts import PICKS
from flopledger.analysis.flow import tensors_read
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.formulas import Formulas
    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Layer


@dataclass(frozen=True, slots=True)
class Pick:
    """A call that picks ``k`` of ``size``; where k is 1, ``largest_of`` is the tensor that it searches."""

    call: int
    size: int
    k: int
    largest_of: int | None = None


def picked_together(picks: Sequence[Pick]) -> int:
    """Return how many places are picked by calls that choose from the same experts.

    PhiMoE and NLLB-MoE take the largest score, mask it out and take the largest of the rest: the largest of
    two tensors are two experts. The largest of one tensor, computed twice, counts as one.
    """
    several = max((pick.k for pick in picks if pick.largest_of is None), default=0)
    return max(several, len({pick.largest_of for pick in picks} - {None}))


class Picks:
    """The picks of a network, by the size of the axis that they pick from."""

    def __init__(self, calls: CallTree, formulas: Formulas) -> None:
        self.graph, self._calls, self._formulas = calls.graph, calls, formulas
        self.by_size: dict[int, list[Pick]] = {}
        for layer in self.graph.layers:
            pick = self._pick(layer) if layer.kind in PICKS else None
            if pick is not None:
                self.by_size.setdefault(pick.size, []).append(pick)

    def inside(self, size: int, call: int) -> Iterator[int]:
        """Yield the ids of the picks of a size inside a call, in order."""
        picks = self.by_size.get(size, [])
        for place in range(bisect_right(picks, call, key=lambda pick: pick.call), len(picks)):
            if picks[place].call > self._calls.ends[call]:
                return
            yield picks[place].call

    def _pick(self, layer: Layer) -> Pick | None:
        """Return the pick of a call; None where its sizes are not known or no call reads the indices.

        A max pool over an axis, or a loss that takes the largest logit, has no reader of the place.
        """
        if not layer.inputs or self._formulas.kind_of[layer.id] is None:
            return None
        shape, axis = self.graph.shape(layer.inputs[0]) or (), self._axis(layer)
        if axis is None or not -len(shape) <= axis < len(shape):
            return None
        size, axis = shape[axis], axis % len(shape)
        largest_of = None
        if layer.kind == "top_k":
            k = self._places_used(layer, axis)
        else:
            places = layer.outputs[1:2] if layer.kind == "reduce_max" else layer.outputs[:1]
            if self._readers.keys().isdisjoint(places):
                return None
            k, largest_of = layer.attrs.get("top", 1), layer.inputs[0]
        if not isinstance(size, int) or not isinstance(k, int) or not 1 <= k < size:
            return None
        return Pick(layer.id, size, k, largest_of if k == 1 else None)

    def _axis(self, layer: Layer) -> int | None:
        """Return the only axis that a call picks along."""
        axes = (layer.attrs.get("axis", -1),) if layer.kind == "top_k" else layer.attrs.get("axes")
        if axes is None and len(self.graph.shape(layer.inputs[0]) or ()) == 1:
            return 0
        axis = axes[0] if isinstance(axes, tuple) and len(axes) == 1 else None
        return axis if isinstance(axis, int) else None

    def _places_used(self, layer: Layer, axis: int) -> object:
        """Return how many of the places that a ``topk`` gives are used.

        The noisy router of Shazeer et al. (arXiv:1701.06538) picks k + 1, to compare each score with the
        threshold, and cuts the last place off: the part of the axis that every reader keeps is the number of
        experts.
        """
        if not layer.outputs:
            return None
        places = layer.outputs[-1]
        readers = [r for r in self._readers.get(places, ()) if r > self._calls.ends[layer.id]]
        shape = self.graph.shape(places) or ()
        cuts = [self._cut_to(self.graph.layers[r], shape, axis) for r in readers]
        known = [size for size in cuts if size is not None]
        return max(known) if known and len(known) == len(cuts) else layer.attrs.get("size")

    def _cut_to(self, reader: Layer, before: Shape, axis: int) -> int | None:
        """Return the length that a call leaves of an axis, if it only cuts its input there."""
        shapes = [self.graph.shape(i) for i in (*dict.fromkeys(reader.inputs), *reader.outputs)]
        if len(shapes) != 2 or shapes[0] != before or self._formulas.parts(reader):
            return None
        after = shapes[1] or ()
        size = after[axis] if len(after) == len(before) else None
        if size is None or after != (*before[:axis], size, *before[axis + 1 :]):
            return None
        return size if isinstance(size, int) and size != before[axis] else None

    @functools.cached_property
    def _readers(self) -> dict[int, list[int]]:
        """By the tensor that a pick gave, the calls that compute with it; [] if it is only returned."""
        given = {i: i for layer in self.graph.layers if layer.kind in PICKS for i in layer.outputs}
        readers: dict[int, list[int]] = {}
        for layer in self.graph.layers:
            for tensor in given.keys() & tensors_read(layer):
                if self._passes_on(layer):
                    given[layer.outputs[0]] = given[tensor]
                else:
                    readers.setdefault(given[tensor], []).append(layer.id)
        for tensor in given.keys() & set(self.graph.outputs):
            readers.setdefault(given[tensor], [])
        return readers

    def _passes_on(self, layer: Layer) -> bool:
        """Return whether a call only passes on its input, as ``detach``, ``contiguous`` and casts do.

        An op is one call among several for one line of code: the reader of a pick is the first call after
        these.
        """
        if len(layer.inputs) != 1 or len(layer.outputs) != 1 or self._formulas.kind_of[layer.id] is None:
            return False
        shapes = {self.graph.shape(layer.inputs[0]), self.graph.shape(layer.outputs[0])}
        return len(shapes) == 1 and not self._formulas.parts(layer)
