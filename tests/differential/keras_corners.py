"""Probes that the profiler counts in an unusual way: masks, updates of low rank, cells, functions."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras import layers as kl
from keras import ops
from keras.src.backend import get_keras_mask

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from keras_models import Cell, chain, changed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ConvLSTM = importlib.import_module("keras.src.layers.rnn.conv_lstm").ConvLSTM


def masked(apply: Callable[[Any], Any]) -> Any:
    """Return a network of words, 0 for none: an embedding whose mask the layers after it hand on."""
    return chain(lambda x: apply(kl.Embedding(11, 6, mask_zero=True)(x)), (5,), dtype="int32")


def causal() -> Any:
    attention, given = kl.MultiHeadAttention(2, 4), keras.Input((6, 8))
    return keras.Model(given, attention(given, given, use_causal_mask=True, return_attention_scores=True))


class Masking(kl.Layer):  # type: ignore[misc]
    """A dense layer whose result is zero where a mask is."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = kl.Dense(3)

    def build(self, shape: tuple[int, ...]) -> None:
        self.dense.build(shape)

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], 3)

    def call(self, x: Any, mask: Any = None) -> Any:
        out = self.dense(x)
        return out if mask is None else out * ops.cast(ops.expand_dims(mask, -1), out.dtype)


def masked_steps() -> Any:
    given = [keras.Input((2, 4)), keras.Input((2,), dtype="bool")]
    return keras.Model(given, kl.TimeDistributed(Masking())(given[0], mask=given[1]))


class Block(kl.Layer):  # type: ignore[misc]
    """Attention that takes the mask of what it reads twice: as an argument, and from the tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.norm = kl.MultiHeadAttention(2, 3), kl.LayerNormalization()
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        steps = None if mask is None else mask[:, None, :]
        return self.norm(x + self.attention(x, x, attention_mask=steps))


class Distances(kl.Layer):  # type: ignore[misc]
    """A learned vector for each distance of two steps, as T5 has numbers."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.table = self.add_weight(shape=(4, shape[-1]))

    def call(self, x: Any) -> Any:
        steps = tf.range(tf.shape(x)[1])
        far = tf.minimum(tf.abs(steps[:, None] - steps[None, :]), 3)
        return tf.einsum("btc,tsc->bsc", x, tf.gather(self.table, far))


class Angles(kl.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x + ops.matmul(ops.ones((5, 1)), ops.ones((1, 6)))


def again(x: Any) -> Any:
    """Attention takes the mask off what it reads (Keras 3.15), so that its sum with the result has none."""
    y = kl.Add()([x, kl.MultiHeadAttention(2, 3)(x, x)])
    return kl.Attention()([y, y])


class Unregistered(kl.Layer):  # type: ignore[misc]
    """Operations of TensorFlow that have no statistic, whereas Keras's own of their kinds count."""

    def call(self, x: Any) -> Any:
        x = tf.where(tf.math.is_finite(x), tf.math.divide_no_nan(x, x), 0.0)
        return tf.einsum("ab,bc->ac", x, tf.ones((6, 5)))


def mask_alone() -> Any:
    """Return a network whose result is the mask of a concatenation; what masked steps become is not read."""
    given = [keras.Input((4, 2), name=f"x{i}") for i in (0, 1)]
    joined = kl.Concatenate(axis=1)([kl.Masking()(given[0]), given[1]])
    return keras.Model(given, get_keras_mask(joined))


def mask_handed() -> Any:
    """Return a network that hands a mask to a model inside it, whose first layer takes a mean."""
    steps = keras.Input((5, 6))
    inner = keras.Model(steps, kl.GlobalAveragePooling1D()(steps))
    return chain(lambda x, m: inner(x, mask=ops.greater(m, 0)), (5, 6), (5,))


PROBES: Mapping[str, Callable[[], Any]] = {
    "lora_of_a_dense_layer": lambda: changed(kl.Dense(16), (16,), lambda x: x.enable_lora(2)),
    "lora_of_a_convolution": lambda: changed(kl.Conv2D(5, 3), (10, 10, 4), lambda x: x.enable_lora(2)),
    "a_cell_unrolled_with_a_mask": lambda: masked(kl.RNN(Cell(4), unroll=True)),
    "a_cell_unrolled": lambda: chain(kl.RNN(Cell(4), unroll=True), (5, 3)),
    "a_norm_over_the_first_axis": lambda: chain(kl.LayerNormalization(axis=1), (5, 6, 7)),
    "a_norm_over_two_axes_apart": lambda: chain(kl.LayerNormalization(axis=(1, 3)), (5, 6, 7)),
    "a_softmax_over_two_axes": lambda: chain(kl.Softmax(axis=(1, 2)), (3, 4, 8)),
    "a_softmax_with_a_mask_of_numbers": lambda: chain(lambda x, m: kl.Softmax()(x, mask=m), (4, 8), (4, 8)),
    "a_rectifier_with_all_options": lambda: chain(kl.ReLU(3.0, 0.1, 0.5), (4, 6)),
    "a_rectifier_to_6_with_a_threshold": lambda: chain(kl.ReLU(6.0, threshold=0.5), (4, 6)),
    "an_outer_product": lambda: chain(kl.EinsumDense("a,b->ab", output_shape=7), ()),
    "an_outer_product_in_other_letters": (
        lambda: chain(lambda x: ops.einsum("i,d->id", x[:, 0], ops.ones((7,))), (1,))
    ),
    "an_einsum_of_three_operands": (
        lambda: chain(lambda x: ops.einsum("abc,cd,de->abe", x, ops.ones((4, 5)), x[0, :, :2] * 1.0), (5, 4))
    ),
    "a_sum_by_einsum": lambda: chain(lambda x: ops.einsum("abc->ab", x), (5, 4)),
    "a_masked_mean": lambda: masked(kl.GlobalAveragePooling1D()),
    "attention_with_masks": lambda: masked(lambda x: kl.Attention()([x, x])),
    "causal_attention_with_masks": lambda: masked(lambda x: kl.Attention()([x, x], use_causal_mask=True)),
    "additive_attention_with_masks": lambda: masked(lambda x: kl.AdditiveAttention()([x, x])),
    "heads_with_masks": lambda: masked(lambda x: kl.MultiHeadAttention(2, 3)(x, x)),
    "grouped_heads_with_masks": lambda: masked(lambda x: kl.GroupQueryAttention(3, 4, 2)(x, x)),
    "a_block_with_masks": lambda: masked(Block()),
    "attention_after_a_mask_was_taken": lambda: masked(again),
    "positions_of_a_gather": lambda: chain(Distances(), (5, 6)),
    "a_product_of_constants": lambda: chain(Angles(), (5, 6)),
    "a_convolution_with_a_kernel_of_the_data": (
        lambda: chain(lambda x, k: ops.conv(x, (k * 2.0)[0], padding="same"), (8, 3), (3, 3, 4))
    ),
    "a_norm_that_reads_no_mask": lambda: masked(kl.BatchNormalization()),
    "a_mask_and_nothing_else": mask_alone,
    "a_mask_handed_to_a_model": mask_handed,
    "a_shape_and_no_values": lambda: chain(lambda x: x + ops.full_like(x * 3.0, 2.0), (4, 6)),
    "a_mask_that_nobody_reads": lambda: masked(kl.TimeDistributed(kl.Dense(3))),
    "steps_left_out": lambda: chain(lambda x: kl.BatchNormalization()(kl.Masking()(x)), (5, 6)),
    "both_directions_with_a_mask": lambda: masked(kl.Bidirectional(kl.LSTM(4))),
    "a_convolutional_state_with_a_mask": (
        lambda: chain(lambda x, m: kl.ConvLSTM2D(2, 3)(x, mask=ops.greater(m, 0)), (3, 6, 6, 2), (3,))
    ),
    "attention_of_its_own": lambda: chain(ops.dot_product_attention, *[(5, 2, 4)] * 3),
    "attention_with_a_causal_mask": (
        lambda: chain(lambda x: kl.Attention()([x, x], use_causal_mask=True), (4, 8))
    ),
    "a_division_that_knows_no_0": lambda: chain(ops.divide_no_nan, (6,), (6,)),
    "a_remainder": lambda: chain(ops.fmod, (6,), (6,)),
    "pictures_of_integers_made_larger": (
        lambda: chain(kl.UpSampling2D(2, interpolation="bilinear"), (2, 1, 3), dtype="uint8")
    ),
    "pictures_of_integers_resized": lambda: chain(kl.Resizing(5, 7), (4, 4, 3), dtype="uint8"),
    "pictures_of_integers_by_a_function": (
        lambda: chain(lambda x: ops.image.resize(x, (5, 7)), (4, 4, 3), dtype="uint8")
    ),
    "numbers_cut_to_the_limits_of_a_type": lambda: chain(lambda x: ops.saturate_cast(x, "uint8"), (4, 6)),
    "operations_without_a_statistic": lambda: chain(Unregistered(), (6,)),
    "pictures_with_more_contrast": lambda: chain(kl.AutoContrast(), (2, 2, 3)),
    "a_cut": lambda: chain(ops.trunc, (6,)),
    "a_root_of_three": lambda: chain(ops.cbrt, (6,)),
    "unit_length_over_two_axes": lambda: chain(kl.UnitNormalization(axis=(1, 2)), (3, 4)),
    "unit_length_over_one": lambda: chain(kl.UnitNormalization(), (3, 4)),
    "a_causal_mask_and_the_scores": causal,
    "steps_of_convolutions": (
        lambda: chain(ConvLSTM(rank=2, filters=4, kernel_size=3, padding="same"), (3, 5, 5, 3))
    ),
    "a_mask_of_steps": masked_steps,
    "whether_numbers_are_close": lambda: chain(ops.isclose, (6,), (6,)),
    "spectra": lambda: chain(lambda x: ops.rfft(x)[0], (8,)),
    "logarithms": lambda: chain(ops.log2, (4, 6)),
    "places_of_the_largest": lambda: chain(lambda x: ops.argmax(x, axis=-1), (4, 6)),
    "a_variance": lambda: chain(lambda x: ops.var(x, axis=-1), (4, 6)),
}
