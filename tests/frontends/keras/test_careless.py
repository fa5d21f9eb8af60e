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

if TYPE_CHECKING:
    from collections.abc import Callable

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")

# Keras's own way of copying variables, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

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


class Remembering(keras.layers.Layer):  # type: ignore[misc]
    """A layer that writes down what it is given, in places that are chosen at random."""

    latest: Any = None

    def __init__(self, chosen: random.Random) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(5)
        self.last, self.calls, self.fails = None, 0, False
        self.plain = types.SimpleNamespace(seen=[{}], last=None)
        self.nested = {"deep": [[1, 2], {"list": []}], "queue": collections.deque([1], maxlen=3)}
        held: list[Any] = []

        def hold(x: Any) -> None:
            held.append(x)

        self.held_list = held
        places: list[Callable[[Any], Any]] = [
            lambda x: setattr(self, "last", x),
            lambda x: setattr(self.plain, "last", x),
            lambda x: self.plain.seen[0].__setitem__("x", x),
            self.nested["deep"][1]["list"].append,  # type: ignore[index,call-overload]
            self.nested["queue"].append,  # type: ignore[union-attr]
            hold,
            note,
            in_globals,
            in_classes,
            at_random,
        ]
        self.places = chosen.sample(places, chosen.randint(1, len(places)))

    def call(self, x: Any) -> Any:
        self.calls += 1
        for place in self.places:
            place(x)
        if self.fails:
            raise ValueError("as it is told")
        return self.dense(x) + x


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
        list(layer.held_list), sorted(vars(layer)), layer.trainable, layer.built,
        [id(one) for one in (plain, plain.seen, plain.seen[0], nested, deep, deep[1], queue, layer.dense)],
        [id(variable) for variable in layer.variables],
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(TRIES))
def test_a_model_that_remembers_is_as_it_was(seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311  (a seed that can be told)
    own, given = Remembering(chosen), np.ones((2, 5), "float32")
    network = keras.Sequential([keras.layers.Dense(5), own])
    if chosen.random() < 0.7:
        network.build((2, 5))
        result = keras.ops.convert_to_numpy(network.layers[0](given))
    else:
        result = None
    before, values = state(own), [keras.ops.convert_to_numpy(one) for one in network.variables]

    assert fl.count(network, "2x5").total.count == 2 * 2 * 5 * 5
    assert state(own) == before

    own.fails = True
    with pytest.raises(fl.FlopledgerError, match=r"as it is told|infer the output"):
        fl.read(network, "2x5")
    assert state(own) == before
    assert [keras.ops.convert_to_numpy(one).tobytes() for one in network.variables] == [
        one.tobytes() for one in values
    ]
    own.fails = False
    if result is not None:
        assert keras.ops.convert_to_numpy(network.layers[0](given)).tobytes() == result.tobytes()
    assert np.isfinite(keras.ops.convert_to_numpy(network(given))).all()
