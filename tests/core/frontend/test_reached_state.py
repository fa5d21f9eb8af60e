"""What live objects remember is put back, wherever they reach it."""

from __future__ import annotations

import types
from collections import OrderedDict, deque
from typing import Any

from flopledger.frontend.reached_state import ReachedState


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
