"""Layers and operations at the corners of Keras's own tests: each figure by hand, and nothing unknown."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl, ops = keras.layers, keras.ops
ConvLSTM = importlib.import_module("keras.src.layers.rnn.conv_lstm").ConvLSTM
keras_models = importlib.import_module("keras_models")
Cell, chain = keras_models.Cell, keras_models.chain

# Keras's own way of reading a variable that is quantised, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class TwiceConv(kl.Conv2D):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return super().call(x) * 2.0


class TwiceDepthwise(kl.DepthwiseConv2D):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return super().call(x) * 2.0


class TwiceTransposed(kl.Conv2DTranspose):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return super().call(x) * 2.0


class TwiceSeparable(kl.SeparableConv2D):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return super().call(x) * 2.0


def adapted(layer: Any, shape: tuple[int, ...], mode: str = "") -> Any:
    """Return a network of one layer that gets an update of rank 2, once it is built and quantised."""
    given = keras.Input(shape)
    out = layer(given)
    if mode:
        layer.quantize(mode)
    layer.enable_lora(2)
    return keras.Model(given, out)


def attention_with_updates() -> Any:
    """Two heads of 3 features on 4 steps of 4; its inputs are cast, so that its own call is followed."""
    layer = kl.MultiHeadAttention(2, 3, use_bias=False, dtype="mixed_float16")
    given = keras.Input((4, 4))
    out = layer(given, given)
    for inner in (layer.query_dense, layer.key_dense, layer.value_dense):
        inner.enable_lora(2)
    return keras.Model(given, out)


def masked(apply: Callable[[Any, Any], Any], shape: tuple[int, ...], mask: tuple[int, ...]) -> Any:
    given = [keras.Input(shape), keras.Input(mask, dtype="bool")]
    return keras.Model(given, apply(*given))


NETWORKS: Mapping[str, tuple[Callable[[], Any], int]] = {
    "cropping of a sequence": (lambda: chain(kl.Cropping1D((1, 2)), (8, 3)), 0),
    "both directions apart, with states": (
        lambda: chain(kl.Bidirectional(kl.LSTM(4, return_state=True), merge_mode=None), (5, 3)),
        2 * 5 * 4 * (3 + 4) * 4,
    ),
    "subclass of a convolution": (lambda: chain(TwiceConv(4, 3), (8, 8, 3)), 36 * 4 * 27),
    "subclass of a depthwise one": (lambda: chain(TwiceDepthwise(3), (8, 8, 3)), 36 * 3 * 9),
    "subclass of a transposed one": (
        lambda: chain(TwiceTransposed(4, 3, strides=2), (8, 8, 3)),
        64 * 3 * 9 * 4,
    ),
    "subclass of a separable one": (
        lambda: chain(TwiceSeparable(4, 3), (8, 8, 3)),
        36 * 3 * 9 + 36 * 3 * 4,
    ),
    "cell of one's own": (lambda: chain(kl.RNN(Cell(4)), (5, 3)), 5 * (3 * 4 + 4 * 4)),
    "the same unrolled": (
        lambda: chain(kl.RNN(Cell(4), unroll=True), (5, 3)),
        5 * (3 * 4 + 4 * 4),
    ),
    "stacked cells": (
        lambda: chain(kl.RNN([Cell(4), kl.LSTMCell(3)], return_state=True), (5, 3)),
        5 * (3 * 4 + 4 * 4) + 5 * 4 * (4 + 3) * 3,
    ),
    "attention with a mask and dropout": (
        lambda: masked(
            lambda q, m: kl.MultiHeadAttention(2, 4, dropout=0.3)(q, q, attention_mask=m), (4, 8), (4, 4)
        ),
        4 * 4 * 8 * 8 + 2 * 2 * 4 * 4 * 4,
    ),
    "attention over two axes": (
        lambda: chain(lambda x: kl.MultiHeadAttention(2, 4, attention_axes=(1, 2))(x, x), (3, 4, 8)),
        4 * 12 * 8 * 8 + 2 * 2 * 12 * 12 * 4,
    ),
    "softmax with a mask": (
        lambda: masked(lambda x, m: kl.Softmax()(kl.Dense(8)(x), mask=m), (4, 8), (4, 8)),
        4 * 8 * 8,
    ),
    "softmax over two axes": (lambda: chain(kl.Softmax(axis=(1, 2)), (3, 4, 8)), 0),
    "update of a dense layer": (lambda: adapted(kl.Dense(16), (16,)), 256 + 16 * 2 * 16),
    "update of a convolution": (lambda: adapted(kl.Conv2D(5, 3), (10, 10, 4)), 64 * 5 * 36 + 36 * 2 * 5),
    "update of an einsum": (
        lambda: adapted(kl.EinsumDense("abc,cd->abd", output_shape=(None, 7)), (4, 6)),
        4 * 6 * 7 + 6 * 2 * 7,
    ),
    "update of an embedding": (lambda: adapted(kl.Embedding(11, 7), (4,)), 11 * 2 * 7),
    "updates of layers in attention": (  # 96 for each product of the inputs, 16 for each of the scores
        lambda: attention_with_updates(),  # noqa: PLW0108  (it is defined below)
        4 * 4 * 4 * 6 + 2 * 4 * 4 * 6 + 3 * 4 * 2 * 6,
    ),
    "steps of convolutions in any number of axes": (
        lambda: chain(ConvLSTM(rank=2, filters=4, kernel_size=3, padding="same"), (2, 5, 5, 3)),
        2 * 25 * 4 * 9 * (3 + 4) * 4,
    ),
    "unit length over two axes": (lambda: chain(kl.UnitNormalization(axis=(1, 2)), (3, 4)), 0),
    "unit length over all": (lambda: chain(lambda x: ops.normalize(x, axis=None), (3, 4)), 0),
    "update of a quantised dense layer": (
        lambda: adapted(kl.Dense(16), (16,), "int8"),
        256 + 16 * 2 + 2 * 16,
    ),
    "convolution with a computed kernel": (
        lambda: chain(lambda x: ops.conv(x, ops.ones((3, 3, 4, 8)), padding="same"), (12, 12, 4)),
        144 * 8 * 36,
    ),
    "depthwise convolution with a computed kernel": (
        lambda: chain(lambda x: ops.depthwise_conv(x, ops.ones((3, 3, 8, 1)), padding="same"), (12, 12, 8)),
        144 * 8 * 9,
    ),
    "limits and slices": (
        lambda: chain(lambda x: ops.add(*ops.unstack(ops.clip(x, 0, 1), axis=1)), (2, 4)),
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_its_figure_and_nothing_in_it_is_unknown(name: str) -> None:
    make, macs = NETWORKS[name]
    ledger = fl.count(make())
    assert ledger.total.count == macs
    assert ledger.coverage.unknown == ()
    assert ledger.disagreements == ()


def nested() -> Any:
    """A model of inputs in a dict in a dict, one of them a list."""
    named = {n: keras.Input((4,), name=n) for n in "abcd"}
    given = {"a": named["a"], "inner": {"b": named["b"], "list": [named["c"], named["d"]]}}
    return keras.Model(
        given, kl.Dense(3)(named["a"] + named["b"]) + kl.Dense(5)(named["c"] * named["d"])[:, :3]
    )


@pytest.mark.parametrize(
    "inputs",
    [
        ["2x4", "2x4", "2x4", "2x4"],
        ["a=2x4", "inner.b=2x4", "inner.list[0]=2x4", "inner.list[1]=2x4"],
        ["d=2x4", "c=2x4", "b=2x4", "a=2x4"],
    ],
)
def test_nested_inputs_are_given_in_order_by_place_or_by_name(inputs: list[str]) -> None:
    assert fl.count(nested(), inputs).total.count == 2 * (4 * 3 + 4 * 5)


def test_nested_inputs_are_given_as_values() -> None:
    one = ops.zeros((2, 4))
    values = {"inner": {"list": [one, one], "b": one}, "a": one}
    assert fl.count(nested(), values).total.count == 2 * (4 * 3 + 4 * 5)


@pytest.mark.parametrize(
    ("options", "operations"),
    [
        ({}, 1),
        ({"max_value": 3.0}, 2),
        ({"negative_slope": 0.1}, 2),
        ({"threshold": 0.5}, 1),
        ({"max_value": 3.0, "negative_slope": 0.1}, 3),
        ({"max_value": 3.0, "threshold": 0.5}, 2),
        ({"negative_slope": 0.1, "threshold": 0.5}, 3),
        ({"max_value": 3.0, "negative_slope": 0.1, "threshold": 0.5}, 4),
    ],
)
def test_a_rectifier_costs_each_of_its_options(options: Mapping[str, float], operations: int) -> None:
    # comparisons with the threshold and the largest value, the slope's product, a difference before it
    for apply in (kl.ReLU(**options), lambda x: keras.activations.relu(x, **options)):
        assert fl.count(chain(apply, (7,)), convention="ops").total.count == 7 * operations


class Product(kl.Layer):  # type: ignore[misc]
    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 5))

    def call(self, x: Any) -> Any:
        return ops.matmul(x, self.kernel)


@pytest.mark.parametrize(
    ("make", "inputs", "macs", "params"),
    [
        (lambda: Product(), "2x3", 2 * 3 * 5, 15),  # noqa: PLW0108
        (lambda: TwiceConv(4, 3), "1x8x8x3", 36 * 4 * 27, 4 * 27 + 4),
        (lambda: TwiceSeparable(4, 3), "1x8x8x3", 36 * 3 * 9 + 36 * 3 * 4, 27 + 12 + 4),
    ],
)
def test_a_layer_that_was_never_called_is_built_first(
    make: Callable[[], Any], inputs: str, macs: int, params: int
) -> None:
    layer = make()
    ledger = fl.count(layer, inputs)
    assert (ledger.total.count, ledger.total.params) == (macs, params)
    assert ledger.coverage.unknown == ()
    assert not layer.built


def test_unit_length_costs_a_root_for_each_vector() -> None:
    # squares, their sums, quotients, and a root: of 2 samples each, or of all
    for axis, roots in (((1, 2), 2), (-1, 6)):
        assert fl.count(chain(kl.UnitNormalization(axis=axis), (3, 4)), "2x3x4", "ops").total.count == (
            3 * 24 + roots
        )


def test_a_spectral_norm_is_estimated_in_training_alone() -> None:
    layer = kl.SpectralNormalization(kl.Dense(6), power_iterations=2)
    assert fl.count(layer, "2x4").total.count == 2 * 4 * 6
    # the kernel with a vector of 6 and with one of 4, twice; then both with it for the norm
    ledger = fl.read(layer, "2x4", profile={"mode": "train"}).count("mac")
    assert ledger.total.count == 2 * 4 * 6 + 2 * 2 * 4 * 6 + 4 * 6 + 6
    assert ledger.coverage.unknown == ()


def test_masks_of_dropout_that_a_cell_draws_itself_are_nothing_unknown() -> None:
    layer = kl.Attention(dropout=0.3)
    graph = fl.read(layer, {"inputs": [ops.ones((1, 3, 4))] * 2, "return_attention_scores": True},
                    profile={"mode": "train"})  # fmt: skip
    assert graph.count("mac").coverage.unknown == ()
    assert graph.count("mac").total.count == 2 * 3 * 3 * 4


class Optional(kl.Layer):  # type: ignore[misc]
    def call(self, x: Any, y: Any = None) -> Any:
        return x if y is None else x + y

    def compute_output_shape(self, x_shape: Any) -> Any:
        return x_shape


@pytest.mark.parametrize(("given", "additions"), [([1, 1], 4), ([1, None], 0), ({"a": 1, "b": None}, 0)])
def test_an_optional_input_that_is_none_is_left_out_by_its_place_too(given: Any, additions: int) -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b", optional=True)
    model = keras.Model({"a": a, "b": b}, Optional()(a, b))
    values = keras.tree.map_structure(lambda one: None if one is None else np.ones((2, 2)), given)
    assert fl.read(model, values).count("ops").total.count == additions


def test_the_input_after_an_optional_one_that_is_none_keeps_its_place() -> None:
    a, b = keras.Input((2,), name="a", optional=True), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, kl.Dense(5)(b))
    assert fl.read(model, [None, np.ones((4, 3))]).count("mac").total.count == 60


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_mask_by_its_place_is_no_second_picture(data_format: str) -> None:
    """For 2 sequences, 6 channels of 5 steps and the mask itself are added up (48 + 8), and 12 divided."""
    given = np.ones((2, 5, 6) if data_format == "channels_last" else (2, 6, 5), "float32")
    layer = kl.GlobalAveragePooling1D(data_format=data_format)
    by_place = fl.read(layer, (given, np.ones((2, 5), "int32")))
    by_name = fl.read(layer, ((given,), {"mask": np.ones((2, 5), "int32")}))
    assert by_place.count("tf-profiler").total.count == by_name.count("tf-profiler").total.count == 68
