"""Mixtures of experts in Keras: the weights that one token uses."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
ops = keras.ops


class Listed(keras.layers.Layer):
    """A router of 8 * 4 + 4 weights that picks one of four dense layers of 8 * 8 + 8, all in one layer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.router = keras.layers.Dense(4)
        self.experts = [keras.layers.Dense(8) for _ in range(4)]

    def build(self, shape: tuple[int, ...]) -> None:
        for layer in (self.router, *self.experts):
            layer.build(shape)

    def call(self, x: Any) -> Any:
        sent = ops.one_hot(ops.argmax(self.router(x), -1), 4)
        return sum(sent[..., i : i + 1] * expert(x) for i, expert in enumerate(self.experts))

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape


class Stacked(keras.layers.Layer):
    """A router of 8 * 4 weights that picks two of four experts of 8 * 12 + 12 + 12 * 8."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.router = keras.layers.Dense(4, use_bias=False)

    def build(self, shape: tuple[int, ...]) -> None:
        self.router.build(shape)
        self.up = self.add_weight(shape=(4, 8, 12))
        self.up_bias = self.add_weight(shape=(4, 12))
        self.down = self.add_weight(shape=(4, 12, 8))

    def call(self, x: Any) -> Any:
        weights, chosen = ops.top_k(ops.softmax(self.router(x)), 2)
        sent = ops.sum(ops.one_hot(chosen, 4) * ops.expand_dims(weights, -1), -2)
        inner = ops.relu(ops.einsum("bth,ehf->btef", x, self.up) + self.up_bias)
        out = ops.einsum("btef,efh->bteh", inner, self.down)
        return ops.sum(out * ops.expand_dims(sent, -1), -2)

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape


def test_experts_are_found_beside_their_router_and_in_a_stack() -> None:
    x = keras.Input((6, 8))
    ledger = fl.count(keras.Model(x, Listed(name="listed")(Stacked(name="stacked")(x))), "1x6x8")

    found = [(e.path, e.size, e.picked, e.params, e.active_params) for e in ledger.experts]
    assert found == [("stacked", 4, 2, 4 * 204, 2 * 204), ("listed", 4, 1, 4 * 72, 72)]
    assert ledger.total.active_params == 32 + 2 * 204 + 36 + 72
