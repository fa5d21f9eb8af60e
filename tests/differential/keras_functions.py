"""Probes of single functions: those of ``keras.ops``, and TensorFlow's own inside a layer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from keras import layers as kl
from keras import ops

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from keras_models import chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Calling(kl.Layer):  # type: ignore[misc]
    """A layer that does nothing but call a function of TensorFlow."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def call(self, *given: Any) -> Any:
        return self.function(*given)


def calling(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Callable[[], Any]:
    """Return a function that makes a network of one layer that calls a function of TensorFlow."""
    return lambda: chain(lambda *given: Calling(function)(*given), *shapes)  # noqa: PLW0108  (a new layer each time)


def each(*functions: Callable[[Any], Any], shape: tuple[int, ...] = (4, 6)) -> Callable[[], Any]:
    """Return a function that makes a network that applies each function to the same numbers."""
    return lambda: chain(lambda x: [function(x) for function in functions], shape)


def shifted(x: Any, places: Any) -> Any:
    return [ops.left_shift(x, places), ops.bitwise_right_shift(x, places)]


def normalized(scaled: bool, shifted: bool) -> Callable[[], Any]:  # noqa: FBT001
    gamma, beta = ops.ones((6,)) if scaled else None, ops.zeros((6,)) if shifted else None
    return each(lambda x: ops.layer_normalization(x, gamma, beta))


IMAGE = (8, 9, 3)

FUNCTIONS: Mapping[str, Callable[[], Any]] = {
    "function_of_a_layer_norm": normalized(scaled=False, shifted=False),
    "function_of_a_layer_norm_scaled": normalized(scaled=True, shifted=False),
    "function_of_a_layer_norm_scaled_and_shifted": normalized(scaled=True, shifted=True),
    "degrees": each(ops.deg2rad),
    "radians": each(ops.rad2deg),
    "negative_infinities": each(ops.isneginf),
    "a_logarithm_of_1_and_more": each(ops.log1p),
    "conjugates": each(ops.conj, ops.conjugate),
    "numbers_that_are_finite_or_real": each(ops.isfinite, ops.isinf, ops.isnan, ops.isreal),
    "a_running_product": each(lambda x: ops.cumprod(x, axis=-1)),
    "a_cross_product": lambda: chain(ops.cross, (4, 3), (4, 3)),
    "shifts_of_bits": lambda: chain(shifted, (4, 6), (4, 6), dtype="int32"),
    "a_running_sum_without_nan": each(lambda x: ops.nancumsum(x, axis=-1)),
    "places_of_the_largest_without_nan": each(lambda x: ops.nanargmax(x, axis=-1)),
    "places_of_the_smallest_without_nan": each(lambda x: ops.nanargmin(x, axis=-1)),
    "all_products": lambda: chain(ops.outer, (4,), (6,)),
    "a_product_of_all_elements": lambda: chain(ops.vdot, (4, 6), (4, 6)),
    "a_triangle_of_a_matrix": each(ops.cholesky, shape=(5, 5)),
    "an_inverse": each(ops.inv, shape=(5, 5)),
    "a_determinant": each(ops.det, shape=(5, 5)),
    "solutions": lambda: chain(ops.solve, (5, 5), (5, 2)),
    "solutions_of_a_triangle": lambda: chain(
        lambda a, b: ops.solve_triangular(a, b, lower=True), (5, 5), (5, 2)
    ),
    "powers_of_2": each(ops.exp2),
    "a_hypotenuse": lambda: chain(ops.hypot, (4, 6), (4, 6)),
    "a_sum_of_logarithms": lambda: chain(ops.logaddexp, (4, 6), (4, 6)),
    "numbers_for_nan": each(ops.nan_to_num),
    "a_logarithm_of_a_sum": each(lambda x: ops.logsumexp(x, axis=-1)),
    "tf_products_of_matrices": calling(tf.linalg.matmul, (4, 6), (6, 5)),
    "tf_conv2d": calling(lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 3, 4)), 2, "SAME"), IMAGE),
    "tf_conv3d": calling(lambda x: tf.nn.conv3d(x, tf.ones((2, 3, 3, 3, 4)), [1] * 5, "VALID"), (4, 8, 9, 3)),
    "tf_depthwise": calling(
        lambda x: tf.nn.depthwise_conv2d(x, tf.ones((3, 3, 3, 2)), [1] * 4, "SAME"), IMAGE
    ),
    "tf_conv2d_transpose": calling(
        lambda x: tf.nn.conv2d_transpose(x, tf.ones((3, 3, 4, 3)), (tf.shape(x)[0], 16, 18, 4), 2), IMAGE
    ),
    "tf_squared_difference": calling(tf.math.squared_difference, (4, 6), (4, 6)),
    "tf_of_one_operand": calling(
        lambda x: [tf.math.reciprocal(x), tf.square(x), tf.math.log(x), -x, tf.reduce_mean(x, 1)], (4, 6)
    ),
    "tf_rsqrt": calling(tf.math.rsqrt, (4, 6)),
    "tf_softmax": calling(tf.nn.softmax, (4, 6)),
    "tf_l2_loss": calling(tf.nn.l2_loss, (4, 6)),
    "tf_sums_and_places": calling(
        lambda x: [tf.reduce_sum(x, 1), tf.argmax(x, axis=-1), tf.argmin(x, axis=-1)], (4, 6)
    ),
    "tf_pools": calling(
        lambda x: [tf.nn.max_pool2d(x, 2, 2, "VALID"), tf.nn.avg_pool2d(x, 3, 1, "SAME")], IMAGE
    ),
    "tf_bias": calling(lambda x: tf.nn.bias_add(x, tf.ones(3)), IMAGE),
    "tf_sum_of_three": calling(lambda x, y, z: tf.add_n([x, y, z]), (4, 6), (4, 6), (4, 6)),
}
