"""Layers that remember what they see, in random places: their model is afterwards what it was."""

from __future__ import annotations

import random
from typing import Any

import flopledger as fl
import numpy as np
import pytest
from careless import TRIES, Remembers, remembered

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")

# Keras's own way of copying variables, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Remembering(Remembers, keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, chosen: random.Random) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(5)
        self.choose(chosen)

    def call(self, x: Any) -> Any:
        self.remember(x)
        return self.dense(x) + x


def state(layer: Remembering) -> list[Any]:
    own = [id(one) for one in (layer.dense, *layer.variables)]
    return [*remembered(layer), layer.trainable, layer.built, own]


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
