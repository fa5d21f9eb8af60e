"""The memory of a training step: tensors kept by the forward, and gradients made and freed by the backward.

The backward runs the calls in reverse. Each makes a gradient for each operand that wants one, in the
operand's type; views, sums and joins pass theirs on. Then its result's gradient is freed, and the tensors
that the call alone had kept. A second gradient of the same tensor is added to the first, in its memory where
nothing else has it. Gradients of weights stay. Kernels' workspaces are not in it, so that a measured peak
lies close and not to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flopledger.analysis import saved
from flopledger.analysis.flow import tensors_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.analysis.gradients import Gradients
    from flopledger.analysis.memory import Memory
    from flopledger.graph.tables import Layer

PASSES_ON = frozenset(
    ("view", "reshape", "transpose", "identity", "add", "concat", "stack", "split", "silence", "average")
)
"""Kinds whose operands' gradients are that of the result, or a view of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Gradient:
    """The memory of a gradient, which several tensors may have in common."""

    bytes: int


class Backward:
    """One training step of a graph, in bytes."""

    def __init__(self, memory: Memory, gradients: Gradients) -> None:
        self._memory, self._gradients, self._graph = memory, gradients, memory.graph
        self._forward = {storage: self._bytes(storage) for storage in memory.kept}
        self._gradient: dict[int, _Gradient] = {}
        self._weights: dict[int, _Gradient] = {}

    def _bytes(self, storage: int) -> int:
        return int(str(self._memory.bytes_of(storage)))

    def _size(self, tensor: int) -> int:
        return int(str(self._memory.size(tensor)))

    def peak(self) -> int:
        """Return the most bytes that are alive at once: activations, and gradients of them and of weights."""
        forward = [sum(alive.values()) for _, alive in self._memory.alive(frozenset(self._forward))]
        most = max(forward, default=0)
        held = dict(self._forward)
        needed = self._needed_until()
        for layer in reversed(self._reached()):
            self._run_again(layer, held)
            made = self._make(layer)
            most = max(most, sum(held.values()) + made)
            for storage in [s for s, call in needed.items() if call == layer.id]:
                held.pop(storage, None)
        return most

    def _reached(self) -> list[Layer]:
        return [layer for layer in self._memory.leaves if layer.id in self._gradients.reached]

    def _needed_until(self) -> dict[int, int]:
        """Return the first call that needs each storage that is kept: after its backward the storage goes."""
        first: dict[int, int] = {}
        for layer in reversed(self._reached()):
            kept = self._memory.stored(layer, saved.tensors(layer, self._gradients))
            first.update(dict.fromkeys(kept, layer.id))
        return first

    def _run_again(self, layer: Layer, held: dict[int, int]) -> None:
        """Make the tensors that a checkpointed region keeps, when the backward comes to its last call."""
        for region, _ in self._regions(layer):
            for one in region:
                if one.id in self._gradients.reached:
                    kept = self._memory.stored(one, saved.tensors(one, self._gradients))
                    held.update({storage: self._bytes(storage) for storage in kept})

    def _regions(self, layer: Layer) -> Iterator[tuple[Sequence[Layer], bool]]:
        for region, early in self._gradients.regions():
            reached = [one.id for one in region if one.id in self._gradients.reached]
            if reached and layer.id == max(reached):
                yield region, early

    def _make(self, layer: Layer) -> int:
        """Make the gradients of a call's operands; return the bytes of all gradients that are alive then."""
        given = [self._gradient.pop(i) for i in dict.fromkeys(layer.outputs) if i in self._gradient]
        passed = given if layer.kind in PASSES_ON else []
        beside = 0 if passed else sum(one.bytes for one in given)
        for tensor in dict.fromkeys(i for i in tensors_read(layer) if self._gradients.want(i)):
            size, weight = self._size(tensor), self._weight(tensor)
            made = passed[0] if passed else _Gradient(size)
            place, key = (self._gradient, tensor) if weight is None else (self._weights, weight)
            if key in place and weight is not None:  # a transposed view of a product: the sum is a third
                beside += place[key].bytes + size
                made = _Gradient(size)
            elif key in place:
                made, more = self._added(place[key], made, size, passed=bool(passed))
                beside += more
            place[key] = made
        for weight in self._gradients.unseen(layer):
            self._weights.setdefault(weight, _Gradient(self._memory.parameter_bytes(weight)))
        return beside + self._alive()

    def _added(self, old: _Gradient, new: _Gradient, size: int, *, passed: bool) -> tuple[_Gradient, int]:
        """Return the sum of two gradients, and what is alive beside it while it is made.

        It is written into one of the two if nothing else has its memory, as PyTorch's engine does.
        """
        shared = sum(one is old for one in (*self._gradient.values(), *self._weights.values())) > 1
        if not shared:
            return old, 0 if passed else size
        if not passed:
            return new, 0
        return _Gradient(size), 0

    def _alive(self) -> int:
        """Return the bytes of all gradients, each once however many tensors it is of."""
        every = {id(one): one.bytes for one in (*self._gradient.values(), *self._weights.values())}
        return sum(every.values())

    def _weight(self, tensor: int) -> int | None:
        return self._gradients.parameter(tensor)
