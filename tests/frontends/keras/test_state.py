"""A reading leaves a Keras layer as it was, wherever its call remembers."""

from __future__ import annotations

import collections
from typing import Any

import flopledger as fl
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Memory:
    """A plain object."""


class Careless(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.memory = keras.layers.Dense(4), Memory()
        self.nested: dict[str, Any] = {"a": [[]]}
        self.queue: collections.deque[Any] = collections.deque(maxlen=3)

    def call(self, x: Any) -> Any:
        self.memory.last = x  # type: ignore[attr-defined]
        self.nested["a"][0].append(x)
        self.queue.append(x)
        return self.dense(x) * len(self.queue) * len(self.nested["a"][0])


def test_a_layer_computes_after_a_reading_what_it_would_have_before() -> None:
    layer = Careless()
    layer.dense.build((2, 4))
    layer.built = True
    x = np.ones((2, 4), "float32")
    expected = keras.ops.convert_to_numpy(layer.dense(x))
    given = keras.Input((4,))
    model = keras.Model(given, layer(given))
    for held in (vars(layer.memory), layer.nested["a"][0], layer.queue):
        held.clear()
    assert fl.count(model, "2x4").total.count == 32
    assert (vars(layer.memory), list(layer.nested["a"][0]), list(layer.queue)) == ({}, [], [])
    assert (keras.ops.convert_to_numpy(layer(x)) == expected).all()
