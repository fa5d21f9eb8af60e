"""Values that don't depend on a forward's inputs: computed when they are asked for, and only then.

A forward may read its own constants (``self.strides.tolist()``, ``torch.arange(n).max().item()``), or
values that the caller gave (lengths, edges). A stand-in has no values, so each one that follows from known
tensors alone remembers the op that made it; when a value is asked for, those ops are run again on the real
tensors, in order, so that views and results in place come out as in a real forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor
from torch.utils._python_dispatch import _disable_current_modes

from flopledger_torch.op_rules import has_symbol, replaced, tensors_in
from flopledger_torch.record import PRODUCTS
from flopledger_torch.replay import Memory, Step, Tracked, again, needed, run_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flopledger_torch.op_rules import Rule

_MOST = 1 << 20
"""Elements of a tensor whose value is computed; more are data or weights, which no forward asks about."""
_SHAPE_ONLY = frozenset(
    (
        *("new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided", "zeros_like", "ones_like"),
        *("full_like", "empty_like", "_shape_as_tensor"),
    )
)
"""Ops that look at their first tensor's shape and type alone."""
READS = frozenset(
    (
        *(f"aten.{name}.data" for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")),
        "aten.tensor_split.tensor_indices_or_sections",
    )
)
"""Ops made of others whose C++ code reads whole numbers from memory: lengths, places to split at."""
_TYPES = (torch.Tensor, torch.nn.Parameter)


def _is_small(tensor: torch.Tensor) -> bool:
    count = tensor.numel()
    return type(count) is int and count <= _MOST


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    """Return a copy of a tensor that has values, to compute with."""
    return tensor.detach().to("cpu", copy=True)


class Values:
    """The tensors of one reading whose values are known."""

    def __init__(self) -> None:
        # Each entry keeps its tensor, since an address identifies it only as long as it lives.
        self._known: dict[int, tuple[torch.Tensor, Tracked]] = {}
        self._changed: dict[int, torch.Tensor] = {}
        self._steps = 0
        self.used_inputs = False

    def clear(self) -> None:
        """Let the tensors go, and the steps between them, which refer to each other."""
        for _, known in self._known.values():
            known.step.outputs.clear()
            known.memory.readers.clear()
            known.memory.writers.clear()
        self._known.clear()
        self._changed.clear()

    def source(self, stand_in: torch.Tensor, tensor: torch.Tensor, *, given: bool = False) -> None:
        """Note that a stand-in has the values of a tensor; ``given`` if it is an input."""
        if type(tensor) not in _TYPES or tensor.is_meta or tensor.layout != torch.strided:
            return
        if not tensor.is_quantized and _is_small(tensor):
            step = self._step([], lambda: _copied(tensor))
            step.given = given
            self._keep(stand_in, Memory(), step)

    def _keep(self, tensor: torch.Tensor, memory: Memory, step: Step) -> None:
        known = Tracked(memory, step)
        step.outputs.append(known)
        self._known[id(tensor)] = (tensor, known)

    def _step(self, inputs: list[Tracked], run: Callable[[], Any] | None) -> Step:
        self._steps += 1
        return Step(self._steps, inputs, run)

    def _find(self, tensor: torch.Tensor) -> Tracked | None:
        found = self._known.get(id(tensor))
        if found is None and type(tensor) in _TYPES:  # a constant that has its values
            self.source(tensor, tensor)
            found = self._known.get(id(tensor))
        return None if found is None else found[1]

    def note(self, func: Any, rule: Rule, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any) -> None:
        """Remember how an op's results follow from known tensors, and the memory that it wrote to."""
        blank = next(iter(tensors_in(args)), None) if rule.name in _SHAPE_ONLY else None
        given = [
            tensor
            for tensor in tensors_in((*args, *kwargs.values()) if kwargs else args)
            if tensor is not blank
        ]
        found = [self._find(tensor) for tensor in given]
        if None in found and not rule.writes and not (rule.view and any(one is not None for one in found)):
            return
        inputs = [known for known in found if known is not None]
        step = self._step(inputs, None)
        step.given = any(known.step.given or known.memory.given for known in inputs)
        # The actual work of a network on its inputs is never run, only counted.
        computes = step.given and PRODUCTS.search(rule.name)
        if None not in found and not computes and self._can_run(rule, args, kwargs, out):
            step.run = again(
                func, args, kwargs, blank, {id(t): k for t, k in zip(given, inputs, strict=True)}
            )
            for known in inputs:
                known.memory.readers.append(step)
        self._write(step, rule, args, kwargs)
        self._results(step, rule, args, out)

    @staticmethod
    def _can_run(rule: Rule, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any) -> bool:
        if not rule.repeatable or has_symbol(args) or has_symbol(tuple(kwargs.values())):
            return False
        return all(_is_small(tensor) for tensor in tensors_in(out))

    def _write(self, step: Step, rule: Rule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        for place, name in rule.writes:
            for tensor in tensors_in(args[place] if place < len(args) else kwargs.get(name)):
                known = self._find(tensor)
                if known is not None:
                    known.memory.writers.append(step)
                    known.memory.given = known.memory.given or step.given
                    step.writes.append(known.memory)
                elif type(tensor) in _TYPES:
                    self._changed[id(tensor)] = tensor

    def changed(self, tensor: torch.Tensor) -> bool:
        """Return whether a real tensor was written to: its memory, which is left alone, does not show it."""
        return id(tensor) in self._changed or id(tensor) in self._known

    def _results(self, step: Step, rule: Rule, args: tuple[Any, ...], out: Any) -> None:
        """Give the results their steps; a view of known memory keeps it even where its value is not known."""
        base = self._find(args[0]) if rule.view and args and isinstance(args[0], torch.Tensor) else None
        if rule.writes or (step.run is None and base is None):
            return
        for tensor in tensors_in(out):
            if id(tensor) not in self._known:
                self._keep(tensor, Memory() if base is None else base.memory, step)

    def value(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return a tensor's value as it is now; None if it is not known. It must not be written to."""
        known = self._find(tensor)
        if known is None:
            return None
        steps = needed([known.step, *known.memory.writers])
        with _disable_current_modes(), torch.no_grad():
            for step in sorted(steps, key=lambda one: one.number):
                run_once(step)
        if known.value is None or known.memory.lost:
            return None
        self.used_inputs = self.used_inputs or any(step.given for step in steps)
        return known.value

    def answer(self, func: Any, rule: Rule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return the result of an op that depends on values; NotImplemented if unknown."""
        found = {id(t): self.value(t) for t in tensors_in((*args, *kwargs.values()))}
        if None not in found.values():
            with _disable_current_modes(), torch.no_grad():
                out = func(
                    *replaced(args, lambda t: found[id(t)]),
                    **{name: replaced(value, lambda t: found[id(t)]) for name, value in kwargs.items()},
                )
            return replaced(out, self._stand_in)
        if rule.name == "index":
            places = self._places(args[1], found)
            return NotImplemented if places is None else func(args[0], places)
        mask = found.get(id(args[1])) if rule.name == "masked_select" else None
        if mask is None:
            return NotImplemented
        shape = torch.broadcast_shapes(args[0].shape, mask.shape)  # type: ignore[no-untyped-call]
        with _disable_current_modes():
            count = int(mask.expand(shape).sum())
        return args[0].new_empty((count,))

    def read(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return arguments with the values of whole numbers in place of their stand-ins, where known."""

        def real(tensor: torch.Tensor) -> torch.Tensor:
            value = None if tensor.dtype != torch.int64 else self.value(tensor)
            return tensor if value is None else value

        return tuple(real(one) if isinstance(one, torch.Tensor) else one for one in args)

    def packed(self, source: torch.Tensor, lengths: torch.Tensor, batch_first: bool) -> Any:  # noqa: FBT001
        """Return the rows of sequences of known lengths, and how many of them each step has.

        Raises:
            DataDependentOutputException: The lengths are not known.
        """
        known = self.value(lengths)
        if known is None:
            raise DataDependentOutputException(torch.ops.aten._pack_padded_sequence.default)
        first = source.shape[:2]
        with _disable_current_modes():
            sizes = torch._pack_padded_sequence(torch.zeros(*first, 1), known, batch_first)[1]
            rows = int(known.sum())
        return source.new_empty((rows, *source.shape[2:])), self._stand_in(sizes)

    def padded(self, source: torch.Tensor, sizes: torch.Tensor, *rest: Any) -> Any:
        """Return packed rows as sequences side by side again, and their lengths.

        Raises:
            DataDependentOutputException: How many rows each step has is not known.
        """
        known = self.value(sizes)
        if known is None:
            raise DataDependentOutputException(torch.ops.aten._pad_packed_sequence.default)
        with _disable_current_modes():
            out, lengths = torch._pad_packed_sequence(torch.zeros(int(known.sum()), 1), known, *rest)
        return source.new_empty((*out.shape[:2], *source.shape[1:])), self._stand_in(lengths)

    def truth(self, tensor: torch.Tensor) -> bool | None:
        """Return whether a tensor of one element is true; None if that is not known."""
        known = self.value(tensor)
        with _disable_current_modes():
            return None if known is None else bool(known)

    def _places(self, indices: Iterable[Any], found: Mapping[int, torch.Tensor | None]) -> list[Any] | None:
        """Return indices with the places in them that known masks select; None if one is not known."""
        places: list[Any] = []
        for index in indices:
            if index is None or index.dtype not in (torch.bool, torch.uint8):
                places.append(index)
                continue
            mask = found[id(index)]
            if mask is None:
                return None
            with _disable_current_modes():
                selected = mask.nonzero(as_tuple=True)
            places += map(self._stand_in, selected)
        return places

    def _stand_in(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a stand-in for a tensor that was computed here."""
        mode: Any = torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)
        with _disable_current_modes():
            meta = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            fake: torch.Tensor = FakeTensor(mode, meta, torch.device("cpu"))
        self.source(fake, tensor)
        return fake
