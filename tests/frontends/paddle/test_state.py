"""A reading leaves a Paddle layer as it was, wherever its forward remembers."""

from __future__ import annotations

import collections
import types
from typing import Any

import flopledger as fl
import paddle


class Frozen(collections.OrderedDict):  # type: ignore[type-arg]
    """Settings that refuse changes."""

    def clear(self) -> None:
        raise TypeError("these settings can't be changed")

    def update(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        raise TypeError("these settings can't be changed")


class Memory:
    """A plain object."""

    calls = 0


class Careless(paddle.nn.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.linear = paddle.nn.Linear(4, 4)
        self.memory, self.space = Memory(), types.SimpleNamespace(last=None)
        self.nested: dict[str, Any] = {"a": [[]]}
        self.queue: collections.deque[Any] = collections.deque(maxlen=3)
        self.settings = Frozen(scale=2)

    def forward(self, x: Any) -> Any:
        self.memory.calls += 1
        self.memory.last = self.space.last = x  # type: ignore[attr-defined]
        self.nested["a"][0].append(x)
        self.queue.append(x)
        return self.linear(x) * self.memory.calls * len(self.queue) * self.settings["scale"]


def test_a_layer_computes_after_a_reading_what_it_would_have_before() -> None:
    model, x = Careless(), paddle.ones([2, 4])
    expected = (model.linear(x) * 1 * 1 * 2).numpy()
    assert fl.count(model, "2x4").total.count == 32
    assert (vars(model.memory), model.nested, list(model.queue)) == ({}, {"a": [[]]}, [])
    assert model.space.last is None
    assert dict(model.settings) == {"scale": 2}
    assert (model(x).numpy() == expected).all()


def test_whether_gradients_are_kept_is_as_it_was() -> None:
    class Setting(paddle.nn.Linear):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            paddle.set_grad_enabled(mode=False)
            return super().forward(x)

    assert fl.count(Setting(3, 4), "2x3").total.count == 24
    assert paddle.is_grad_enabled()
