"""The calls of a network that pick some of several places: the k largest, or the largest with its place."""

from __future__ import annotations

import functools
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flopledger.analysis.flow import tensors_among

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.analysis.analysis import Structure
    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Layer

KINDS = frozenset({"top_k", "arg_max", "reduce_max"})
"""The kinds of calls that may pick."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A call that picks ``k`` of ``size``; ``largest_of`` is the tensor where it is the largest alone."""

    call: int
    size: int
    k: int
    largest_of: int | None = None


def together(picks: Sequence[Pick]) -> int:
    """Return how many are picked by calls that belong together.

    The largest of a tensor, and the largest of what is left of it, are two; the largest of one tensor
    asked for twice is one.
    """
    several = max((pick.k for pick in picks if pick.largest_of is None), default=0)
    return max(several, len({pick.largest_of for pick in picks} - {None}))


class Picks:
    """The picks of a network, by the size of the axis that they pick from."""

    def __init__(self, structure: Structure) -> None:
        self.structure, self.graph = structure, structure.graph
        self.by_size: dict[int, list[Pick]] = {}
        for layer in self.graph.layers:
            pick = self._pick(layer) if layer.kind in KINDS else None
            if pick is not None:
                self.by_size.setdefault(pick.size, []).append(pick)

    def inside(self, size: int, call: int) -> Iterator[int]:
        """Yield the picks of a size inside a call, in order."""
        picks = self.by_size.get(size, [])
        for place in range(bisect_right(picks, call, key=lambda pick: pick.call), len(picks)):
            if picks[place].call > self.ends[call]:
                return
            yield picks[place].call

    @functools.cached_property
    def ends(self) -> list[int]:
        """The last call inside each call, itself if there is none."""
        ends = list(range(len(self.graph.layers)))
        for layer in reversed(self.graph.layers):
            if layer.parent is not None:
                ends[layer.parent] = max(ends[layer.parent], ends[layer.id])
        return ends

    def _pick(self, layer: Layer) -> Pick | None:
        """Return what a call picks; nothing if nobody looks at the places of the largest."""
        if not layer.inputs or self.structure.formula(layer) is None:
            return None
        shape, axis = self.graph.shape(layer.inputs[0]) or (), self._axis(layer)
        if axis is None or not -len(shape) <= axis < len(shape):
            return None
        size, axis = shape[axis], axis % len(shape)
        if layer.kind == "top_k":
            pick, k = Pick(layer.id, 0, 0), self._kept(layer, axis)
        else:
            places = layer.outputs[1:2] if layer.kind == "reduce_max" else layer.outputs[:1]
            if self._readers.keys().isdisjoint(places):
                return None
            pick, k = Pick(layer.id, 0, 0, layer.inputs[0]), layer.attrs.get("top", 1)
        if not isinstance(size, int) or not isinstance(k, int) or not 1 <= k < size:
            return None
        return Pick(pick.call, size, k, pick.largest_of if k == 1 else None)

    def _axis(self, layer: Layer) -> int | None:
        """Return the only axis that a call picks along."""
        axes = (layer.attrs.get("axis", -1),) if layer.kind == "top_k" else layer.attrs.get("axes")
        if axes is None and len(self.graph.shape(layer.inputs[0]) or ()) == 1:
            return 0
        axis = axes[0] if isinstance(axes, tuple) and len(axes) == 1 else None
        return axis if isinstance(axis, int) else None

    def _kept(self, layer: Layer, axis: int) -> object:
        """Return how many places of those that are picked are looked at; noisy routers pick one more."""
        if not layer.outputs:
            return None
        places = layer.outputs[-1]
        readers = [r for r in self._readers.get(places, ()) if r > self.ends[layer.id]]
        shape = self.graph.shape(places) or ()
        cuts = [self._cut(self.graph.layers[r], shape, axis) for r in readers]
        known = [size for size in cuts if size is not None]
        return max(known) if known and len(known) == len(cuts) else layer.attrs.get("size")

    def _cut(self, reader: Layer, before: Shape, axis: int) -> int | None:
        """Return what a call leaves of an axis of its only input, if it but cuts that."""
        shapes = [self.graph.shape(i) for i in (*dict.fromkeys(reader.inputs), *reader.outputs)]
        if len(shapes) != 2 or shapes[0] != before or self.structure.parts(reader):
            return None
        after = shapes[1] or ()
        size = after[axis] if len(after) == len(before) else None
        if size is None or after != (*before[:axis], size, *before[axis + 1 :]):
            return None
        return size if isinstance(size, int) and size != before[axis] else None

    @functools.cached_property
    def _readers(self) -> dict[int, list[int]]:
        """The calls that do something with what a pick gave, by the tensor that it gave."""
        given = {i: i for layer in self.graph.layers if layer.kind in KINDS for i in layer.outputs}
        readers: dict[int, list[int]] = {}
        for layer in self.graph.layers:
            for tensor in given.keys() & {*layer.inputs, *tensors_among(layer.native.values())}:
                if self._hands_on(layer):
                    given[layer.outputs[0]] = given[tensor]
                else:
                    readers.setdefault(given[tensor], []).append(layer.id)
        for tensor in given.keys() & set(self.graph.outputs):
            readers.setdefault(given[tensor], [])
        return readers

    def _hands_on(self, layer: Layer) -> bool:
        """Tell whether a call hands on its only input as it is."""
        if len(layer.inputs) != 1 or len(layer.outputs) != 1 or self.structure.formula(layer) is None:
            return False
        shapes = {self.graph.shape(layer.inputs[0]), self.graph.shape(layer.outputs[0])}
        return len(shapes) == 1 and not self.structure.parts(layer)
