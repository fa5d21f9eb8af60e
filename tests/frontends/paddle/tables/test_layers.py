"""Layers of ``paddle.nn``: their kinds and their costs by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flopledger.counting.engine import analysis_of
from flopledger.plugins import discovery as plugins
from flopledger.testing import check_graph
from flopledger_paddle.framework import paddle
from paddle import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Read

LAYERS: dict[str, tuple[Callable[[], Any], str, str, int]] = {
    "Conv1D": (lambda: nn.Conv1D(6, 10, 5, stride=2, padding=1), "1x6x31", "conv", 10 * 15 * 6 * 5),
    "Conv1D last": (lambda: nn.Conv1D(6, 10, 5, data_format="NLC"), "1x31x6", "conv", 10 * 27 * 6 * 5),
    "Conv2D": (lambda: nn.Conv2D(6, 10, (3, 5), groups=2), "2x6x17x23", "conv", 2 * 10 * 15 * 19 * 3 * 15),
    "Conv2D NHWC": (
        lambda: nn.Conv2D(6, 10, (3, 5), data_format="NHWC"), "1x17x23x6", "conv", 10 * 15 * 19 * 6 * 15,
    ),
    "Conv2D same": (
        lambda: nn.Conv2D(6, 10, 3, stride=2, padding="SAME"), "1x6x17x23", "conv", 10 * 9 * 12 * 54,
    ),
    "Conv2D dilated": (lambda: nn.Conv2D(6, 10, 3, dilation=2), "1x6x17x23", "conv", 10 * 13 * 19 * 6 * 9),
    "Conv3D": (lambda: nn.Conv3D(3, 4, (2, 3, 5)), "1x3x7x9x11", "conv", 4 * 6 * 7 * 7 * 3 * 30),
    "Conv1DTranspose": (
        lambda: nn.Conv1DTranspose(6, 10, 5, stride=2), "1x6x13", "conv_transpose", 6 * 13 * 10 * 5,
    ),
    "Conv2DTranspose": (
        lambda: nn.Conv2DTranspose(6, 10, (3, 5), stride=2, groups=2, output_padding=1), "1x6x9x11",
        "conv_transpose", 6 * 99 * 5 * 15,
    ),
    "Conv2DTranspose same": (
        lambda: nn.Conv2DTranspose(6, 10, 3, stride=2, padding="SAME"), "1x6x9x11", "conv_transpose",
        6 * 99 * 10 * 9,
    ),
    "Conv3DTranspose": (
        lambda: nn.Conv3DTranspose(3, 4, 2, stride=2), "1x3x3x4x5", "conv_transpose", 3 * 60 * 4 * 8,
    ),
    "Linear": (lambda: nn.Linear(13, 7), "2x5x13", "linear", 10 * 13 * 7),
    "Embedding": (lambda: nn.Embedding(11, 7), "2x5:int64", "embedding", 0),
    "SimpleRNN": (lambda: nn.SimpleRNN(6, 8, activation="relu"), "3x5x6", "rnn", 15 * 8 * 14),
    "GRU": (lambda: nn.GRU(6, 8, time_major=True), "5x3x6", "gru", 15 * 3 * 8 * 14),
    "LSTM": (lambda: nn.LSTM(6, 8), "3x5x6", "lstm", 15 * 4 * 8 * 14),
    "LSTM both ways": (
        lambda: nn.LSTM(6, 8, num_layers=2, direction="bidirect"), "3x5x6", "lstm",
        15 * 2 * (32 * 14 + 32 * 24),
    ),
    "LSTM projected": (
        lambda: nn.LSTM(6, 8, proj_size=3), "3x5x6", "lstm", 15 * (32 * (6 + 3) + 8 * 3),
    ),
    "LSTM without a bias": (lambda: nn.LSTM(6, 8, bias_hh_attr=False), "3x5x6", "lstm", 15 * 4 * 8 * 14),
    "SimpleRNNCell": (lambda: nn.SimpleRNNCell(6, 8), "3x6", "rnn_cell", 3 * 8 * 14),
    "GRUCell": (lambda: nn.GRUCell(6, 8), "3x6", "gru_cell", 3 * 3 * 8 * 14),
    "LSTMCell": (lambda: nn.LSTMCell(6, 8), "3x6", "lstm_cell", 3 * 4 * 8 * 14),
    "RNN": (lambda: nn.RNN(nn.GRUCell(6, 8)), "3x5x6", "container", 15 * 3 * 8 * 14),
    "BiRNN": (
        lambda: nn.BiRNN(nn.LSTMCell(6, 8), nn.LSTMCell(6, 8)), "3x5x6", "container", 2 * 15 * 4 * 8 * 14,
    ),
    "MultiHeadAttention": (
        lambda: nn.MultiHeadAttention(12, 3), "2x5x12", "container", 4 * 10 * 144 + 2 * 2 * 25 * 12,
    ),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(12, 3, 20), "2x5x12", "container",
        4 * 10 * 144 + 2 * 2 * 25 * 12 + 2 * 10 * 12 * 20,
    ),
    "BatchNorm1D": (lambda: nn.BatchNorm1D(6), "1x6x31", "batch_norm", 0),
    "BatchNorm2D": (lambda: nn.BatchNorm2D(6, data_format="NHWC"), "1x7x9x6", "batch_norm", 0),
    "BatchNorm3D": (lambda: nn.BatchNorm3D(3), "1x3x7x9x11", "batch_norm", 0),
    "BatchNorm": (lambda: nn.BatchNorm(6), "1x6x7x9", "batch_norm", 0),
    "SyncBatchNorm": (lambda: nn.SyncBatchNorm(6), "1x6x7x9", "batch_norm", 0),
    "LayerNorm": (lambda: nn.LayerNorm([5, 13]), "1x5x13", "layer_norm", 0),
    "GroupNorm": (lambda: nn.GroupNorm(2, 6), "1x6x7x9", "group_norm", 0),
    "InstanceNorm2D": (lambda: nn.InstanceNorm2D(6), "1x6x7x9", "instance_norm", 0),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(5), "1x6x7x9", "lrn", 0),
    "SpectralNorm": (  # 10 rows of 90
        lambda: nn.SpectralNorm([6, 10, 3, 5], dim=1, power_iters=3), "6x10x3x5", "spectral_norm",
        3 * (900 + 900) + 900 + 10,
    ),
    "Softmax": (nn.Softmax, "1x6x7", "softmax", 0),
    "LogSoftmax": (nn.LogSoftmax, "1x6x7", "log_softmax", 0),
    "GELU": (lambda: nn.GELU(approximate=True), "1x6x7", "gelu_tanh", 0),
    "Maxout": (lambda: nn.Maxout(2), "1x6x7x9", "maxout", 0),
    "PReLU": (lambda: nn.PReLU(6), "1x6x7", "prelu", 0),
    "MaxPool1D": (lambda: nn.MaxPool1D(3), "1x6x31", "max_pool", 0),
    "MaxPool2D": (lambda: nn.MaxPool2D(3, 2, 1, ceil_mode=True), "1x6x16x22", "max_pool", 0),
    "MaxPool2D mask": (lambda: nn.MaxPool2D(2, return_mask=True), "1x6x16x22", "max_pool", 0),
    "MaxPool3D": (lambda: nn.MaxPool3D(2), "1x3x7x9x11", "max_pool", 0),
    "AvgPool1D": (lambda: nn.AvgPool1D(3, 2), "1x6x31", "avg_pool", 0),
    "AvgPool2D": (lambda: nn.AvgPool2D(2, data_format="NHWC"), "1x8x10x6", "avg_pool", 0),
    "AvgPool3D": (lambda: nn.AvgPool3D(2), "1x3x7x9x11", "avg_pool", 0),
    "AdaptiveAvgPool1D": (lambda: nn.AdaptiveAvgPool1D(4), "1x6x31", "adaptive_avg_pool", 0),
    "AdaptiveAvgPool2D": (lambda: nn.AdaptiveAvgPool2D((None, 4)), "1x6x9x11", "adaptive_avg_pool", 0),
    "AdaptiveAvgPool3D": (lambda: nn.AdaptiveAvgPool3D(2), "1x3x7x9x11", "adaptive_avg_pool", 0),
    "AdaptiveMaxPool2D": (lambda: nn.AdaptiveMaxPool2D(1), "1x6x9x11", "adaptive_max_pool", 0),
    "LPPool2D": (lambda: nn.LPPool2D(2, 2), "1x6x8x10", "lp_pool", 0),
    "Upsample": (lambda: nn.Upsample(size=[13, 17], mode="bicubic"), "1x6x9x11", "resample", 0),
    "UpsamplingNearest2D": (lambda: nn.UpsamplingNearest2D(scale_factor=2), "1x6x9x11", "resample", 0),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), "1x8x9x11", "pixel_shuffle", 0),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), "1x8x9x11", "channel_shuffle", 0),
    "Unfold": (lambda: nn.Unfold(3, paddings=[1, 2, 0, 1]), "1x6x9x11", "im2col", 0),
    "Dropout": (nn.Dropout, "1x6", "dropout", 0),
    "Flatten": (nn.Flatten, "1x6x9", "flatten", 0),
}  # fmt: skip
"""For each layer: how it is made, its input, its kind, and its multiply-accumulates."""

SAME = {
    "ReLU": "relu", "ReLU6": "relu6", "LeakyReLU": "leaky_relu", "Sigmoid": "sigmoid", "Tanh": "tanh",
    "Hardswish": "hard_swish", "Swish": "silu", "ELU": "elu", "Silu": "silu", "CELU": "celu", "SELU": "selu",
    "Hardshrink": "hard_shrink", "Hardsigmoid": "hard_sigmoid", "Hardtanh": "hard_tanh",
    "RReLU": "leaky_relu", "LogSigmoid": "log_sigmoid", "Mish": "mish", "Softplus": "softplus",
    "Softshrink": "soft_shrink", "Softsign": "softsign", "Tanhshrink": "tanh_shrink",
    "ThresholdedReLU": "threshold", "Softmax2D": "softmax",
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_what_it_is(read: Read, name: str) -> None:
    make, spec, kind, macs = LAYERS[name]
    graph = read(nn.Sequential(make()), spec)
    ledger = graph.count("mac")

    assert next(layer.kind for layer in graph.layers if layer.path == "0") == kind
    assert ledger.total.count == macs
    assert analysis_of(graph).formulas.disagreements == ()
    assert ledger.coverage.unknown == ()
    check_graph(graph, plugins.kinds())


@pytest.mark.parametrize("name", SAME)
def test_an_activation_is_a_layer_and_an_op_of_one_kind(read: Read, name: str) -> None:
    graph = read(nn.Sequential(getattr(nn, name)()), "2x3x4x5")

    assert [layer.kind for layer in graph.layers] == ["container", SAME[name], SAME[name]]


def test_a_bilinear_layer(read: Read) -> None:
    graph = read(nn.Bilinear(5, 6, 7), "2x5", "2x6")

    assert graph.count("mac").total.count == 2 * 7 * (5 * 6 + 6)
    assert graph.layers[0].kind == "bilinear"


def test_a_deformable_convolution(read: Read) -> None:
    layer = paddle.vision.ops.DeformConv2D(6, 10, 3)
    graph = read(layer, "1x6x9x11", "1x18x7x9")

    assert [op.kind for op in graph.layers if op.level == "op"] == ["deform_conv", "reshape", "add"]
    assert graph.count("mac").total.count == 10 * 7 * 9 * 6 * 9


def test_a_subclass_that_has_a_forward_of_its_own_is_a_container(read: Read) -> None:
    class Scaled(nn.Linear):
        def forward(self, x: Any) -> Any:
            return super().forward(x) * 2

    class Named(nn.Linear):
        pass

    graph = read(nn.Sequential(Scaled(3, 4), Named(4, 5)), "1x3")
    kinds = {layer.path: layer.kind for layer in graph.layers if layer.level == "layer"}

    assert (kinds["0"], kinds["1"]) == ("container", "linear")
    assert graph.modules[1].bases[0] == "paddle.nn.Linear"
    assert graph.count("mac").total.count == 12 + 20


def test_a_layer_with_a_hook_that_computes_is_a_container(read: Read) -> None:
    graph = read(nn.Sequential(nn.utils.weight_norm(nn.Conv2D(3, 4, 3))), "1x3x8x8")

    assert graph.layers[1].kind == "container"
    assert graph.count("mac").total.count == 4 * 6 * 6 * 27


class Pooled(nn.Layer):
    def __init__(self, axes: int) -> None:
        super().__init__()
        self.pool = getattr(nn, f"MaxPool{axes}D")(2, 2, return_mask=True)
        self.unpool = getattr(nn, f"MaxUnPool{axes}D")(2, 2)

    def forward(self, x: Any) -> Any:
        return self.unpool(*self.pool(x))


@pytest.mark.parametrize(("axes", "spec"), [(1, "1x3x8"), (2, "1x3x8x8"), (3, "1x3x8x8x8")])
def test_what_was_pooled_goes_back_for_free(read: Read, axes: int, spec: str) -> None:
    graph = read(Pooled(axes), spec)
    (back,) = (op for op in graph.layers if op.source.startswith("pd_op.unpool"))

    assert (back.kind, len(back.inputs)) == ("view", 2)
    assert graph.count("ops").coverage.unknown == ()
    check_graph(graph, plugins.kinds())


def test_data_flows_from_call_to_call(read: Read) -> None:
    graph = read(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), "1x3")
    by_path = {layer.path: layer for layer in graph.layers}

    assert by_path["0"].inputs == (graph.inputs[0].tensor,)
    assert by_path["0"].outputs == by_path["0/add"].outputs == by_path["1"].inputs
    assert by_path["1"].outputs == graph.outputs == by_path["Sequential"].outputs


def test_a_cell_is_called_once_for_each_step(read: Read) -> None:
    graph = read(nn.RNN(nn.GRUCell(6, 8)), "3x5x6")
    calls = [layer for layer in graph.layers if layer.source == "paddle.nn.GRUCell"]

    assert [call.index for call in calls] == [1, 2, 3, 4, 5]
    assert [call.path for call in calls] == ["cell", "cell#2", "cell#3", "cell#4", "cell#5"]


LOSSES: dict[str, tuple[Callable[[], Any], int, str]] = {
    # of 10 elements: log(p) and log(1 - p), two products and three additions each; and their mean
    "probabilities": (nn.BCELoss, 10 * 7 + 9 + 1, "2x5"),
    "logits": (nn.BCEWithLogitsLoss, 10 * 7 + 9 + 1, "2x5"),
    "each": (lambda: nn.BCEWithLogitsLoss(reduction="none"), 10 * 7, "2x5"),
    # two additions, two comparisons, two products
    "near and far": (nn.SmoothL1Loss, 10 * 6 + 9 + 1, "2x5"),
    # one element of each of two rows is picked
    "labels": (nn.NLLLoss, 1 + 1, "2:int64"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_that_of_each_element_and_their_mean(read: Read, name: str) -> None:
    make, operations, target = LOSSES[name]
    ledger = read(make(), "2x5", target).count("ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (operations, ())
