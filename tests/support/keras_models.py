"""Small Keras models that tests of the frontend share with the probes of the peers; imports Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

if TYPE_CHECKING:
    from collections.abc import Callable


class Cell(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, units: int) -> None:
        super().__init__()
        self.state_size = self.output_size = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.state_size))
        self.recurrent = self.add_weight(shape=(self.state_size, self.state_size))

    def call(self, x: Any, states: Any) -> Any:
        out = ops.matmul(x, self.kernel) + ops.matmul(states[0], self.recurrent)
        return out, [out]


def chain(apply: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Any:
    given = [keras.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(given if len(given) > 1 else given[0], apply(*given))


def changed(layer: Any, shape: tuple[int, ...], change: Callable[[Any], None]) -> Any:
    given = keras.Input(shape)
    out = layer(given)
    change(layer)
    return keras.Model(given, out)
