"""Copier of objects with a part written in C, whose state a forward may change: streams, counters, arrays.

:class:`flopledger_torch.state.copies.Copies` asks here for types that are more than a table of attributes.
"""

from __future__ import annotations

import copy
import io
import itertools
import random
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

import torch

from flopledger_torch.state import functions

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGE_ARRAY = 1 << 20
"""Bytes from which an array of numbers is shown as it is, read-only, where a copy would cost memory."""
_RESTARTED = frozenset(("list_iterator", "tuple_iterator", "range_iterator", "str_ascii_iterator"))
"""Iterators that a copy of is a second one at the same place."""


class Copier(Protocol):
    """Makes the copies of all objects that a model reaches."""

    def copy(self, value: Any) -> Any:
        """Return the copy of an object, which may be filled later."""

    def later(self, fill: Callable[[], None]) -> None:
        """Have a copy filled once there is one of each object around it."""


def special() -> dict[type, Callable[[Copier, Any], Any]]:
    """Return the makers of copies of each of these types."""
    return {**_SPECIAL, **_numpy_types()}


def restarted(iterator: Any) -> bool:
    """Return whether an iterator has a copy: it is such a type, and gives nothing copied by itself."""
    if type(iterator).__name__ not in _RESTARTED:
        return False
    over = iterator.__reduce__()[1][0]
    return type(over) not in (list, tuple) or all(type(one) in functions.PLAIN for one in over)


def _random(copies: Copier, value: random.Random) -> random.Random:
    del copies
    made = random.Random.__new__(random.Random)
    made.setstate(value.getstate())
    return made


def _local(copies: Copier, value: threading.local) -> threading.local:
    made = threading.local()
    for name, item in threading.local.__getattribute__(value, "__dict__").items():
        made.__dict__[name] = copies.copy(item)
    return made


def _counter(copies: Copier, value: Any) -> Any:
    """Return a counter at the position of another, which only its repr shows without moving it on."""
    del copies
    start, _, step = repr(value).removeprefix("count(").removesuffix(")").partition(", ")
    return itertools.count(_number(start), _number(step or "1"))


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _stream(copies: Copier, value: Any) -> Any:
    del copies
    if value.closed:
        return value
    made = type(value)(value.getvalue())
    made.seek(value.tell())
    return made


def _generator(copies: Copier, value: torch.Generator) -> torch.Generator:
    del copies
    return value.clone_state()


_SPECIAL: dict[type, Callable[[Copier, Any], Any]] = {
    random.Random: _random,
    threading.local: _local,
    itertools.count: _counter,
    io.StringIO: _stream,
    io.BytesIO: _stream,
    bytearray: lambda _, value: bytearray(value),
    torch.Generator: _generator,
}
"""Types with a part written in C whose state a forward may change."""


def _numpy_types() -> dict[type, Callable[[Copier, Any], Any]]:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return {}

    def array(copies: Copier, value: Any) -> Any:
        if value.dtype.hasobject:
            made = numpy.empty_like(value)
            copies.later(lambda: made.__setitem__(..., [copies.copy(item) for item in value.flat]))
            return made
        if value.nbytes <= _LARGE_ARRAY:
            return value.copy()
        shown = value.view()
        shown.flags.writeable = False
        return shown

    found: dict[type, Callable[[Copier, Any], Any]] = {numpy.ndarray: array, numpy.memmap: array}
    for name in ("Generator", "RandomState"):
        found[getattr(numpy.random, name)] = lambda _, value: copy.deepcopy(value)
    return found


def pickled(value: Any) -> Any:
    """Return a builtin object rebuilt from its own description (``__reduce__``)."""
    make, arguments, *state = value.__reduce__()
    made = make(*arguments)
    if state and state[0] is not None:
        made.__setstate__(state[0])
    return made
