"""Layers that remember what they see, in random places: their model is afterwards what it was."""

from __future__ import annotations

import collections
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

TRIES = 12


class Remembering(keras.layers.Layer):  # type: ignore[misc]
    """A layer that writes down what it is given, in places that are chosen at random."""

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
        ]
        self.places = chosen.sample(places, chosen.randint(1, len(places)))

    def call(self, x: Any) -> Any:
        self.calls += 1
        for place in self.places:
            place(x)
        if self.fails:
            raise ValueError("as it is told")
        return self.dense(x) + x


def state(layer: Remembering) -> list[Any]:
    """Return what is remembered, and which objects hold it."""
    plain, nested = layer.plain, layer.nested
    deep, queue = nested["deep"], nested["queue"]
    return [
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
