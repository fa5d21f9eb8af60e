"""The memory of a training step: tensors kept by the forward, and gradients made and freed by the backward.

The backward runs the calls in reverse. Each makes a gradient for each operand that wants one, in the
operand's type; views, sums and joins pass theirs on, or parts of it. Then its result's gradient is freed, and
the tensors that no earlier call has kept. A second gradient of the same tensor is added to the first: in its
memory, where nothing else has it or shows it. Gradients of weights stay. Kernels' workspaces are not in it.

What a call makes for its gradients is what its framework was seen to make (:mod:`..derivative`), where a
frontend has looked; else it follows from the call's kind.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.analysis import saved
from flopledger.analysis.flow import tensors_read
from flopledger.analysis.memory import STILL
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.analysis.derivative import Derivative
    from flopledger.analysis.gradients import Gradients
    from flopledger.analysis.memory import Memory
    from flopledger.graph.tables import Layer

PASSES_ON = frozenset(("view", "reshape", "transpose", "identity", "add", "subtract", "reduce_sum"))
"""Kinds whose operand's gradient is that of the result, if it is as large, shown often of a sum."""
PARTS = frozenset(("concat", "stack"))
"""Kinds whose operands' gradients are parts of that of the result."""
PRODUCTS = frozenset(("multiply", "divide", "power", "prelu"))
REPEATS = PRODUCTS | {"add", "subtract", "matmul", "linear"}
"""Kinds that repeat a smaller operand; the gradient of each repeat of one of products is in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Memory:
    """The memory of a gradient, which several tensors may have in common."""

    bytes: int


@dataclass(frozen=True, slots=True)
class _Gradient:
    """A gradient of a tensor or a weight; it may show a part of its memory, or show it in another form.

    ``tensor`` is equal for gradients that are one tensor, as both operands' of a sum are.
    """

    of: tuple[str, int]
    memory: _Memory
    shows: bool = False
    tensor: object = field(default_factory=object)


class Backward:
    """One training step of a graph, in bytes."""

    def __init__(self, memory: Memory, gradients: Gradients) -> None:
        self._memory, self._gradients, self._graph = memory, gradients, memory.graph
        self._held = {storage: self._bytes(storage) for storage in memory.kept}
        self._waiting: dict[tuple[str, int], _Gradient] = {}
        self._most = 0

    def _bytes(self, storage: int) -> int:
        return int(str(self._memory.bytes_of(storage)))

    def _size(self, tensor: int) -> int:
        return int(str(self._memory.size(tensor)))

    def peak(self) -> int:
        """Return the most bytes that are alive at once: activations, and gradients of them and of weights."""
        forward = (sum(alive.values()) for _, alive in self._memory.alive(frozenset(self._held), held=True))
        self._most = max(forward, default=0)
        one = _Memory(0)  # the loss is the sum of all results: a single number, shown for each element
        wanted = (i for i in self._graph.outputs if self._gradients.want(i))
        self._waiting = {("", i): _Gradient(("", i), one, shows=True) for i in wanted}
        needed = self._needed_until()
        for layer in reversed(self._reached()):
            self._run_again(layer)
            known = self._gradients.derivative(layer)
            given = self._given(layer, known)
            made = [] if known is not None and not given else self._of_operands(layer, given)
            self._look(*given, *made, beside=self._beside(layer, made) if made else 0)
            for storage in needed.get(layer.id, ()):
                self._held.pop(storage, None)
            self._hand_on(made)
        return self._most

    def _given(self, layer: Layer, known: Derivative | None) -> list[_Gradient]:
        """Take the gradients of a call's results; of one that writes to a view, those of all its memory."""
        results = list(dict.fromkeys(layer.outputs))
        if known is not None and known.through:
            results.append(self._memory.storages[results[0]])
        keys = [("", i) for i in dict.fromkeys(results)]
        return [self._waiting.pop(key) for key in keys if key in self._waiting]

    def _look(self, *more: _Gradient, beside: int = 0) -> None:
        """Note the memory that is in use now, gradients included; each memory counts once."""
        every = {id(one.memory): one.memory.bytes for one in (*self._waiting.values(), *more)}
        self._most = max(self._most, sum(self._held.values()) + sum(every.values()) + beside)

    def _reached(self) -> list[Layer]:
        return [layer for layer in self._memory.leaves if layer.id in self._gradients.reached]

    def _needed_until(self) -> dict[int, list[int]]:
        """Return the storages that go after the backward of each call, the last that needs them."""
        last: dict[int, int] = {}
        for layer in reversed(self._reached()):
            kept = self._memory.stored(layer, saved.tensors(layer, self._gradients))
            last.update(dict.fromkeys(kept, layer.id))
        for region, _ in self._gradients.regions():
            begin = min(one.id for one in region if one.id in self._gradients.reached)
            for storage in self._memory.entering(region):
                last[storage] = min(last.get(storage, begin), begin)
        found: dict[int, list[int]] = {}
        for storage, call in last.items():
            found.setdefault(call, []).append(storage)
        return found

    def _run_again(self, layer: Layer) -> None:
        """Make the tensors that a checkpointed region keeps, when the backward comes to its last call."""
        for region, _ in self._gradients.regions():
            reached = [one for one in region if one.id in self._gradients.reached]
            if layer.id == max(one.id for one in reached):
                for one in reached:
                    kept = self._memory.stored(one, saved.tensors(one, self._gradients))
                    self._held.update({storage: self._bytes(storage) for storage in kept})

    def _of_operands(self, layer: Layer, given: Sequence[_Gradient]) -> list[_Gradient]:
        """Return the gradients of a call's operands and weights."""
        known = self._gradients.derivative(layer)
        if known is not None:
            return self._as_found(layer, known, given)
        made: list[_Gradient] = []
        for tensor in dict.fromkeys(i for i in tensors_read(layer) if self._gradients.want(i)):
            size, weight = self._size(tensor), self._gradients.parameter(tensor)
            of = ("", tensor) if weight is None else ("weight", weight)
            passed = self._passed(layer, tensor) and len(given) == 1
            if passed and (weight is None or given[0].memory.bytes == size):
                shows = self._shows(layer, tensor)
                same = () if shows else (given[0].tensor,)
                made.append(_Gradient(of, given[0].memory, given[0].shows or shows, *same))
            else:
                made.append(_Gradient(of, _Memory(size), self._repeats(layer, tensor)))
        for weight in self._gradients.unseen(layer):
            size = self._memory.parameter_bytes(weight)
            made.append(_Gradient(("weight", weight), _Memory(size)))
        return made

    def _as_found(self, layer: Layer, known: Derivative, given: Sequence[_Gradient]) -> list[_Gradient]:
        """Return the gradients that the framework makes of a call's operands."""
        waiting = {one.of[1]: one for one in given}
        storages = self._memory.storages
        new = [_Memory(size) for size in known.new]
        made: list[_Gradient] = []
        for part in known.parts:
            weight = self._gradients.parameter(part.tensor)
            behind = known.through and part.tensor in layer.outputs
            of = ("", storages[part.tensor] if behind else part.tensor)
            of = of if weight is None else ("weight", weight)
            shown = None if part.result is None else waiting.get(layer.outputs[part.result])
            if part.new is not None:
                made.append(_Gradient(of, new[part.new], not part.whole))
            elif shown is not None:
                same = (shown.tensor,) if part.whole else ()
                made.append(_Gradient(of, shown.memory, shown.shows or not part.whole, *same))
            else:
                made.append(_Gradient(of, _Memory(self._size(part.tensor))))
        return made

    def _passed(self, layer: Layer, tensor: int) -> bool:
        """Return whether the result's gradient, or a part of it, is that of an operand."""
        if layer.kind in PARTS or (layer.kind in STILL and tensor in layer.outputs):
            return True
        if layer.kind == "subtract" and tensor not in layer.inputs[:1]:
            return False
        whole = layer.kind == "reduce_sum" or self._size(tensor) == self._size(layer.outputs[0])
        return layer.kind in PASSES_ON and len(layer.outputs) == 1 and whole

    def _shows(self, layer: Layer, tensor: int) -> bool:
        """Return whether an operand's gradient shows the result's in another form."""
        storages = self._memory.storages
        return layer.kind in (*PARTS, "reduce_sum") or storages[tensor] == storages[layer.outputs[0]]

    def _repeats(self, layer: Layer, tensor: int) -> bool:
        """Return whether an operand is repeated along axes, so that its gradient is a sum over them."""
        return layer.kind in REPEATS and self._size(tensor) < self._size(layer.outputs[0])

    def _beside(self, layer: Layer, made: Sequence[_Gradient]) -> int:
        """Return the bytes that are made for gradients, and gone with them."""
        known = self._gradients.derivative(layer)
        if known is not None:
            return known.peak - sum(known.new)
        repeated = sum(one.shows for one in made) if layer.kind in PRODUCTS else 0
        return repeated * self._size(layer.outputs[0]) if repeated else 0

    def _hand_on(self, made: Sequence[_Gradient]) -> None:
        """Let gradients wait for the calls that made the operands; add those that are not the first.

        A sum is written into the memory of the first if nothing else has it or shows it, as PyTorch's engine
        does. A weight's gradient is copied if something else has it as well, or if it repeats its elements.
        """
        for place, new in enumerate(made):
            old, left = self._waiting.get(new.of), made[place:]
            if old is None and not self._is_copied(new, left[1:]):
                self._waiting[new.of] = new
            elif old is None or old.shows or self._sharing(old, left):
                kind, number = new.of
                size = self._memory.parameter_bytes(number) if kind else self._size(number)
                self._waiting[new.of] = _Gradient(new.of, _Memory(size))
                self._look(*left if old is None else (old, *left))

    def _is_copied(self, new: _Gradient, left: Sequence[_Gradient]) -> bool:
        """Return whether a weight keeps a copy of its gradient."""
        kind, number = new.of
        others = (*self._waiting.values(), *left)
        shared = any(other.tensor is new.tensor for other in others)
        return bool(kind) and (shared or new.memory.bytes < self._memory.parameter_bytes(number))

    def _sharing(self, one: _Gradient, left: Sequence[_Gradient]) -> int:
        """Return how many other gradients are in the memory of one."""
        others = (other for other in (*self._waiting.values(), *left) if other is not one)
        return sum(other.memory is one.memory for other in others)
