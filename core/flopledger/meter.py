"""A limit on the steps of an evaluation: untrusted expressions may contain loops."""

from __future__ import annotations

from contextvars import ContextVar, Token

from flopledger.errors import Unbounded

MOST_STEPS = 1_000_000
"""The steps of one evaluation, or of a count beside those of its calls: about a second."""
MOST_STEPS_PER_CALL = 5_000
"""The steps that each call of a network adds to the budget of a count."""


class _Meter:
    """The remaining steps."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps


_METER: ContextVar[_Meter | None] = ContextVar("flopledger_meter", default=None)


class _Bound:
    """Bounds the steps inside a ``with``; a class, since each evaluation of an expression enters one."""

    __slots__ = ("_steps", "_token")

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._token: Token[_Meter | None] | None = None

    def __enter__(self) -> None:
        if _METER.get() is None:
            self._token = _METER.set(_Meter(self._steps))

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            _METER.reset(self._token)


def metered(calls: int = 0) -> _Bound:
    """Bound the steps of everything that is evaluated inside, unless it is within a bound already."""
    return _Bound(MOST_STEPS + calls * MOST_STEPS_PER_CALL)


def spend(steps: int) -> None:
    """Subtract steps from the remaining ones.

    Raises:
        Unbounded: Nothing is left.
    """
    meter = _METER.get()
    if meter is not None:
        meter.left -= steps
        if meter.left < 0:
            raise Unbounded("a calculation of more steps than any network needs")
