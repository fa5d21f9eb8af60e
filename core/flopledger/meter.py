"""How much an evaluation may calculate: expressions from strangers run through loops of their own."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

from flopledger.errors import Unbounded

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_STEPS = 1_000_000
"""The steps of one evaluation, or of a count beside those of its calls: about a second."""
MOST_STEPS_PER_CALL = 5_000
"""The steps that each call of a network adds to what a count may take."""


class _Meter:
    """What is left to spend."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps


_METER: ContextVar[_Meter | None] = ContextVar("flopledger_meter", default=None)


@contextlib.contextmanager
def metered(calls: int = 0) -> Iterator[None]:
    """Bound the steps of everything that is evaluated inside, unless it is within a bound already."""
    if _METER.get() is not None:
        yield
        return
    token = _METER.set(_Meter(MOST_STEPS + calls * MOST_STEPS_PER_CALL))
    try:
        yield
    finally:
        _METER.reset(token)


def spend(steps: int) -> None:
    """Take steps off what is left.

    Raises:
        Unbounded: Nothing is left.
    """
    meter = _METER.get()
    if meter is not None:
        meter.left -= steps
        if meter.left < 0:
            raise Unbounded("a calculation of more steps than any network needs")
