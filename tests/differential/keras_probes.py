"""The probes of the Keras peers: networks of one layer or a few, by name. Importing it imports Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import keras_corners
import keras_functions
from keras import layers as kl
from keras import ops

if TYPE_CHECKING:
    from collections.abc import Callable

PROBES: dict[str, Callable[[], Any]] = {}
"""The maker of each probe's model."""

IMAGE, SEQUENCE, MAP = (17, 23, 6), (31, 6), (9, 11, 6)
TOKENS, STEPS, VOLUME = (5, 13), (5, 6), (7, 9, 11, 3)


def one(name: str, make: Callable[[], Any], shape: tuple[int, ...], dtype: str = "float32") -> None:
    """Add a probe of one layer."""

    def build() -> Any:
        given = keras.Input(shape, dtype=dtype)
        return keras.Model(given, make()(given))

    PROBES[name] = build


def many(name: str, apply: Callable[..., Any], *shapes: tuple[int, ...]) -> None:
    """Add a probe of one or several inputs."""

    def build() -> Any:
        given = [keras.Input(shape) for shape in shapes]
        return keras.Model(given if len(given) > 1 else given[0], apply(*given))

    PROBES[name] = build


def _convolutions() -> None:
    one("conv1d_bias", lambda: kl.Conv1D(10, 5, strides=2), SEQUENCE)
    one("conv1d_same", lambda: kl.Conv1D(10, 4, padding="same"), SEQUENCE)
    one("conv1d_causal", lambda: kl.Conv1D(10, 5, padding="causal"), SEQUENCE)
    one("conv1d_dilated", lambda: kl.Conv1D(10, 5, dilation_rate=2), SEQUENCE)
    one("conv1d_causal_dilated", lambda: kl.Conv1D(10, 5, padding="causal", dilation_rate=3), SEQUENCE)
    one("conv1d_groups3", lambda: kl.Conv1D(9, 5, groups=3), SEQUENCE)
    one("conv2d_bias", lambda: kl.Conv2D(10, (3, 5), strides=(2, 1)), IMAGE)
    one("conv2d_bias_relu", lambda: kl.Conv2D(10, (3, 5), activation="relu"), IMAGE)
    one("conv2d_gelu", lambda: kl.Conv2D(10, 3, activation="gelu"), IMAGE)
    one("conv2d_softmax", lambda: kl.Conv2D(10, 3, activation="softmax"), IMAGE)
    one("conv2d_nobias", lambda: kl.Conv2D(10, (3, 5), use_bias=False), IMAGE)
    one("conv2d_same_strided", lambda: kl.Conv2D(10, 3, strides=2, padding="same"), IMAGE)
    one("conv2d_groups2", lambda: kl.Conv2D(10, (3, 5), groups=2), IMAGE)
    one("conv2d_groups2_relu", lambda: kl.Conv2D(10, (3, 5), groups=2, activation="gelu"), IMAGE)
    one("conv2d_dilated", lambda: kl.Conv2D(10, 3, dilation_rate=2), IMAGE)
    one("conv2d_dilated3_same", lambda: kl.Conv2D(10, 3, dilation_rate=3, padding="same"), IMAGE)
    one("conv2d_dilated_2_3", lambda: kl.Conv2D(10, (3, 2), dilation_rate=(2, 3)), IMAGE)
    one("conv2d_dilated_one_axis", lambda: kl.Conv2D(10, 3, dilation_rate=(1, 3), padding="same"), IMAGE)
    one("conv3d_bias", lambda: kl.Conv3D(4, (2, 3, 5)), VOLUME)
    one("conv3d_strided_same", lambda: kl.Conv3D(4, 3, strides=2, padding="same"), VOLUME)
    one("conv3d_dilated", lambda: kl.Conv3D(4, 2, dilation_rate=2), VOLUME)
    one("convT1d_bias", lambda: kl.Conv1DTranspose(10, 5, strides=2), (13, 6))
    one("convT1d_same", lambda: kl.Conv1DTranspose(10, 4, strides=3, padding="same"), (13, 6))
    one("convT2d_bias", lambda: kl.Conv2DTranspose(10, (3, 5), strides=(2, 3)), MAP)
    one("convT2d_s1", lambda: kl.Conv2DTranspose(10, (3, 5)), MAP)
    one("convT2d_same", lambda: kl.Conv2DTranspose(10, 3, strides=2, padding="same"), MAP)
    one("convT2d_stride_above_kernel", lambda: kl.Conv2DTranspose(10, 2, strides=3), MAP)
    one("convT2d_gelu", lambda: kl.Conv2DTranspose(10, 3, activation="gelu"), MAP)
    one(
        "convT2d_output_padding",
        lambda: kl.Conv2DTranspose(10, 3, strides=2, padding="same", output_padding=1),
        MAP,
    )
    one("convT3d_bias", lambda: kl.Conv3DTranspose(4, (2, 3, 5)), (3, 4, 5, 3))
    one("depthwise2d", lambda: kl.DepthwiseConv2D((3, 5)), IMAGE)
    one("depthwise2d_mult2", lambda: kl.DepthwiseConv2D((3, 5), depth_multiplier=2), IMAGE)
    one("depthwise2d_strided_same", lambda: kl.DepthwiseConv2D(3, strides=2, padding="same"), IMAGE)
    one("depthwise2d_dilated", lambda: kl.DepthwiseConv2D(3, dilation_rate=2), IMAGE)
    one("depthwise2d_dilated_same", lambda: kl.DepthwiseConv2D(3, dilation_rate=2, padding="same"), IMAGE)
    one("depthwise1d", lambda: kl.DepthwiseConv1D(5), SEQUENCE)
    one("depthwise1d_silu", lambda: kl.DepthwiseConv1D(5, activation="silu"), SEQUENCE)
    one("separable2d", lambda: kl.SeparableConv2D(10, (3, 5)), IMAGE)
    one("separable2d_silu", lambda: kl.SeparableConv2D(10, 3, activation="silu", use_bias=False), IMAGE)
    one("separable2d_mult2_same", lambda: kl.SeparableConv2D(9, 3, padding="same", depth_multiplier=2), IMAGE)
    one("separable2d_dilated", lambda: kl.SeparableConv2D(10, 3, dilation_rate=2), IMAGE)
    one("separable1d", lambda: kl.SeparableConv1D(10, 5), SEQUENCE)


def _dense() -> None:
    one("dense_bias", lambda: kl.Dense(7), (13,))
    one("dense_nobias", lambda: kl.Dense(7, use_bias=False), (13,))
    one("dense_3d", lambda: kl.Dense(7), TOKENS)
    one("dense_4d", lambda: kl.Dense(7), IMAGE)
    one("dense_softmax", lambda: kl.Dense(7, activation="softmax"), (13,))
    one("dense_3d_gelu", lambda: kl.Dense(7, activation="gelu"), TOKENS)
    one(
        "einsumdense",
        lambda: kl.EinsumDense("abc,cd->abd", output_shape=(None, 7), bias_axes="d"),
        TOKENS,
    )
    one(
        "einsumdense_ellipsis",
        lambda: kl.EinsumDense("...x,xy->...y", output_shape=7, bias_axes="y", activation="gelu"),
        TOKENS,
    )
    one("einsumdense_nobias", lambda: kl.EinsumDense("ab,bc->ac", output_shape=7), (13,))
    one("embedding", lambda: kl.Embedding(11, 7), (5,), "int32")
    one("embedding_masked", lambda: kl.Embedding(11, 7, mask_zero=True), (5,), "int32")


def _norms() -> None:
    one("batchnorm", lambda: kl.BatchNormalization(), IMAGE)  # noqa: PLW0108  (a new layer each time)
    one("batchnorm_noscale_nocenter", lambda: kl.BatchNormalization(scale=False, center=False), IMAGE)
    one("batchnorm_noscale", lambda: kl.BatchNormalization(scale=False), IMAGE)
    one("batchnorm_nocenter", lambda: kl.BatchNormalization(center=False), IMAGE)
    one("batchnorm_1d", lambda: kl.BatchNormalization(), SEQUENCE)  # noqa: PLW0108
    one("batchnorm_axis1", lambda: kl.BatchNormalization(axis=1), IMAGE)
    one("layernorm", lambda: kl.LayerNormalization(), TOKENS)  # noqa: PLW0108
    one("layernorm_noscale", lambda: kl.LayerNormalization(scale=False), TOKENS)
    one("layernorm_nocenter", lambda: kl.LayerNormalization(center=False), TOKENS)
    one("layernorm_plain", lambda: kl.LayerNormalization(center=False, scale=False), TOKENS)
    one("layernorm_two_axes", lambda: kl.LayerNormalization(axis=(-2, -1)), IMAGE)
    one("layernorm_4d", lambda: kl.LayerNormalization(), IMAGE)  # noqa: PLW0108
    one("groupnorm", lambda: kl.GroupNormalization(2), IMAGE)
    one("groupnorm_instance", lambda: kl.GroupNormalization(-1), IMAGE)
    one("groupnorm_plain", lambda: kl.GroupNormalization(3, center=False, scale=False), IMAGE)
    one("groupnorm_noscale", lambda: kl.GroupNormalization(3, scale=False), IMAGE)
    one("groupnorm_nocenter", lambda: kl.GroupNormalization(3, center=False), SEQUENCE)
    one("unitnorm", lambda: kl.UnitNormalization(), TOKENS)  # noqa: PLW0108
    one("rmsnorm", lambda: kl.RMSNormalization(), TOKENS)  # noqa: PLW0108
    one("normalization", lambda: kl.Normalization(mean=[0.0] * 6, variance=[1.0] * 6), SEQUENCE)


ACTIVATIONS = [
    "relu",
    "relu6",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "softmax",
    "gelu",
    "silu",
    "elu",
    "selu",
    "softplus",
    "hard_sigmoid",
    "hard_silu",
    "exponential",
    "softsign",
    "celu",
    "glu",
    "hard_tanh",
    "hard_shrink",
    "tanh_shrink",
    "soft_shrink",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "squareplus",
    "sparse_plus",
    "sparsemax",
    "linear",
]


def _activations() -> None:
    for name in ACTIVATIONS:
        one(f"act_{name}", lambda name=name: kl.Activation(name), IMAGE)  # type: ignore[misc]
    one("gelu_tanh", lambda: kl.Activation(lambda x: ops.gelu(x, approximate=True)), IMAGE)
    one("relu_layer", lambda: kl.ReLU(), IMAGE)  # noqa: PLW0108
    one("relu6_layer", lambda: kl.ReLU(6.0), IMAGE)
    one("relu_negative_slope", lambda: kl.ReLU(negative_slope=0.1), IMAGE)
    one("relu_threshold", lambda: kl.ReLU(threshold=0.5), IMAGE)
    one("relu_max_3", lambda: kl.ReLU(3.0), IMAGE)
    one("leaky_relu_layer", lambda: kl.LeakyReLU(), IMAGE)  # noqa: PLW0108
    one("elu_layer", lambda: kl.ELU(0.5), IMAGE)
    one("softmax_layer", lambda: kl.Softmax(), IMAGE)  # noqa: PLW0108
    one("prelu", lambda: kl.PReLU(), IMAGE)  # noqa: PLW0108
    one("prelu_shared", lambda: kl.PReLU(shared_axes=[1, 2]), IMAGE)
    one("dropout", lambda: kl.Dropout(0.5), IMAGE)
    one("spatial_dropout", lambda: kl.SpatialDropout2D(0.5), IMAGE)
    one("gaussian_noise", lambda: kl.GaussianNoise(0.5), IMAGE)


def _pools() -> None:
    one("maxpool1d", lambda: kl.MaxPooling1D(3), SEQUENCE)
    one("maxpool2d", lambda: kl.MaxPooling2D((2, 3)), IMAGE)
    one("maxpool2d_same", lambda: kl.MaxPooling2D(3, strides=2, padding="same"), IMAGE)
    one("avgpool1d", lambda: kl.AveragePooling1D(3), SEQUENCE)
    one("avgpool2d", lambda: kl.AveragePooling2D((2, 3)), IMAGE)
    one("avgpool2d_same", lambda: kl.AveragePooling2D(3, strides=1, padding="same"), IMAGE)
    one("maxpool3d", lambda: kl.MaxPooling3D(2), VOLUME)
    one("avgpool3d", lambda: kl.AveragePooling3D(2), VOLUME)
    one("globalavgpool1d", lambda: kl.GlobalAveragePooling1D(), SEQUENCE)  # noqa: PLW0108
    one("globalavgpool2d", lambda: kl.GlobalAveragePooling2D(), IMAGE)  # noqa: PLW0108
    one("globalavgpool2d_keep", lambda: kl.GlobalAveragePooling2D(keepdims=True), IMAGE)
    one("globalavgpool3d", lambda: kl.GlobalAveragePooling3D(), VOLUME)  # noqa: PLW0108
    one("globalmaxpool1d", lambda: kl.GlobalMaxPooling1D(), SEQUENCE)  # noqa: PLW0108
    one("globalmaxpool2d", lambda: kl.GlobalMaxPooling2D(), IMAGE)  # noqa: PLW0108
    one("adaptiveavgpool2d", lambda: kl.AdaptiveAveragePooling2D((3, 5)), IMAGE)
    one("adaptivemaxpool2d", lambda: kl.AdaptiveMaxPooling2D((3, 5)), IMAGE)


def _recurrent() -> None:
    one("simplernn", lambda: kl.SimpleRNN(8), STEPS)
    one("simplernn_unroll", lambda: kl.SimpleRNN(8, unroll=True), STEPS)
    one("simplernn_sequences", lambda: kl.SimpleRNN(8, return_sequences=True), STEPS)
    one("simplernn_nobias", lambda: kl.SimpleRNN(8, use_bias=False), STEPS)
    one("lstm", lambda: kl.LSTM(8), STEPS)
    one("lstm_unroll", lambda: kl.LSTM(8, unroll=True), STEPS)
    one("lstm_sequences", lambda: kl.LSTM(8, return_sequences=True), STEPS)
    one("lstm_nobias", lambda: kl.LSTM(8, use_bias=False), STEPS)
    one("lstm_nobias_unroll", lambda: kl.LSTM(8, use_bias=False, unroll=True), STEPS)
    one("lstm_backwards", lambda: kl.LSTM(8, go_backwards=True), STEPS)
    one("gru_reset_after", lambda: kl.GRU(8), STEPS)
    one("gru_reset_before", lambda: kl.GRU(8, reset_after=False), STEPS)
    one("gru_sequences", lambda: kl.GRU(8, return_sequences=True), STEPS)
    one("gru_nobias", lambda: kl.GRU(8, use_bias=False), STEPS)
    one("gru_nobias_unroll", lambda: kl.GRU(8, use_bias=False, unroll=True), STEPS)
    one("gru_reset_after_unroll", lambda: kl.GRU(8, unroll=True), STEPS)
    one("gru_reset_before_unroll", lambda: kl.GRU(8, unroll=True, reset_after=False), STEPS)
    one("rnn_cell", lambda: kl.RNN(kl.LSTMCell(8)), STEPS)
    one("rnn_stacked", lambda: kl.RNN([kl.LSTMCell(8), kl.GRUCell(7)]), STEPS)
    one("bidirectional_lstm", lambda: kl.Bidirectional(kl.LSTM(8)), STEPS)
    one("bidirectional_lstm_unroll", lambda: kl.Bidirectional(kl.LSTM(8, unroll=True)), STEPS)
    one(
        "bidirectional_gru_sum",
        lambda: kl.Bidirectional(kl.GRU(8, return_sequences=True), merge_mode="sum"),
        STEPS,
    )
    one("timedistributed_dense", lambda: kl.TimeDistributed(kl.Dense(7)), TOKENS)
    one("timedistributed_conv", lambda: kl.TimeDistributed(kl.Conv2D(4, 3)), (3, 9, 11, 2))
    one("convlstm2d", lambda: kl.ConvLSTM2D(4, 3), (3, 7, 9, 2))
    one(
        "convlstm2d_sequences_same",
        lambda: kl.ConvLSTM2D(4, 3, padding="same", return_sequences=True),
        (3, 7, 9, 2),
    )


def _attention() -> None:
    many("mha", lambda x: kl.MultiHeadAttention(3, 4)(x, x), (5, 12))
    many("mha_valuedim", lambda x: kl.MultiHeadAttention(3, 4, value_dim=5)(x, x), (5, 12))
    many("mha_dropout", lambda x: kl.MultiHeadAttention(3, 4, dropout=0.1)(x, x), (5, 12))
    many("mha_cross", lambda x, y: kl.MultiHeadAttention(3, 4, use_bias=False)(x, y), (5, 12), (7, 10))  # noqa: PLW0108
    many("mha_causal", lambda x: kl.MultiHeadAttention(3, 4)(x, x, use_causal_mask=True), (5, 12))
    many("gqa", lambda x: kl.GroupQueryAttention(4, 6, 2)(x, x), (5, 12))
    many("attention", lambda x, y: kl.Attention()([x, y]), (5, 12), (9, 12))
    many("attention_scaled", lambda x, y: kl.Attention(use_scale=True)([x, y]), (5, 12), (9, 12))
    many("additive_attention", lambda x, y: kl.AdditiveAttention()([x, y]), (5, 12), (9, 12))


def _moves() -> None:
    one("upsampling1d", lambda: kl.UpSampling1D(2), SEQUENCE)
    one("upsampling2d_nearest", lambda: kl.UpSampling2D(2), MAP)
    one("upsampling2d_bilinear", lambda: kl.UpSampling2D(2, interpolation="bilinear"), MAP)
    one("zeropadding1d", lambda: kl.ZeroPadding1D(2), SEQUENCE)
    one("zeropadding2d", lambda: kl.ZeroPadding2D(1), MAP)
    one("cropping2d", lambda: kl.Cropping2D(((1, 2), (0, 3))), MAP)
    one("flatten", lambda: kl.Flatten(), MAP)  # noqa: PLW0108
    one("reshape_open", lambda: kl.Reshape((-1, 3)), MAP)
    one("permute", lambda: kl.Permute((3, 1, 2)), MAP)
    one("repeat_vector", lambda: kl.RepeatVector(4), (13,))
    one("rescaling", lambda: kl.Rescaling(1 / 255.0, offset=-1), MAP)
    one("center_crop", lambda: kl.CenterCrop(5, 7), MAP)
    one("resizing", lambda: kl.Resizing(5, 7), MAP)
    one("random_flip", lambda: kl.RandomFlip(), MAP)  # noqa: PLW0108


def _merges() -> None:
    many("add2", lambda x, y: kl.Add()([x, y]), MAP, MAP)
    many("add3", lambda x, y, z: kl.Add()([x, y, z]), (9, 6), (9, 6), (9, 6))
    many("subtract", lambda x, y: kl.Subtract()([x, y]), MAP, MAP)
    many("multiply", lambda x, y: kl.Multiply()([x, y]), MAP, MAP)
    many("multiply_broadcast", lambda x, y: kl.Multiply()([x, y]), MAP, (1, 1, 6))
    many("average", lambda x, y: kl.Average()([x, y]), MAP, MAP)
    many("average3", lambda x, y, z: kl.Average()([x, y, z]), MAP, MAP, MAP)
    many("maximum", lambda x, y: kl.Maximum()([x, y]), MAP, MAP)
    many("minimum3", lambda x, y, z: kl.Minimum()([x, y, z]), MAP, MAP, MAP)
    many("concat", lambda x, y: kl.Concatenate()([x, y]), MAP, (9, 11, 3))
    many("dot", lambda x, y: kl.Dot(axes=(2, 2))([x, y]), (9, 6), (11, 6))
    many("dot_vectors", lambda x, y: kl.Dot(axes=1)([x, y]), (6,), (6,))
    many("ops_matmul", lambda x, y: ops.matmul(x, y), (9, 6), (6, 11))  # noqa: PLW0108
    many("ops_plus", lambda x, y: x + y, (9, 6), (9, 6))
    many("ops_arithmetic", lambda x, y: (x - y) * 2.0 / (y + 1.0) ** 2, (9, 6), (9, 6))
    many("ops_relu", lambda x: ops.relu(x), (9, 6))  # noqa: PLW0108
    many("ops_mean", lambda x: ops.mean(x, axis=1), (9, 6))
    many("ops_sum", lambda x: ops.sum(x, axis=(1, 2), keepdims=True), MAP)
    many("ops_max", lambda x: ops.max(x, axis=-1), MAP)
    many("ops_unary", lambda x: ops.exp(ops.sqrt(ops.square(-x))), (9, 6))
    many("ops_logs", lambda x: ops.log(ops.rsqrt(ops.abs(x))), (9, 6))
    many("ops_einsum", lambda x, y: ops.einsum("bij,bjk->bik", x, y), (9, 6), (6, 11))
    many("ops_einsum_heads", lambda x, y: ops.einsum("bqhd,bkhd->bhqk", x, y), (9, 2, 6), (11, 2, 6))
    many("ops_compare", lambda x, y: ops.where(x > y, x, y), (9, 6), (9, 6))
    many("ops_movement", lambda x: ops.transpose(ops.reshape(x, (-1, 54)))[:, :1], (9, 6))


def shared() -> Any:
    """One dense layer, called twice."""
    dense, given = kl.Dense(5), keras.Input((5,))
    return keras.Model(given, dense(dense(given)))


def nested() -> Any:
    """A model in a model, its dense layer frozen."""
    inner = keras.Sequential([keras.Input((5,)), kl.Dense(7), kl.BatchNormalization()], name="inner")
    inner.layers[0].trainable = False
    given = keras.Input((5,))
    return keras.Model(given, kl.Dense(3)(inner(given)))


def nested_twice() -> Any:
    """A model in a model, called twice."""
    inner = keras.Sequential([keras.Input((5,)), kl.Dense(5), kl.BatchNormalization()], name="inner2")
    given = keras.Input((5,))
    return keras.Model(given, kl.Dense(3)(inner(inner(given))))


def transformer() -> Any:
    """An encoder block with learned positions, causal attention and a feed-forward part."""
    given = keras.Input((9,), dtype="int32")
    x = kl.Embedding(11, 12)(given)
    x = kl.LayerNormalization()(x + kl.MultiHeadAttention(3, 4)(x, x, use_causal_mask=True))
    y = kl.Dense(12)(kl.Dense(24, activation="gelu")(x))
    return keras.Model(given, kl.Dense(11, activation="softmax")(kl.LayerNormalization()(x + y)))


def compiled() -> Any:
    """A model whose optimizer has its variables."""
    given = keras.Sequential([keras.Input((13,)), kl.Dense(7), kl.BatchNormalization(), kl.Dropout(0.3)])
    given.compile("adam", "mse")
    given.optimizer.build(given.trainable_variables)
    return given


def positions() -> Any:
    """A layer of the user's own with a weight of its own, between layers of Keras."""
    given = keras.Input((9, 12))
    return keras.Model(given, kl.Dense(3)(Positions()(kl.Dense(12)(given))))


class Positions(kl.Layer):  # type: ignore[misc]
    """Adds a learned vector at each place, and scales by another."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.table = self.add_weight(shape=shape[1:], name="table")
        self.gain = self.add_weight(shape=shape[-1:], name="gain")

    def call(self, x: Any) -> Any:
        return self.gain * (x + self.table)


def after_groups() -> Any:
    """A grouped convolution, and the layers after it."""
    given = keras.Input(IMAGE)
    x = kl.ReLU()(kl.BatchNormalization()(kl.Conv2D(10, 3, groups=2)(given)))
    x = kl.Conv2D(4, 3)(x)
    return keras.Model(given, kl.Dense(3)(kl.Flatten()(x)))


def _networks() -> None:
    PROBES["shared_called_twice"] = shared
    PROBES["nested_partly_frozen"] = nested
    PROBES["nested_called_twice"] = nested_twice
    PROBES["transformer_block"] = transformer
    PROBES["after_groups"] = after_groups
    PROBES["compiled_adam"] = compiled
    PROBES["own_layer"] = positions


for _add in (
    _convolutions,
    _dense,
    _norms,
    _activations,
    _pools,
    _recurrent,
    _attention,
    _moves,
    _merges,
    _networks,
):
    _add()

PROBES.update(keras_corners.PROBES)
PROBES.update(keras_functions.FUNCTIONS)

NETWORKS = (
    "ResNet50",
    "MobileNet",
    "MobileNetV2",
    "DenseNet121",
    "EfficientNetB0",
    "VGG16",
    "Xception",
    "NASNetMobile",
    "InceptionV3",
    "ConvNeXtTiny",
)
"""Networks of ``keras.applications`` that the profiler is asked about, at their own resolution."""


SUMMARISED = (
    *(f"ConvNeXt{size}" for size in ("Small", "Base", "Large", "XLarge")),
    *(f"DenseNet{depth}" for depth in (169, 201)),
    *(f"EfficientNetB{size}" for size in range(1, 8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "InceptionResNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "ResNet50V2",
    *(f"ResNet{depth}{version}" for depth in (101, 152) for version in ("", "V2")),
    "VGG19",
)
"""The other networks of ``keras.applications``, whose summary alone is asked for."""


def names() -> list[str]:
    """Return the names of all probes and networks."""
    return [*PROBES, *NETWORKS, *SUMMARISED]


def model(name: str) -> tuple[Callable[[], Any], tuple[int, ...]]:
    """Return a function that makes a probe or a network, and the batches that the profiler is asked about."""
    if name in PROBES:
        return PROBES[name], (1, 2, 3)
    return lambda: getattr(keras.applications, name)(weights=None), (1, 2) if name in NETWORKS else ()
