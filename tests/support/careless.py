"""Careless layers, whose forward writes its inputs to places chosen at random.

A layer of a framework inherits from :class:`Remembers` beside the framework's class.
"""

from __future__ import annotations

import collections
import functools
import random
import types
from typing import TYPE_CHECKING, Any

import numpy as np

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
    Memory.shared = Remembers.latest = x
    table(len(x.shape))


def at_random(_: Any) -> None:
    np.random.seed(5)  # noqa: NPY002  (what is tried)
    random.seed(5)


class Remembers:
    """A layer that writes down its inputs, in places that are chosen at random."""

    latest: Any = None

    def choose(self, chosen: random.Random) -> None:
        """Take some of the places, after the framework's own constructor."""
        self.last, self.calls, self.fails = None, 0, False
        self.plain = types.SimpleNamespace(seen=[{}], last=None)
        self.nested: dict[str, Any] = {
            "deep": [[1, 2], {"list": []}],
            "queue": collections.deque([1], maxlen=3),
        }
        held: list[Any] = []

        def hold(x: Any) -> None:
            held.append(x)

        self.held_list = held
        places: list[Callable[[Any], Any]] = [
            lambda x: setattr(self, "last", x),
            lambda x: setattr(self.plain, "last", x),
            lambda x: self.plain.seen[0].__setitem__("x", x),
            self.nested["deep"][1]["list"].append,
            self.nested["queue"].append,
            hold,
            note,
            in_globals,
            in_classes,
            at_random,
        ]
        self.places = chosen.sample(places, chosen.randint(1, len(places)))

    def remember(self, x: Any) -> None:
        """Write down an input, or fail when told to."""
        self.calls += 1
        for place in self.places:
            place(x)
        if self.fails:
            raise ValueError("as it is told")


def remembered(layer: Remembers) -> list[Any]:
    """Return the memory of a layer and the program around it, and which objects hold it."""
    plain, nested = layer.plain, layer.nested
    deep, queue = nested["deep"], nested["queue"]
    return [
        LAST, dict(STORE), dict(vars(MEMORY)), Memory.shared, Remembers.latest, COUNTS.tolist(),
        list(note.__defaults__ or ()), dict(vars(note)), table.cache_info().currsize,
        random.getstate(), str(np.random.get_state()),  # noqa: NPY002  (what is tried)
        layer.last, layer.calls, plain.last, dict(plain.seen[0]), list(deep[1]["list"]), list(queue),
        list(layer.held_list), sorted(vars(layer)),
        [id(one) for one in (plain, plain.seen, plain.seen[0], nested, deep, deep[1], queue)],
    ]  # fmt: skip
