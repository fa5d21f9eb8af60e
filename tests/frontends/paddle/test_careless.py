"""Layers that remember what they see, in random places: their model is afterwards what it was."""

from __future__ import annotations

import collections
import functools
import random
import types
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 24
STORE: dict[str, Any] = {}
LAST: Any = None
COUNTS = np.zeros(3)


class Memory:
    """A plain object of the program, and a class whose table is written to."""

    shared: Any = None


MEMORY = Memory()


@functools.lru_cache
def table(size: int) -> list[int]:
    return [size]


def note(x: Any, kept: list[Any] = []) -> None:  # noqa: B006  (what is tried)
    kept.append(x)
    note.last = x  # type: ignore[attr-defined]


def in_globals(x: Any) -> None:
    global LAST  # noqa: PLW0603  (what is tried)
    LAST = STORE["last"] = MEMORY.last = x  # type: ignore[attr-defined]
    COUNTS[0] += 1


def in_classes(x: Any) -> None:
    Memory.shared = Remembering.latest = x
    table(len(x.shape))


def at_random(_: Any) -> None:
    np.random.seed(5)  # noqa: NPY002  (what is tried)
    random.seed(5)


class Remembering(paddle.nn.Layer):  # type: ignore[misc]
    """A layer that writes down what it is given, in places that are chosen at random."""

    latest: Any = None

    def __init__(self, chosen: random.Random) -> None:
        super().__init__()
        self.dense, self.norm = paddle.nn.Linear(5, 5), paddle.nn.BatchNorm1D(5)
        self.last, self.calls, self.fails = None, 0, False
        self.plain = types.SimpleNamespace(seen=[{}], last=None)
        self.nested = {"deep": [[1, 2], {"list": []}], "queue": collections.deque([1], maxlen=3)}
        held: list[Any] = []
        self.held = lambda x: held.append(x)  # noqa: PLW0108  (a closure is what is tried)
        self.held_list = held
        places: list[Callable[[Any], Any]] = [
            lambda x: setattr(self, "last", x),
            lambda x: setattr(self.plain, "last", x),
            lambda x: self.plain.seen[0].__setitem__("x", x),
            lambda x: self.nested["deep"][1]["list"].append(x),  # type: ignore[index,call-overload]  # noqa: PLW0108
            lambda x: self.nested["queue"].append(x),  # type: ignore[union-attr]  # noqa: PLW0108
            self.held,
            note,
            in_globals,
            in_classes,
            at_random,
        ]
        self.places = chosen.sample(places, chosen.randint(1, len(places)))

    def forward(self, x: Any) -> Any:
        self.calls += 1
        for place in self.places:
            place(x)
        if self.fails:
            raise ValueError("as it is told")
        return self.norm(self.dense(x)) + x


def program() -> list[Any]:
    """Return what the program remembers outside of the model."""
    return [
        LAST, dict(STORE), dict(vars(MEMORY)), Memory.shared, Remembering.latest, COUNTS.tolist(),
        list(note.__defaults__ or ()), dict(vars(note)), table.cache_info().currsize,
        random.getstate(), str(np.random.get_state()),  # noqa: NPY002  (what is tried)
    ]  # fmt: skip


def state(layer: Remembering) -> list[Any]:
    """Return what is remembered, and which objects hold it."""
    plain, nested = layer.plain, layer.nested
    deep, queue = nested["deep"], nested["queue"]
    return [
        *program(),
        layer.last, layer.calls, plain.last, dict(plain.seen[0]), list(deep[1]["list"]), list(queue),
        list(layer.held_list), sorted(vars(layer)), layer.training, layer.norm.training,
        [id(one) for one in (plain, plain.seen, plain.seen[0], nested, deep, deep[1], queue, layer.dense)],
        [id(one) for one in (*layer.parameters(), *layer.buffers())],
        {name: value.numpy().tobytes() for name, value in layer.state_dict().items()},
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(TRIES))
def test_a_model_that_remembers_is_as_it_was(seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311  (a seed that can be told)
    own, given = Remembering(chosen), paddle.ones([2, 5])
    own.eval()
    places, own.places = own.places, []
    result = own(given).numpy().tobytes()
    own.places = places
    if chosen.random() < 0.5:
        own.train()
    before = state(own)

    assert fl.count(own, "2x5").total.count == 2 * 5 * 5
    assert state(own) == before

    own.fails = True
    with pytest.raises(fl.FlopledgerError, match="as it is told"):
        fl.read(own, "2x5")
    assert state(own) == before

    own.fails, own.places = False, []
    own.eval()
    assert own(given).numpy().tobytes() == result
