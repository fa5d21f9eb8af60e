"""Objects whose state is kept in C: generators of random numbers, buffers, streams, weak tables.

Attributes and elements show nothing of it, so each type has its own way to keep and restore it, through the
methods of the type itself: those of a user's subclass are not called.
"""

from __future__ import annotations

import array
import functools
import io
import random
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from flopledger.frontend.program_state import keep_table
from flopledger.frontend.type_of import bases_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Restore = Callable[[], bool]

_MOST_BYTES = 1 << 26
"""A buffer with more bytes is data, and is not kept."""
_STREAMS: tuple[Any, ...] = (io.StringIO, io.BytesIO)
_BUFFERS: tuple[Any, ...] = (bytearray, array.array)
_WEAK: tuple[Any, ...] = (weakref.WeakSet, weakref.WeakKeyDictionary, weakref.WeakValueDictionary)


def keeper(cls: type) -> Callable[[Any], Restore] | None:
    """Return the function that keeps the state of a type's objects; None for the types of other objects."""
    return next((found for base in bases_of(cls) if (found := _keepers().get(base))), None)


def parts(value: Any) -> Iterable[Any]:
    """Return the objects that one of these holds."""
    bases = bases_of(type(value))
    if threading.local in bases:
        return list(_local_table(value).values())
    if weakref.WeakKeyDictionary in bases:
        return list(_weak_table(value).values())
    return ()


@functools.cache
def _keepers_with(numpy: bool) -> dict[Any, Callable[[Any], Restore]]:  # noqa: FBT001  (the key of a cache)
    found: dict[Any, Callable[[Any], Restore]] = {
        random.Random: functools.partial(_keep, random.Random.getstate, random.Random.setstate),
        threading.local: lambda value: keep_table(_local_table(value)),
        memoryview: _keep_view,
    }
    for base in _STREAMS:
        found[base] = functools.partial(_keep_open, base)
    for base in _BUFFERS:
        found[base] = functools.partial(_keep_buffer, base)
    for base in _WEAK:
        found[base] = _keep_weak
    if numpy:
        arrays = sys.modules["numpy"].random
        found[arrays.Generator] = lambda value: _keep(_bits, _set_bits, value.bit_generator)
        found[arrays.BitGenerator] = functools.partial(_keep, _bits, _set_bits)
        found[arrays.RandomState] = functools.partial(
            _keep, lambda value: value.get_state(legacy=False), arrays.RandomState.set_state
        )
    return found


def _keepers() -> dict[Any, Callable[[Any], Restore]]:
    return _keepers_with("numpy" in sys.modules)


def _keep(get: Callable[[Any], Any], put: Callable[[Any, Any], Any], value: Any) -> Restore:
    before = get(value)

    def restore() -> bool:
        if repr(get(value)) == repr(before):
            return False
        put(value, before)
        return True

    return restore


def _bits(generator: Any) -> Any:
    return generator.state


def _set_bits(generator: Any, state: Any) -> None:
    generator.state = state


def _keep_open(base: Any, stream: Any) -> Restore:
    return (lambda: False) if stream.closed else _keep(base.__getstate__, base.__setstate__, stream)


def _keep_buffer(base: Any, value: Any) -> Restore:
    if memoryview(value).nbytes > _MOST_BYTES:
        return lambda: False
    before = base.__getitem__(value, slice(None))
    content = memoryview(before).tobytes()

    def restore() -> bool:
        if memoryview(value).tobytes() == content:
            return False
        base.__setitem__(value, slice(None), before)
        return True

    return restore


def _keep_view(view: memoryview) -> Restore:
    if view.readonly or not view.c_contiguous or view.nbytes > _MOST_BYTES:
        return lambda: False
    before = view.tobytes()

    def restore() -> bool:
        if view.tobytes() == before:
            return False
        view.cast("B")[:] = before
        return True

    return restore


def _keep_weak(value: Any) -> Restore:
    table = _weak_table(value)
    before = _entries(table)

    def restore() -> bool:
        now = _entries(table)
        if len(now) == len(before) and all(
            a is b for pair in zip(now, before, strict=True) for a, b in zip(*pair, strict=True)
        ):
            return False
        table.clear()
        alive = [entry for entry in before if all(part() is not None for part in entry if _is_weak(part))]
        table.update(alive if isinstance(table, dict) else [one for (one,) in alive])
        return True

    return restore


def _entries(table: Any) -> list[tuple[Any, ...]]:
    return list(table.items()) if isinstance(table, dict) else [(one,) for one in table]


def _is_weak(value: Any) -> bool:
    return weakref.ref in bases_of(type(value))


def _weak_table(value: Any) -> Any:
    return object.__getattribute__(value, "__dict__")["data"]


def _local_table(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = threading.local.__getattribute__(value, "__dict__")
    return found
