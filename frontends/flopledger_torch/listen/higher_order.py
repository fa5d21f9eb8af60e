"""Operators that are given functions: branches, loops, maps, attention with a function for its scores.

Where the branch is known, it runs as the model's own calls; else the operator is one unknown call, by name.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch._ops import HigherOrderOperator

from flopledger_torch.listen.kernels import DEPENDS_ON_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger_torch.record import Recorder
    from flopledger_torch.values import Values

_LONGEST = 1 << 16
"""Turns of a loop whose condition is known; a longer one is taken for endless."""


class Ops(AbstractContextManager[Any], Protocol):
    """The part of the dispatching mode that these operators need; that module imports this one."""

    recorder: Recorder
    values: Values | None


def is_higher_order(func: Any) -> bool:
    """Return whether an operator is given functions."""
    return isinstance(func, HigherOrderOperator)


def run(ops: Ops, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run such an operator and record it, around the calls that it makes."""
    recorder, name = ops.recorder, func.name()
    event = recorder.open("op", f"higher_order.{name}", name)
    event.composite = True
    recorder.quiet += 1
    try:
        rule = _RULES.get(name)
        out = NotImplemented if rule is None else rule(ops, *args, **kwargs)
        if out is NotImplemented:
            event.problem = _PROBLEMS.get(name, "it is given functions, which are not followed")
            out = func(*args, **kwargs)
            recorder.close(event)
        tensors = [arg for arg in args if not callable(arg)]
        recorder.finish(event, tuple(tensors), {}, out)
    finally:
        recorder.quiet -= 1
        recorder.current = event.parent
    return out


_PROBLEMS = {
    "cond": "which branch runs depends on the data",
    "while_loop": "how often its body runs depends on the data",
}


def _truth(ops: Ops, value: Any) -> bool | None:
    """Return whether something is true; None if that depends on the data."""
    if not isinstance(value, torch.Tensor):
        return bool(value)
    return bool(value) if ops.values is None else ops.values.truth(value)


def _cond(ops: Ops, asked: Any, if_true: Any, if_false: Any, operands: Any = ()) -> Any:
    answer = _truth(ops, asked)
    if answer is None:
        return NotImplemented
    with ops:
        return (if_true if answer else if_false)(*operands)


def _while_loop(ops: Ops, goes_on: Any, body: Any, carried: Any, others: Any = ()) -> Any:
    state = tuple(carried)
    first, count = _condition(ops, goes_on, (*state, *others)), 0
    if first is None:
        return NotImplemented
    with ops:
        answer: bool | None = first
        while answer and count < _LONGEST:
            state = tuple(body(*state, *others))
            count += 1
            answer = _truth(ops, goes_on(*state, *others))
    if answer is None or answer:
        return NotImplemented
    return state


def _condition(ops: Ops, goes_on: Any, state: tuple[Any, ...]) -> bool | None:
    try:
        with ops:
            return _truth(ops, goes_on(*state))
    except DEPENDS_ON_DATA:
        return None


def _map(ops: Ops, function: Any, mapped: Any, others: Any = ()) -> Any:
    with ops:
        rows = [function(*row, *others) for row in zip(*(one.unbind(0) for one in mapped), strict=True)]
        return tuple(torch.stack(parts) for parts in zip(*rows, strict=True))


def _scan(ops: Ops, function: Any, carried: Any, scanned: Any, others: Any = ()) -> Any:
    """Run a scan step by step; the result of a step is its state, then its part of the results."""
    state, parts = list(carried), []
    with ops:
        for row in zip(*(one.unbind(0) for one in scanned), strict=True):
            given = list(function(*state, *row, *others))
            state, part = given[: len(state)], given[len(state) :]
            parts.append(part)
        return [*state, *(torch.stack(column) for column in zip(*parts, strict=True))]


_RULES: dict[str, Callable[..., Any]] = {
    "cond": _cond,
    "while_loop": _while_loop,
    "map_impl": _map,
    "scan": _scan,
}
