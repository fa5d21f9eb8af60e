"""Objects whose state is kept in C are put back in place, by the methods of their own types."""

from __future__ import annotations

import array
import io
import random
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.frontend import native_state

if TYPE_CHECKING:
    from collections.abc import Callable


class Dice(random.Random):
    """A subclass whose own methods nothing may call."""

    def getstate(self) -> Any:
        raise AssertionError

    def setstate(self, state: Any) -> None:
        raise AssertionError(state)


class Own(threading.local):
    """A subclass of a thread's own values."""


class Thing:
    """An object that weak references refer to."""


THING = Thing()
Case = tuple["Callable[[], Any]", "Callable[[Any], Any]", "Callable[[Any], Any]"]
CASES: dict[str, Case] = {
    "random.Random": (lambda: random.Random(1), lambda v: v.random(), lambda v: v.getstate()),  # noqa: S311
    "a subclass": (lambda: Dice(1), lambda v: v.random(), random.Random.getstate),
    "bytearray": (lambda: bytearray(b"ab"), lambda v: v.append(1), bytes),
    "array": (lambda: array.array("d", [float("nan")]), lambda v: v.append(1), lambda v: v.tobytes()),
    "text": (lambda: io.StringIO("abc"), lambda v: v.write("x"), lambda v: (v.getvalue(), v.tell())),
    "bytes": (lambda: io.BytesIO(b"abc"), lambda v: v.read(2), lambda v: (v.getvalue(), v.tell())),
    "view": (lambda: memoryview(bytearray(4)), lambda v: v.__setitem__(1, 9), bytes),
    "local": (Own, lambda v: setattr(v, "last", 1), vars),
    "weak keys": (weakref.WeakKeyDictionary, lambda v: v.__setitem__(THING, 1), len),
    "weak values": (weakref.WeakValueDictionary, lambda v: v.__setitem__(1, THING), len),
    "weak set": (lambda: weakref.WeakSet([THING]), lambda v: v.clear(), len),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_undone(name: str) -> None:
    make, change, state = CASES[name]
    value = make()
    keep = native_state.keeper(type(value))
    assert keep is not None
    before = repr(state(value))
    restore = keep(value)
    assert not restore()
    change(value)
    assert repr(state(value)) != before
    assert restore()
    assert repr(state(value)) == before
    assert not restore()


@pytest.mark.parametrize("name", ["Generator", "RandomState", "PCG64"])
def test_generators_of_numpy_are_put_back(name: str) -> None:
    numpy = pytest.importorskip("numpy")
    bits = numpy.random.PCG64(3)
    value = bits if name == "PCG64" else getattr(numpy.random, name)(bits)
    keep = native_state.keeper(type(value))
    assert keep is not None
    restore = keep(value)
    source = numpy.random.Generator(value) if name == "PCG64" else value
    before = source.normal()
    assert restore()
    assert source.normal() == before


def test_an_entry_whose_object_is_gone_is_not_put_back() -> None:
    table, thing = weakref.WeakSet[Thing](), Thing()
    table.add(thing)
    keep = native_state.keeper(type(table))
    assert keep is not None
    restore = keep(table)
    del thing
    table.add(THING)
    assert restore()
    assert list(table) == []


def test_a_stream_that_is_closed_is_left_alone() -> None:
    stream = io.StringIO("a")
    stream.close()
    keep = native_state.keeper(io.StringIO)
    assert keep is not None
    assert not keep(stream)()


def test_other_objects_have_no_state_of_this_kind() -> None:
    assert [native_state.keeper(cls) for cls in (object, list, Thing, threading.Lock().__class__)] == [
        None
    ] * 4


def test_what_they_hold_is_found() -> None:
    local, table = Own(), weakref.WeakKeyDictionary({THING: "value"})
    local.held = "held"
    assert list(native_state.parts(local)) == ["held"]
    assert list(native_state.parts(table)) == ["value"]
    assert list(native_state.parts(bytearray())) == []
