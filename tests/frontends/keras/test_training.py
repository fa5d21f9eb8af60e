"""Training steps of Keras's models, by hand: gradients follow from the flow of tensors and the weights."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers


class Projections(keras.layers.Layer):  # type: ignore[misc]
    """Two weights of its own, and a dense layer: 4 to 7 to 5 to 6."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.first = self.add_weight(shape=(shape[-1], 7))
        self.second = self.add_weight(shape=(7, 5))
        self.dense = kl.Dense(6)
        self.dense.build((None, 5))

    def call(self, x: Any) -> Any:
        ops = keras.ops
        return self.dense(ops.relu(ops.matmul(ops.matmul(x, self.first), self.second)))


def shares(model: Any, shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return the forward, and the gradients of data and of weights."""
    training = fl.read(model, shape, profile={"step": "train"}).count("mac").total.training
    assert training is not None
    return training.forward, training.grad_input, training.grad_weight


def test_weights_of_layers_and_of_attention_have_gradients_and_so_has_the_data_between() -> None:
    given = keras.Input((8, 4))
    x = Projections()(given)
    x = kl.MultiHeadAttention(2, 3)(x, x)
    model = keras.Model(given, kl.Bidirectional(kl.GRU(3))(x))
    first, second, dense = 2 * 8 * 4 * 7, 2 * 8 * 7 * 5, 2 * 8 * 5 * 6
    projection, scores = 2 * 8 * 6 * 6, 2 * 2 * 8 * 8 * 3  # four of the one, and of the other QK^T and PV
    inputs, states = 2 * 9 * 6 * 2, 2 * 9 * 3 * 2  # both directions of a GRU, for each of 8 steps
    weights = first + second + dense + 4 * projection + 8 * (inputs + states)
    # the first weight's input wants nothing; attention has two gradients for each product, of data alone; a
    # GRU's first state is zero, so that its gradient goes back through 7 steps
    data = second + dense + 4 * projection + 2 * 2 * scores + 8 * inputs + 7 * states
    assert shares(model, (2, 8, 4)) == (weights + 2 * scores, data, weights)


def test_a_frozen_layer_has_the_gradient_that_the_layer_before_it_needs() -> None:
    model = keras.Sequential([keras.Input((8,)), kl.Dense(6), kl.Dense(5, use_bias=False), kl.Dense(4)])
    model.layers[1].trainable = False
    assert shares(model, (2, 8)) == (2 * (48 + 30 + 20), 2 * (30 + 20), 2 * (48 + 20))


def test_reshapes_share_memory_as_they_do_in_tensorflow() -> None:
    np, x = pytest.importorskip("numpy"), keras.ops.ones((2, 3, 4))
    if keras.backend.backend() != "tensorflow":
        pytest.skip("other backends have other rules")
    layers = {
        kl.Flatten(): True, kl.Reshape((4, 3)): True, kl.Activation("linear"): True,
        kl.Permute((2, 1)): False, kl.Cropping1D(1): False,
    }  # fmt: skip
    for layer, shared in layers.items():
        made = layer(x)
        assert np.shares_memory(x._numpy(), made._numpy()) == shared, layer.name
        graph = fl.read(keras.Sequential([kl.Input((3, 4)), layer]), "2x3x4")
        (call,) = (
            one for one in graph.layers if one.module is not None and one.kind != "container" and one.path
        )
        assert (graph.tensors[call.outputs[0]].alias_of == call.inputs[0]) == shared, layer.name


def test_an_einsum_of_three_operands_has_the_two_gradients_of_each_of_its_products() -> None:
    class Chain(kl.Layer):  # type: ignore[misc]
        def build(self, shape: tuple[int, ...]) -> None:
            self.first = self.add_weight(shape=(shape[-1], 4))
            self.second = self.add_weight(shape=(4, 5))

        def call(self, x: Any) -> Any:
            return keras.ops.einsum("ab,bc,cd->ad", x, self.first, self.second)

    first, second = 2 * 3 * 4, 2 * 4 * 5
    # the input wants nothing; between the products is data, whose gradient the first weight needs
    model = keras.Sequential([keras.Input((3,)), Chain()])
    assert shares(model, (2, 3)) == (first + second, second, first + second)
    # after a dense layer the operand on the left wants its gradient too
    model = keras.Sequential([keras.Input((3,)), kl.Dense(3), Chain()])
    dense = 2 * 3 * 3
    assert shares(model, (2, 3)) == (dense + first + second, first + second, dense + first + second)
