"""Ops on known values, kept so that they can be run again in the order in which the forward ran them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from flopledger_torch.op_rules import replaced, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Memory:
    """The steps that a tensor and its views share: those that write to it, and those that read it.

    It is ``lost`` once something unknown was written to it, and ``given`` once something of the inputs was.
    """

    __slots__ = ("given", "lost", "readers", "writers")

    def __init__(self) -> None:
        self.writers: list[Step] = []
        self.readers: list[Step] = []
        self.lost = self.given = False


class Tracked:
    """A tensor that follows from known ones: its memory, the step that makes it, its value once computed."""

    __slots__ = ("memory", "step", "value")

    def __init__(self, memory: Memory, step: Step) -> None:
        self.memory, self.step = memory, step
        self.value: torch.Tensor | None = None


class Step:
    """One op on known tensors; ``run`` is None where its result is not known."""

    __slots__ = ("done", "given", "inputs", "number", "outputs", "run", "writes")

    def __init__(self, number: int, inputs: list[Tracked], run: Callable[[], Any] | None) -> None:
        self.number, self.inputs, self.run = number, inputs, run
        self.outputs: list[Tracked] = []
        self.writes: list[Memory] = []
        self.given = False
        self.done = False


def needed(wanted: Iterable[Step]) -> list[Step]:
    """Return the steps that must be run for others; before a write, the readers of its memory."""
    pending, seen = list(wanted), {}
    while pending:
        step = pending.pop()
        if step.number in seen:
            continue
        seen[step.number] = step
        if step.done:
            continue
        for known in step.inputs:
            pending.append(known.step)
            pending += [one for one in known.memory.writers if one.number < step.number]
        for memory in step.writes:
            pending += [one for one in memory.readers if one.number < step.number]
    return list(seen.values())


def again(
    func: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    blank: torch.Tensor | None,
    known: Mapping[int, Tracked],
) -> Callable[[], Any]:
    """Return a function that runs an op again, on values; a stand-in whose shape alone matters is zeros."""
    shape, dtype = (None, None) if blank is None else (tuple(blank.shape), blank.dtype)

    def place(tensor: torch.Tensor) -> Any:
        return known.get(id(tensor), _BLANK)

    kept, named = replaced(args, place), {name: replaced(value, place) for name, value in kwargs.items()}

    def run() -> Any:
        def real(value: Any) -> Any:
            if isinstance(value, list):
                return [real(item) for item in value]
            if value is _BLANK:
                return torch.zeros((), dtype=dtype).expand(shape or ())
            if isinstance(value, Tracked):
                if value.value is None or value.memory.lost:
                    raise LookupError
                return value.value
            return torch.device("cpu") if isinstance(value, torch.device) else value

        return func(*real(kept), **{name: real(value) for name, value in named.items()})

    return run


_BLANK = object()


def run_once(step: Step) -> None:
    """Run a step, unless it was run; one that can't be leaves its results unknown."""
    if step.done:
        return
    step.done = True
    try:
        found = [] if step.run is None else tensors_in(step.run())
    except Exception:  # noqa: BLE001  (an op may refuse values in its own ways; the value is then not known)
        step.run = None
    if step.run is None:
        for memory in step.writes:
            memory.lost = True
        return
    step.inputs, step.run = [], _done
    for known, tensor in zip(step.outputs, found, strict=False):
        known.value = tensor


def _done() -> None:
    """Take the place of a step that was run: one that kept its inputs would keep all values ever computed."""
