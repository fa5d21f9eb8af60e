"""The networks that Paddle's counters are asked about: single layers, small networks, vision models.

Each probe is a function that makes a model, and the shape of its input; a shape may end in a dtype.
Imported by the test and by the process that runs the tools, which both have paddle.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import paddle
import paddle.nn.functional as F  # noqa: N812  (as everybody calls it)
from paddle import nn

if TYPE_CHECKING:
    from collections.abc import Callable

PROBES: dict[str, tuple[Callable[[], Any], tuple[Any, ...]]] = {}
LONGEST_TABLE = 12
"""Of longer printed tables a digest is compared."""


class Function(nn.Layer):
    """A function of the input and of some layers."""

    def __init__(self, function: Callable[..., Any], *layers: nn.Layer) -> None:
        super().__init__()
        self.function = function
        self.layers = nn.LayerList(layers)

    def forward(self, x: Any) -> Any:
        return self.function(x, *self.layers)


class OwnParameter(nn.Layer):
    """A container with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 7)
        self.alpha = self.create_parameter([7])

    def forward(self, x: Any) -> Any:
        return self.linear(x) * self.alpha


class MyConv(nn.Conv2D):
    """A subclass of a counted layer."""


class MyForward(nn.Linear):
    """A subclass with a forward of its own."""

    def forward(self, x: Any) -> Any:
        return super().forward(x) * 2


class Residual(nn.Layer):
    """A block that is added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2D(channels, channels, 3, padding=1, bias_attr=False)
        self.norm = nn.BatchNorm2D(channels)

    def forward(self, x: Any) -> Any:
        return F.relu(self.norm(self.conv(x)) + x)


class Buffer(nn.Layer):
    """A leaf with a buffer, which is no parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.create_parameter([6])
        self.register_buffer("table", paddle.ones([3, 4]))

    def forward(self, x: Any) -> Any:
        return x * self.scale


class Pair(nn.Layer):
    """A leaf with two results."""

    def forward(self, x: Any) -> Any:
        return x[:, :2], x * 2


def bare(name: str, make: Callable[[], Any], *shape: Any) -> None:
    PROBES[name] = (make, shape)


def one(name: str, make: Callable[[], Any], *shape: Any) -> None:
    """A layer inside a Sequential, since a bare one is not counted."""
    PROBES[name] = (lambda: nn.Sequential(make()), shape)


def function(
    name: str, call: Callable[..., Any], *shape: Any, layers: Callable[[], list[Any]] = list
) -> None:
    PROBES[name] = (lambda: Function(call, *layers()), shape)


IMAGE = (1, 6, 17, 23)
SMALL = (1, 6, 9, 11)

one("conv1d", lambda: nn.Conv1D(6, 10, 5, stride=2, padding=1), 1, 6, 31)
one("conv2d", lambda: nn.Conv2D(6, 10, (3, 5), stride=(2, 1), padding=(1, 0)), *IMAGE)
one("conv2d_batch", lambda: nn.Conv2D(6, 10, (3, 5), stride=(2, 1), padding=(1, 0)), 2, 6, 17, 23)
one("conv2d_without_bias", lambda: nn.Conv2D(6, 10, (3, 5), bias_attr=False), *IMAGE)
one("conv2d_groups", lambda: nn.Conv2D(6, 10, (3, 5), groups=2), *IMAGE)
one("conv2d_depthwise", lambda: nn.Conv2D(6, 6, (3, 5), groups=6), *IMAGE)
one("conv2d_depthwise_twice", lambda: nn.Conv2D(6, 12, (3, 5), groups=6), *IMAGE)
one("conv2d_dilated", lambda: nn.Conv2D(6, 10, 3, dilation=2), *IMAGE)
one("conv2d_nhwc", lambda: nn.Conv2D(6, 10, (3, 5), data_format="NHWC"), 1, 17, 23, 6)
one("conv3d", lambda: nn.Conv3D(3, 4, (2, 3, 5)), 1, 3, 7, 9, 11)
one("conv1d_transpose", lambda: nn.Conv1DTranspose(6, 10, 5, stride=2), 1, 6, 13)
one("conv2d_transpose", lambda: nn.Conv2DTranspose(6, 10, (3, 5), stride=(2, 3), padding=(1, 2)), *SMALL)
one("conv2d_transpose_groups", lambda: nn.Conv2DTranspose(6, 10, (3, 5), stride=2, groups=2), *SMALL)
one("conv2d_transpose_bare", lambda: nn.Conv2DTranspose(6, 10, (3, 5), stride=2, bias_attr=False), *SMALL)
one("conv3d_transpose", lambda: nn.Conv3DTranspose(3, 4, (2, 3, 5), stride=2), 1, 3, 3, 4, 5)
one("linear", lambda: nn.Linear(13, 7), 1, 13)
one("linear_without_bias", lambda: nn.Linear(13, 7, bias_attr=False), 1, 13)
one("linear_batch", lambda: nn.Linear(13, 7), 2, 13)
one("linear_3d", lambda: nn.Linear(13, 7), 1, 5, 13)
function("bilinear", lambda x, b: b(x, x), 1, 13, layers=lambda: [nn.Bilinear(13, 13, 7)])
one("batch_norm_1d", lambda: nn.BatchNorm1D(6), 1, 6, 31)
one("batch_norm_2d", lambda: nn.BatchNorm2D(6), *IMAGE)
one("batch_norm_2d_batch", lambda: nn.BatchNorm2D(6), 2, 6, 17, 23)
one("batch_norm_2d_plain", lambda: nn.BatchNorm2D(6, weight_attr=False, bias_attr=False), *IMAGE)
one("batch_norm_3d", lambda: nn.BatchNorm3D(3), 1, 3, 7, 9, 11)
one("batch_norm", lambda: nn.BatchNorm(6), *IMAGE)
one("batch_norm_act", lambda: nn.BatchNorm(6, act="relu"), *IMAGE)
one("layer_norm", lambda: nn.LayerNorm(13), 1, 5, 13)
one("group_norm", lambda: nn.GroupNorm(2, 6), *IMAGE)
one("instance_norm", lambda: nn.InstanceNorm2D(6), *IMAGE)
one("local_response_norm", lambda: nn.LocalResponseNorm(5), *IMAGE)
one("spectral_norm", lambda: nn.SpectralNorm([10, 6, 3, 5], dim=0), 10, 6, 3, 5)
for name in (
    "ReLU", "ReLU6", "LeakyReLU", "PReLU", "GELU", "Sigmoid", "Tanh", "Hardswish", "Swish",
    "Softmax", "ELU", "Silu", "CELU", "SELU", "Hardshrink", "Hardsigmoid", "Hardtanh", "LogSigmoid",
    "LogSoftmax", "Mish", "Softplus", "Softshrink", "Softsign", "Tanhshrink", "ThresholdedReLU",
):  # fmt: skip
    one(name.lower(), getattr(nn, name), *IMAGE)
one("glu", lambda: nn.GLU(1), *IMAGE)
one("maxout", lambda: nn.Maxout(2), *IMAGE)
one("dropout", lambda: nn.Dropout(0.5), *IMAGE)
one("dropout_2d", lambda: nn.Dropout2D(0.5), *IMAGE)
one("max_pool_1d", lambda: nn.MaxPool1D(3), 1, 6, 31)
one("max_pool_2d", lambda: nn.MaxPool2D((2, 3), stride=(2, 3)), *IMAGE)
one("max_pool_2d_mask", lambda: nn.MaxPool2D(2, return_mask=True), *IMAGE)
one("max_pool_3d", lambda: nn.MaxPool3D(2), 1, 3, 7, 9, 11)
one("avg_pool_1d", lambda: nn.AvgPool1D(3, stride=2), 1, 6, 31)
one("avg_pool_2d", lambda: nn.AvgPool2D((2, 3), stride=(2, 3)), *IMAGE)
one("avg_pool_2d_ceil", lambda: nn.AvgPool2D(3, stride=2, padding=1, ceil_mode=True), 1, 6, 16, 22)
one("avg_pool_3d", lambda: nn.AvgPool3D(2), 1, 3, 7, 9, 11)
one("adaptive_avg_1d", lambda: nn.AdaptiveAvgPool1D(4), 1, 6, 31)
one("adaptive_avg_2d", lambda: nn.AdaptiveAvgPool2D((3, 5)), *IMAGE)
one("adaptive_avg_2d_whole", lambda: nn.AdaptiveAvgPool2D(1), *IMAGE)
one("adaptive_avg_2d_batch", lambda: nn.AdaptiveAvgPool2D(1), 2, 6, 17, 23)
one("adaptive_avg_2d_up", lambda: nn.AdaptiveAvgPool2D((5, 5)), 1, 6, 4, 4)
one("adaptive_avg_2d_none", lambda: nn.AdaptiveAvgPool2D((None, 4)), *IMAGE)
one("adaptive_avg_3d", lambda: nn.AdaptiveAvgPool3D(2), 1, 3, 7, 9, 11)
one("adaptive_max_1d", lambda: nn.AdaptiveMaxPool1D(4), 1, 6, 31)
one("adaptive_max_2d", lambda: nn.AdaptiveMaxPool2D(1), *IMAGE)
one("embedding", lambda: nn.Embedding(11, 7), 1, 5, "int64")
one("simple_rnn", lambda: nn.SimpleRNN(6, 8), 1, 5, 6)
one("gru", lambda: nn.GRU(6, 8), 1, 5, 6)
one("lstm", lambda: nn.LSTM(6, 8), 1, 5, 6)
one("lstm_both_ways", lambda: nn.LSTM(6, 8, num_layers=2, direction="bidirect"), 1, 5, 6)
bare("lstm_alone", lambda: nn.LSTM(6, 8), 1, 5, 6)
one("rnn_of_lstm_cell", lambda: nn.RNN(nn.LSTMCell(6, 8)), 1, 5, 6)
one("rnn_of_gru_cell", lambda: nn.RNN(nn.GRUCell(6, 8), is_reverse=True), 1, 5, 6)
one("bi_rnn", lambda: nn.BiRNN(nn.GRUCell(6, 8), nn.GRUCell(6, 8)), 1, 5, 6)
one("lstm_cell", lambda: nn.LSTMCell(6, 8), 1, 6)
one("gru_cell", lambda: nn.GRUCell(6, 8), 1, 6)
one("simple_rnn_cell", lambda: nn.SimpleRNNCell(6, 8), 1, 6)
one("attention", lambda: nn.MultiHeadAttention(12, 3), 1, 5, 12)
one("encoder_layer", lambda: nn.TransformerEncoderLayer(12, 3, 20), 1, 5, 12)
bare("encoder_layer_alone", lambda: nn.TransformerEncoderLayer(12, 3, 20), 1, 5, 12)
one("encoder", lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 3, 20), 2), 2, 5, 12)
function(
    "decoder_layer", lambda x, d: d(x, x), 1, 5, 12, layers=lambda: [nn.TransformerDecoderLayer(12, 3, 20)]
)
function("transformer", lambda x, t: t(x, x), 1, 5, 12, layers=lambda: [nn.Transformer(12, 3, 1, 1, 20)])
one("upsample_bilinear", lambda: nn.Upsample(scale_factor=2, mode="bilinear"), *SMALL)
one("upsample_bicubic", lambda: nn.Upsample(size=[13, 17], mode="bicubic"), *SMALL)
one("upsample_nearest", lambda: nn.UpsamplingNearest2D(scale_factor=2), *SMALL)
one("pixel_shuffle", lambda: nn.PixelShuffle(2), 1, 8, 9, 11)
one("pixel_unshuffle", lambda: nn.PixelUnshuffle(2), 1, 8, 10, 12)
one("channel_shuffle", lambda: nn.ChannelShuffle(2), 1, 8, 9, 11)
one("pad_2d", lambda: nn.Pad2D([1, 2, 3, 4]), *SMALL)
one("unfold", lambda: nn.Unfold(3), *SMALL)
one("flatten", nn.Flatten, *SMALL)
one("identity", nn.Identity, *SMALL)
one("pair", Pair, *SMALL)
one("buffer", Buffer, 1, 6)
one("conv2d_reflected", lambda: nn.Conv2D(6, 10, 3, padding=1, padding_mode="reflect"), *SMALL)
one("conv2d_same", lambda: nn.Conv2D(6, 10, 3, stride=2, padding="SAME"), *IMAGE)
one("conv1d_last", lambda: nn.Conv1D(6, 10, 5, data_format="NLC"), 1, 31, 6)
one("weight_norm", lambda: nn.utils.weight_norm(nn.Conv2D(6, 10, 3)), *SMALL)
one("spectral_norm_of", lambda: nn.utils.spectral_norm(nn.Linear(13, 7)), 1, 13)
one("residual", lambda: Residual(6), *SMALL)
one("own_forward", lambda: MyForward(13, 7), 1, 13)
function("add", lambda x: x + x, *SMALL)
function("concat", lambda x: paddle.concat([x, x], 1), *SMALL)
function("matmul", lambda x: paddle.matmul(x, x, transpose_y=True), *SMALL)
function("functional_relu", F.relu, *SMALL)
function("functional_linear", lambda x: F.linear(x, paddle.ones([13, 7])), 1, 13)
function("reductions", lambda x: x.mean([2, 3], keepdim=True) + x.max() - x.sum(-1, keepdim=True), *SMALL)
function("pieces", lambda x: paddle.concat(x.split(3, 1)[:2] + paddle.chunk(x, 2, 1), 1)[:, 1:3], *SMALL)
function("turned", lambda x: x.transpose([0, 2, 3, 1]).reshape([1, -1, 6]).unsqueeze(0).squeeze(), *SMALL)
bare("linear_alone", lambda: nn.Linear(13, 7), 1, 13)
function("called_twice", lambda x, a: a(a(x)), 1, 5, layers=lambda: [nn.Linear(5, 5)])
function(
    "two_sizes", lambda x, c: (c(x), c(x[:, :, ::2, ::2])), 1, 3, 17, 23, layers=lambda: [nn.Conv2D(3, 4, 3)]
)
function("unused", lambda x, a, _: a(x), 1, 5, layers=lambda: [nn.Linear(5, 7), nn.Linear(5, 9)])
bare("own_parameter", OwnParameter, 1, 5)
bare("own_parameter_below", lambda: nn.Sequential(OwnParameter(), nn.Linear(7, 3)), 1, 5)
bare(
    "frozen",
    lambda: nn.Sequential(nn.Linear(5, 7, weight_attr=paddle.ParamAttr(trainable=False)), nn.Linear(7, 3)),
    1,
    5,
)
bare("subclass", lambda: nn.Sequential(MyConv(6, 10, 3)), *IMAGE)


def two_parents() -> Any:
    shared = nn.Linear(5, 5)
    return nn.Sequential(nn.Sequential(shared), nn.Sequential(shared))


def tied() -> Any:
    first, second = nn.Linear(5, 5), nn.Linear(5, 5)
    second.weight = first.weight
    return nn.Sequential(first, second)


bare("two_parents", two_parents, 1, 5)
bare("tied", tied, 1, 5)
bare("lenet", paddle.vision.models.LeNet, 1, 1, 28, 28)
bare("lenet_batch", paddle.vision.models.LeNet, 2, 1, 28, 28)
bare("seed_conv", lambda: nn.Sequential(nn.Conv2D(2, 4, 3, padding=1)), 1, 2, 320, 320)

VISION = tuple(
    name
    for name in sorted(vars(paddle.vision.models))
    if name[0].islower() and callable(getattr(paddle.vision.models, name))
)
"""The constructors of paddle.vision.models."""

for name in VISION:
    side = 299 if name.startswith("inception") else 224
    bare(name, getattr(paddle.vision.models, name), 1, 3, side, side)


def split(shape: tuple[Any, ...]) -> tuple[list[int], str]:
    """Return a probe's sizes and its dtype."""
    dtypes = [word for word in shape if isinstance(word, str)]
    return [size for size in shape if isinstance(size, int)], (dtypes or ["float32"])[0]


def spec_of(shape: tuple[Any, ...]) -> str:
    """Write a probe's shape as an input spec."""
    sizes, dtype = split(shape)
    return f"{'x'.join(map(str, sizes))}:{dtype}"


def fresh(make: Callable[[], Any]) -> Any:
    """Make a probe's model as in a new process, where Paddle begins to number the layers of each type."""
    with paddle.utils.unique_name.guard():
        return make()


def printed(lines: list[str]) -> list[str] | str:
    """Return a printed table, or its digest where it is long."""
    return lines if len(lines) <= LONGEST_TABLE else hashlib.sha256("\n".join(lines).encode()).hexdigest()
