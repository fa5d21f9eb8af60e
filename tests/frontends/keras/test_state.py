"""A reading leaves a Keras layer as it was, wherever its call remembers."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Calling(keras.layers.Layer):  # type: ignore[misc]
    """A layer whose call does something to the process."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.dense, self.act = keras.layers.Dense(4), act

    def call(self, x: Any) -> Any:
        self.act()
        return self.dense(x)


SWITCHES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "float": (lambda: keras.config.set_floatx("float64"), keras.config.floatx),
    "epsilon": (lambda: keras.config.set_epsilon(0.5), keras.config.epsilon),
    "format": (
        lambda: keras.config.set_image_data_format("channels_first"),
        keras.config.image_data_format,
    ),
    "policy": (
        lambda: keras.config.set_dtype_policy("mixed_bfloat16"),
        lambda: keras.config.dtype_policy().name,
    ),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_as_it_was(name: str) -> None:
    act, state = SWITCHES[name]
    before = state()
    assert fl.count(keras.Sequential([Calling(act)]), "2x3").total.count == 24
    assert state() == before


def test_seeds_variables_and_generators_of_tensorflow_are_as_they_were() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    variable, generator = tensorflow.Variable([1.0]), tensorflow.random.Generator.from_seed(3)

    def act() -> None:
        tensorflow.random.set_seed(5)
        variable.assign_add([1.0])
        generator.uniform((2,))

    tensorflow.random.set_seed(7)
    expected = tensorflow.random.uniform((2,)).numpy().tolist()
    tensorflow.random.set_seed(7)
    state = generator.state.numpy().tolist()
    assert fl.count(keras.Sequential([Calling(act)]), "2x3").total.count == 24
    assert tensorflow.random.uniform((2,)).numpy().tolist() == expected
    assert variable.numpy().tolist() == [1.0]
    assert generator.state.numpy().tolist() == state
