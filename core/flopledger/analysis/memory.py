"""The memory of activations: all that are made, those alive at once, those that a backward keeps.

Memory is counted by storages: views and results in place share one. The innermost calls are followed in
order. While a call runs, its operands and results are alive together; then each storage goes that nothing
reads any more. That is the least that a run can do with: Python keeps local variables longer, and kernels
take workspaces of their own. Weights, buffers and inputs are apart.
"""

from __future__ import annotations

import bisect
import functools
import math
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.analysis import saved
from flopledger.analysis.flow import tensors_read
from flopledger.dims.arithmetic import is_symbolic, product, total
from flopledger.errors import UsageError
from flopledger.graph.dtypes import bytes_each
from flopledger.graph.tables import CONTAINER
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flopledger.analysis.formulas import Formulas
    from flopledger.analysis.gradients import Gradients
    from flopledger.dims.types import Dim, Number
    from flopledger.graph.tables import Layer, Tables

ROWS_READ = frozenset(("embedding", "gather", "embedding_bag"))
"""Kinds that read rows of a table."""
STILL = frozenset(("view", "reshape", "transpose", "identity", "cast", "dropout"))
"""Kinds that do nothing where their result is their operand."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The most bytes that are alive at once, the call at which they are, and those of each call."""

    bytes: int
    call: int | None
    of_calls: Mapping[int, int]


class Memory:
    """The memory of one graph's activations, in bytes; the peak needs numbers as sizes."""

    def __init__(
        self,
        graph: Tables,
        formulas: Formulas,
        gradients: Gradients,
        hidden: Mapping[int, tuple[int, ...]],
    ) -> None:
        self.graph, self._formulas, self._gradients, self._hidden = graph, formulas, gradients, hidden
        self.leaves = gradients.leaves

    @functools.cached_property
    def storages(self) -> list[int]:
        """The tensor that stands for the storage of each tensor."""
        found: list[int] = []
        for tensor in self.graph.tensors:
            base = tensor.alias_of
            found.append(tensor.id if base is None or base >= tensor.id else found[base])
        return found

    def size(self, tensor: int) -> Number:
        """Return the bytes of a tensor; 0 where its shape is not known."""
        record = self.graph.tensors[tensor]
        elements: Dim = 0 if record.shape is None else product(record.shape)
        return _whole(elements * bytes_each(record.dtype))

    @functools.cached_property
    def made_by(self) -> dict[int, int]:
        """The call that makes each storage; weights, buffers and inputs are made by none."""
        inputs = {self.storages[given.tensor] for given in self.graph.inputs}
        found: dict[int, int] = {}
        for layer in self.leaves:
            for tensor in layer.outputs:
                storage = self.storages[tensor]
                if storage == tensor and storage not in inputs and tensor not in layer.inputs:
                    found.setdefault(storage, layer.id)
        return found

    @functools.cached_property
    def made(self) -> dict[int, Number]:
        """The bytes of the storages that each call makes."""
        found: dict[int, Number] = {}
        for storage, call in self.made_by.items():
            found[call] = found.get(call, 0) + self.size(storage)
        return found

    @functools.cached_property
    def _last_reads(self) -> dict[int, int]:
        last = {
            self.storages[i]: layer.id
            for layer in self.leaves
            for i in (*tensors_read(layer), *layer.outputs)
        }
        return {**last, **{self.storages[i]: len(self.graph.layers) for i in self.graph.outputs}}

    @functools.cached_property
    def timeline(self) -> list[tuple[int, int]]:
        """The bytes that are alive while each call runs."""
        return [(call, sum(alive.values())) for call, alive in self.alive(frozenset())]

    @functools.cached_property
    def peak(self) -> Peak:
        """The most bytes that are alive at once."""
        most, at, held = 0, None, dict[int, int]()
        for call, alive in self.alive(frozenset()):
            now = sum(alive.values())
            if now > most:
                most, at, held = now, call, dict(alive)
        of_calls: dict[int, int] = {}
        for storage, size in held.items():
            maker = self.made_by[storage]
            of_calls[maker] = of_calls.get(maker, 0) + size
        return Peak(most, at, of_calls)

    @functools.cached_property
    def _last_held(self) -> dict[int, int]:
        """The call up to which each storage is held: one holds its arguments until it returns."""
        last = dict(self._last_reads)
        for layer in self.graph.layers:
            end = self._gradients.end(layer)
            for tensor in layer.inputs if end > layer.id else ():
                storage = self.storages[tensor]
                last[storage] = max(last.get(storage, end), end)
        return last

    def alive(self, kept: frozenset[int], *, held: bool = False) -> Iterable[tuple[int, dict[int, int]]]:
        """Yield each call with the storages that are alive while it runs; those kept stay.

        Args:
            kept: The storages that stay, for a backward.
            held: Whether calls hold their arguments until they return, as Python's do.

        Raises:
            UsageError: A size is a symbol, so that no moment has the most for all sizes.
        """
        alive: dict[int, int] = {}
        last = self._last_held if held else self._last_reads
        calls = [layer.id for layer in self.leaves]
        ends: dict[int, list[int]] = {}
        for storage in self.made_by.keys() - kept:
            place = bisect.bisect_left(calls, last[storage])
            ends.setdefault(calls[place] if place < len(calls) else -1, []).append(storage)
        for layer in self.leaves:
            for tensor in layer.outputs:
                storage = self.storages[tensor]
                if self.made_by.get(storage) == layer.id:
                    alive[storage] = _number(self.size(storage))
            yield layer.id, alive
            for storage in ends.get(layer.id, ()):
                alive.pop(storage, None)

    @functools.cached_property
    def kept(self) -> dict[int, int]:
        """The storages that the backward needs, of the results of calls, with the call that keeps each first.

        Of a checkpointed region only the inputs are kept.
        """
        return self._kept_by(self._gradients.reached)

    def _kept_by(self, calls: frozenset[int]) -> dict[int, int]:
        """Return the storages that calls keep, with the call that keeps each first."""
        inside = {one.id for region, _ in self._gradients.regions() for one in region}
        entering = self._entering()
        found: dict[int, int] = {}
        for layer in self.leaves:
            if layer.id in inside:
                storages = self._made(entering.get(layer.id, ()))
            elif layer.id in calls:
                storages = self.stored(layer, saved.tensors(layer, self._gradients))
            else:
                continue
            found.update({i: layer.id for i in storages if i not in found})
        return found

    def stored(self, layer: Layer, tensors: Iterable[int]) -> list[int]:
        """Return the storages that a call keeps; its own are one, numbered below 0, after the call."""
        copy = saved.copies(layer, self._gradients)
        if saved.own(layer, self._gradients):
            return [-1 - layer.id, *self._made(tensors)]
        as_they_are = tensors if not copy else [i for i in tensors if i != layer.inputs[0]]
        found = self._made(as_they_are)
        return [-1 - layer.id, *found] if copy else found

    def _made(self, tensors: Iterable[int]) -> list[int]:
        return [self.storages[i] for i in tensors if self.storages[i] in self.made_by]

    def bytes_of(self, storage: int) -> Number:
        """Return the bytes of a storage, of one that a call keeps beside its operands and results too."""
        if storage >= 0:
            return self.size(storage)
        layer = self.graph.layers[-1 - storage]
        known = saved.own(layer, self._gradients)
        return self.size(layer.outputs[0]) if known is None else known

    def _entering(self) -> dict[int, list[int]]:
        """Return the tensors that come into checkpointed regions, by the call that reads each."""
        found: dict[int, list[int]] = {}
        for region, _ in self._gradients.regions():
            calls = {one.id for one in region}
            for one in region:
                outside = [i for i in one.inputs if self.made_by.get(self.storages[i], -1) not in calls]
                found[one.id] = outside
        return found

    def entering(self, region: Sequence[Layer]) -> set[int]:
        """Return the storages that come into a checkpointed region from outside."""
        calls = {one.id for one in region}
        every = {self.storages[i] for one in region for i in one.inputs}
        return {i for i in every if i in self.made_by and self.made_by[i] not in calls}

    @functools.cached_property
    def saved(self) -> dict[int, Number]:
        """The bytes that each call keeps for a backward; each storage counts once.

        Autograd keeps them while a result lives, whether that reaches the loss or is dropped with them.
        """
        found: dict[int, Number] = {}
        for storage, call in self._kept_by(self._gradients.recorded).items():
            found[call] = found.get(call, 0) + self.bytes_of(storage)
        return found

    def moved(self, layer: Layer) -> Number:
        """Return the bytes that a call reads and writes."""
        return total(self.traffic(layer))

    def traffic(self, layer: Layer) -> tuple[Number, Number]:
        """Return the bytes that a call reads, and writes: each tensor once, of a table the rows taken alone.

        A view moves nothing. A result in another one's memory is no view if something is computed for it.
        """
        computed = bool(self._formulas.parts(layer))
        given = set(layer.inputs)
        writes = [
            i
            for i in layer.outputs
            if computed
            or self.made_by.get(self.storages[i]) == layer.id
            or (i in given and layer.kind not in STILL)
        ]
        if layer.kind == CONTAINER or (layer.outputs and not writes):
            return 0, 0
        read = (self._read(layer, i) for i in tensors_read(layer))
        return total((*read, *self._unseen(layer))), total(self.size(i) for i in writes)

    def _read(self, layer: Layer, tensor: int) -> Number:
        """Return the bytes of a tensor that a call reads, of a table the rows that are looked up."""
        rows = self._rows_read(layer, self.graph.tensors[tensor].dtype)
        table = tensor in layer.inputs[:1] if layer.kind == "gather" else rows is not None
        whole = self.size(tensor)
        if not table or rows is None:
            return whole
        more = not (is_symbolic(rows) or is_symbolic(whole)) and Fraction(str(rows)) > Fraction(str(whole))
        return whole if more else rows  # rows that are taken again are in memory once

    def _rows_read(self, layer: Layer, dtype: str) -> Number | None:
        """Return the bytes of the rows that a lookup takes of a table of a type; None if it is no lookup."""
        if layer.kind not in ROWS_READ or not layer.outputs:
            return None
        if layer.kind == "gather":
            return self.size(layer.outputs[0])
        if dtype.startswith(("int", "uint", "bool")):
            return None
        taken = product(self.graph.shape(layer.inputs[0]) or ()) if layer.inputs else 0
        width = (self.graph.shape(layer.outputs[0]) or (0,))[-1]
        return _whole(taken * width * bytes_each(dtype))

    def parameter_bytes(self, parameter: int) -> int:
        """Return the bytes of a parameter, rounded up to whole ones."""
        one = self.graph.parameters[parameter]
        return -int(-Fraction(str(one.numel)) * bytes_each(one.dtype) // 1)

    def _unseen(self, layer: Layer) -> Iterable[Number]:
        """Yield the bytes of the weights that a call reads unseen, of a table the rows taken."""
        for i in self._hidden.get(layer.id, ()):
            one = self.graph.parameters[i]
            rows = self._rows_read(layer, one.dtype)
            yield _whole(one.numel * bytes_each(one.dtype)) if rows is None else rows


def _whole(size: Number) -> Number:
    return size.numerator if isinstance(size, Fraction) and size.denominator == 1 else size


STATES: Mapping[str, tuple[int, int]] = {
    "sgd": (0, 0),
    "momentum": (1, 0),
    "rmsprop": (1, 4),
    "adagrad": (1, 4),
    "adam": (2, 4),
    "adamw": (2, 4),
    "amsgrad": (3, 4),
}
"""The state of optimizers for each weight: so many times its bytes, and some for the number of its steps."""


def _number(size: Number) -> int:
    if isinstance(size, (int, Fraction)):
        return math.ceil(size)
    need = "give numbers in place of symbols"
    raise UsageError(f"what is alive at once depends on the sizes ({size}): {need}")
