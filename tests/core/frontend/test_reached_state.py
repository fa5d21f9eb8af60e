"""The memory of live objects is put back, wherever they reach it."""

from __future__ import annotations

import functools
import importlib
import types
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from flopledger.frontend.reached_state import ReachedState

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Frozen(OrderedDict):  # type: ignore[type-arg]
    """Settings that refuse changes."""

    def clear(self) -> None:
        raise TypeError

    def update(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        raise TypeError


class Memory:
    """A plain object."""


class Slotted:
    """One with slots."""

    __slots__ = ("last",)


class Raising:
    """One that raises at every question."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Layer:
    """An object that remembers in many places."""

    def __init__(self) -> None:
        kept: list[int] = []
        calls = 0

        def remember(x: int) -> int:
            nonlocal calls
            calls += 1
            kept.append(x)
            return calls + len(kept)

        self.remember = remember
        self.nested: dict[str, Any] = {"a": ([],), "b": {1}}
        self.memory, self.slotted, self.space = Memory(), Slotted(), types.SimpleNamespace(last=None)
        self.queue, self.settings, self.optional = deque([0], maxlen=1), Frozen(a=1), Raising()

    def forward(self, x: int) -> int:
        self.nested["a"][0].append(x)
        self.nested["b"].add(x)
        self.nested["c"] = x
        self.memory.last = self.slotted.last = self.space.last = x  # type: ignore[attr-defined]
        self.queue.append(x)
        OrderedDict.__setitem__(self.settings, "b", x)
        self.new = x
        return self.remember(x)


def test_everything_is_put_back_into_the_same_objects() -> None:
    layer = Layer()
    objects = {name: id(value) for name, value in vars(layer).items()}
    state = ReachedState([layer], ())
    layer.forward(7)
    state.put_back()
    assert {name: id(value) for name, value in vars(layer).items()} == objects
    assert layer.nested == {"a": ([],), "b": {1}}
    assert vars(layer.memory) == {}
    assert not hasattr(layer.slotted, "last")
    assert layer.space.last is None
    assert list(layer.queue) == [0]
    assert dict(layer.settings) == {"a": 1}
    assert layer.forward(7) == 2


def test_objects_of_closed_packages_are_left_alone() -> None:
    layer = Layer()
    state = ReachedState([layer], (__name__.partition(".")[0],))
    layer.memory.last = 1  # type: ignore[attr-defined]
    state.put_back()
    assert vars(layer.memory) == {"last": 1}


LIBRARY = """
READY = False


class One:
    def up(self):
        global READY
        READY = True
"""
COUNTS = {"calls": 0}
LAST: Any = None


@functools.lru_cache
def cached(x: int) -> list[int]:
    return [x]


def note(x: int, *, kept: list[int] = []) -> None:  # noqa: B006  (what is tested)
    global LAST  # noqa: PLW0603  (what is tested)
    LAST = x
    kept.append(x)
    note.last = x  # type: ignore[attr-defined]
    COUNTS["calls"] += 1
    cached(x)


class Base:
    """A class whose table is written to."""

    shared: Any = None

    def write(self, x: int) -> None:
        type(self).shared = x
        Base.total = x  # type: ignore[attr-defined]
        note(x)


class Derived(Base):
    """One that inherits the method that writes."""


def test_the_names_of_the_code_and_the_tables_of_its_classes_are_put_back() -> None:
    state = ReachedState([Derived()], ())
    Derived().write(7)
    assert LAST == 7
    state.put_back()
    assert LAST is None
    assert COUNTS == {"calls": 0}
    assert (Derived.shared, Base.shared, hasattr(Base, "total")) == (None, None, False)
    assert "shared" not in vars(Derived)
    assert vars(note) == {}
    assert note.__kwdefaults__ == {"kept": []}
    assert cached.cache_info().currsize == 0


def test_a_library_that_has_set_itself_up_stays_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "setting_up.py").write_text(
        "READY = False\nclass One:\n def up(self):\n  global READY; READY = True\n"
    )
    monkeypatch.syspath_prepend(folder)
    library = importlib.import_module("setting_up")
    state = ReachedState([library.One()], ())
    library.One().up()
    state.put_back()
    assert library.READY is True
