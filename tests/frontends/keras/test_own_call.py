"""Layers of the user's own, whose call is followed: on weights alone, and with TensorFlow's functions."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
kl, ops = keras.layers, keras.ops

if keras.config.backend() != "tensorflow":
    pytest.skip("Keras computes with another backend", allow_module_level=True)


class Linear(kl.Layer):  # type: ignore[misc]
    """A dense layer as TensorFlow's guide to layers of one's own writes it."""

    def __init__(self, units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.units = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.w = self.add_weight(shape=(shape[-1], self.units))
        self.b = self.add_weight(shape=(self.units,))

    def call(self, x: Any) -> Any:
        return tf.matmul(x, self.w) + self.b


class Block(kl.Layer):  # type: ignore[misc]
    """Layers of Keras and of the user's own, with functions of TensorFlow between them."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.up, self.down = kl.Dense(32, name="up"), Linear(16, name="down")

    def call(self, x: Any) -> Any:
        return x + tf.reshape(self.down(tf.nn.relu(self.up(x))), tf.shape(x))

    def compute_output_shape(self, shape: Any) -> Any:
        """Hide the layers inside: Keras infers the shapes from this alone."""
        return shape


class Position(kl.Layer):  # type: ignore[misc]
    def build(self, shape: tuple[int, ...]) -> None:
        self.table = self.add_weight(shape=shape[-2:])
        self.turn = self.add_weight(shape=(shape[-1], shape[-1]))

    def call(self, x: Any) -> Any:
        return ops.broadcast_to(ops.matmul(-self.table[:7] * 2.0, self.turn), ops.shape(x))


def test_functions_of_tensorflow_in_a_layer_are_counted() -> None:
    given = keras.Input((12,))
    graph = fl.read(keras.Model(given, Linear(3)(Linear(7)(given))))
    ledger = graph.count("mac")
    assert (ledger.total.count, ledger.total.params) == (12 * 7 + 7 * 3, 115)
    assert ledger.coverage.unknown == ()


def test_layers_inside_a_layer_that_states_its_output_shape_are_counted_under_their_names() -> None:
    given = keras.Input((16,))
    graph = fl.read(keras.Model(given, Block()(given)))
    ledger = graph.count("mac")
    assert ledger.total.count == 16 * 32 + 32 * 16
    assert ledger.coverage.unknown == ()
    paths = {layer.path: layer.kind for layer in graph.layers}
    assert paths["block.up"] == "linear"
    assert paths["block.down/MatMul"] == "matmul"
    assert paths["block/Relu"] == "relu"


def test_a_function_that_is_compiled_is_followed_into() -> None:
    @tf.function
    def product(a: Any, b: Any) -> Any:
        return tf.linalg.matmul(a, b, transpose_b=True)

    given = keras.Input((5, 12))
    model = keras.Model(given, kl.Lambda(lambda x: product(x, x), output_shape=(5, 5))(given))
    assert fl.count(model).total.count == 5 * 5 * 12


def test_operations_on_weights_alone_are_counted() -> None:
    given = keras.Input((7, 8), batch_size=1)
    ledger = fl.count(keras.Model(given, Position()(given)))
    assert ledger.total.count == 7 * 8 * 8
    assert ledger.coverage.unknown == ()


def test_what_tensorflow_computes_without_a_formula_is_unknown_by_its_name() -> None:
    given = keras.Input((4, 4))
    model = keras.Model(given, kl.Lambda(tf.linalg.expm, output_shape=(4, 4))(given))
    unknown = {u.source for u in fl.count(model).coverage.unknown}
    assert unknown
    assert all(source.startswith("tensorflow.") for source in unknown)


def test_convolutions_of_tensorflow_have_their_figures() -> None:
    def apply(x: Any) -> Any:
        y = tf.nn.conv2d(x, tf.ones((3, 3, 2, 6)), strides=2, padding="SAME")  # 2 groups of 2 channels
        y = tf.nn.depthwise_conv2d(y, tf.ones((3, 3, 6, 2)), [1, 1, 1, 1], "VALID")
        y = tf.nn.conv2d_transpose(y, tf.ones((2, 2, 3, 12)), (1, 4, 4, 3), 2)
        return tf.nn.avg_pool2d(y, 2, 2, "VALID")

    given = keras.Input((8, 8, 4), batch_size=1)
    ledger = fl.count(keras.Model(given, kl.Lambda(apply, output_shape=(2, 2, 3))(given)))
    assert ledger.total.count == 16 * 6 * 18 + 4 * 12 * 9 + 4 * 12 * 4 * 3
    assert ledger.coverage.unknown == ()


def test_what_tensorflow_resizes_sums_up_or_compares_is_known() -> None:
    def ops_of(apply: Any, *shape: int) -> tuple[object, tuple[Any, ...]]:
        given = keras.Input(shape, batch_size=2)
        ledger = fl.count(keras.Model(given, kl.Lambda(apply)(given)), convention="ops")
        return ledger.total.count, ledger.coverage.unknown

    assert ops_of(lambda x: tf.image.resize(x, (6, 8), "nearest"), 3, 4, 5) == (0, ())
    assert ops_of(lambda x: tf.image.resize(x, (6, 8)), 3, 4, 5)[1] == ()
    assert ops_of(lambda x: tf.cumsum(x, 1), 5) == (2 * 4, ())
    assert ops_of(lambda x: tf.cast(tf.math.is_nan(x), tf.float32), 5) == (2 * 5, ())
    assert ops_of(lambda x: tf.math.top_k(x, 2)[0], 5)[1] == ()
    # a difference and its square for each of 2 * 5 elements
    assert ops_of(lambda x: tf.math.squared_difference(x, x[:, :1]), 5) == (2 * 2 * 5, ())


def test_an_array_of_texts_may_be_given() -> None:
    ledger = fl.count(kl.Hashing(num_bins=3), np.array([["words"], ["of"], ["any length"]]))
    assert [unknown.source for unknown in ledger.coverage.unknown] == ["tensorflow.StringToHashBucketFast"]
