from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flopledger.counting.engine import analysis_of
from flopledger.plugins import discovery as plugins
from flopledger.testing import check_graph
from flopledger_paddle.framework import paddle
from paddle import nn
from paddle.nn import functional

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


class Functional(nn.Layer):
    def __init__(self, call: Callable[..., Any]) -> None:
        super().__init__()
        self.call = call

    def forward(self, *inputs: Any) -> Any:
        return self.call(*inputs)


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[str, ...], list[str], int]] = {
    "matmul": (
        lambda x, y: paddle.matmul(x, y, transpose_y=True),
        ("2x3x4", "2x5x4"),
        ["matmul"],
        2 * 3 * 5 * 4,
    ),
    "operator": (lambda x, y: x @ y, ("3x4", "4x5"), ["matmul"], 3 * 4 * 5),
    "bmm": (paddle.bmm, ("2x3x4", "2x4x5"), ["matmul"], 2 * 3 * 4 * 5),
    "mv": (paddle.mv, ("3x4", "4"), ["matmul"], 12),
    "addmm": (paddle.addmm, ("3x5", "3x4", "4x5"), ["matmul"], 60),
    "einsum": (lambda x, y: paddle.einsum("bij,bjk->bik", x, y), ("2x3x4", "2x4x5"), ["einsum"], 120),
    "linear": (functional.linear, ("2x3", "3x4"), ["matmul"], 24),
    "conv": (functional.conv2d, ("1x3x8x8", "4x3x3x3"), ["conv"], 4 * 36 * 27),
    "add": (lambda x, y: x + y, ("2x3", "3"), ["add"], 0),
    "scaled": (lambda x: x * 2 + 1, ("2x3",), ["power_law", "power_law"], 0),
    "softmax": (functional.softmax, ("2x3",), ["softmax"], 0),
    "mean": (lambda x: x.mean([1], keepdim=True), ("2x3",), ["reduce_mean"], 0),
    "whole": (paddle.max, ("2x3",), ["reduce_max"], 0),
    "concat": (lambda x, y: paddle.concat([x, y], 1), ("2x3", "2x4"), ["concat"], 0),
    "split": (lambda x: paddle.split(x, [1, 2], 1), ("2x3",), ["split"], 0),
    "stack": (lambda x: paddle.stack([x, x], 1), ("2x3",), ["stack"], 0),
    "slice": (lambda x: x[:, 1:3], ("2x4",), ["slice"], 0),
    "where": (lambda x: paddle.where(x > 0, x, x), ("2x4",), ["compare", "select"], 0),
    "tile": (lambda x: paddle.tile(x, [2, 1]), ("2x4",), ["tile"], 0),
    "grid": (functional.grid_sample, ("1x3x8x8", "1x4x5x2"), ["grid_sample"], 0),
    "dot": (paddle.dot, ("4", "4"), ["matmul"], 4),
    "dot of matrices": (paddle.dot, ("3x4", "3x4"), ["einsum"], 12),
    "logsumexp": (lambda x: paddle.logsumexp(x, 1), ("2x3x4",), ["logsumexp"], 0),
    "logsumexp of all": (paddle.logsumexp, ("2x3",), ["logsumexp"], 0),
    "norm": (lambda x: paddle.norm(x, 3, axis=1, keepdim=True), ("2x3x4",), ["vector_norm"], 0),
    "norm of all": (paddle.norm, ("2x3x4",), ["vector_norm"], 0),
    "norm of matrices": (lambda x: paddle.norm(x, "fro", axis=[1, 2]), ("2x3x4",), ["vector_norm"], 0),
    "maxout": (lambda x: functional.maxout(x, 3, axis=-1), ("1x7x9x6",), ["maxout"], 0),
    "unbind": (lambda x: paddle.unbind(x, 1), ("2x3x4",), ["unstack"], 0),
    "unstack": (lambda x: paddle.unstack(x, -1), ("2x3x4",), ["unstack"], 0),
    "cross-entropy": (
        functional.cross_entropy,
        ("2x5", "2x1:int64"),
        ["softmax_cross_entropy", "reduce_mean"],
        0,
    ),
    "strided": (lambda x: x[:, ::2], ("2x5",), ["slice"], 0),
    "backwards": (lambda x: x[:, ::-1], ("2x5",), ["slice"], 0),
    "power": (lambda x: x**3, ("2x4",), ["power"], 0),
    "clip": (lambda x: paddle.clip(x, 0, 1), ("2x4",), ["clip"], 0),
    "argmax": (lambda x: paddle.argmax(x, -1), ("2x4",), ["arg_max"], 0),
    "top": (lambda x: paddle.topk(x, 2), ("2x4",), ["top_k"], 0),
    "cumulated": (lambda x: paddle.cumsum(x, 1), ("2x4",), ["cumsum"], 0),
    "expanded": (lambda x: paddle.expand(x, [3, 2, 4]), ("2x4",), ["expand"], 0),
    "padded": (lambda x: functional.pad(x, [1, 2, 3, 4]), ("1x2x5x6",), ["unsqueeze", "pad", "squeeze"], 0),
}
"""For each function: what is called, its inputs, the kinds of the ops, and their multiply-accumulates."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_an_op_of_its_kind(read: Read, name: str) -> None:
    call, specs, kinds, macs = FUNCTIONS[name]
    graph = read(Functional(call), *specs)

    assert [layer.kind for layer in graph.layers if layer.level == "op"] == kinds
    assert graph.count("mac").total.count == macs
    check_graph(graph, plugins.kinds())


def test_the_order_of_a_norm(read: Read) -> None:
    orders = [3, 2, 0, float("inf")]
    graph = read(Functional(lambda x: [paddle.norm(x, order, axis=1) for order in orders]), "2x3")

    assert [op.attrs["order"] for op in graph.layers if op.level == "op"] == [3, 2, 0, None]


def test_a_cross_entropy_is_a_loss_for_each_label_and_their_mean(read: Read) -> None:
    total = read(nn.CrossEntropyLoss(), "2x5", "2:int64").count("ops").total.count

    # 2 rows of 5: 8 comparisons, 10 differences, 10 exponentials, 8 additions, 10 divisions; 2 logarithms;
    # the mean is an addition and a division
    assert total == 8 + 10 + 10 + 8 + 10 + 2 + 2


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


UNTOLD: dict[str, tuple[Callable[..., Any], tuple[str, ...], str]] = {
    "smallest": (lambda x: paddle.norm(x, float("-inf"), axis=1), ("2x3",), "is no norm"),
    "soft labels": (
        lambda x, y: functional.cross_entropy(x, y, soft_label=True), ("2x5", "2x5"), "its labels are",
    ),
    "probabilities": (
        lambda x, y: functional.cross_entropy(x, y, use_softmax=False), ("2x5", "2x1:int64"),
        "has been through a softmax",
    ),
    "fractional": (lambda x: functional.fractional_max_pool2d(x, 3), ("1x3x8x8",), "drawn at random"),
    "regions": (
        lambda x, boxes, count: paddle.vision.ops.roi_align(x, boxes, count, 3),
        ("1x3x8x8", "4x4", "1:int32"), "depends on its size",
    ),
}  # fmt: skip
"""For each function without a formula: what is called, its inputs, and what is said of it."""


@pytest.mark.parametrize("name", UNTOLD)
def test_an_op_that_has_no_formula_says_why(read: Read, name: str) -> None:
    call, specs, why = UNTOLD[name]
    (unknown,) = read(Functional(call), *specs).count("mac").coverage.unknown

    assert why in unknown.why


def test_an_op_without_a_formula_is_unknown(read: Read) -> None:
    graph = read(Functional(lambda x: paddle.logcumsumexp(x, axis=1)), "2x3")
    (unknown,) = graph.count("mac").coverage.unknown

    assert (unknown.source, unknown.calls, unknown.why) == (
        "pd_op.logcumsumexp",
        1,
        "no formula for 'pd_op.logcumsumexp'",
    )


def test_sizes_that_depend_on_data_are_unknown(read: Read) -> None:
    graph = read(Functional(lambda x: paddle.nonzero(x) * 2), "2x3")
    whys = {u.source: u.why for u in graph.count("mac").coverage.unknown}

    assert whys["pd_op.scale"] == "the size of an input or output depends on the data"


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


# 6 elements: a function of each, or a comparison of each
COSTS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "tan": (paddle.tan, 6),
    "lgamma": (paddle.lgamma, 6),
    "expm1": (paddle.expm1, 6),
    "isnan": (paddle.isnan, 6),
    "masked fill": (lambda x: paddle.masked_fill(x, x > 0, 0.0), 6),  # the comparison; a choice is none
    "view": (lambda x: x.view(3, 2), 0),
    "view of a shape": (lambda x: paddle.view(x, [3, -1]), 0),
    "increment": (lambda x: paddle.increment(x.reshape([6])[0]), 1),
    "cumprod": (lambda x: paddle.cumprod(x, dim=1), 2 * (3 - 1)),
    "crop": (lambda x: paddle.crop(x, [2, 2], [0, 1]), 0),
}


@pytest.mark.parametrize("name", COSTS)
def test_a_function_costs_what_its_formula_says(read: Read, name: str) -> None:
    apply, operations = COSTS[name]
    ledger = read(Functional(apply), "2x3").count("ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (operations, ())


@pytest.mark.parametrize(
    ("a", "b", "macs"),
    [
        ("2x1x3x4", "5x4x2", 2 * 5 * 3 * 4 * 2),  # of which Paddle infers 2x1x3x2 in a program
        ("5x3x4", "2x1x4x2", 2 * 5 * 3 * 4 * 2),
        ("2x5x3x4", "5x4x2", 2 * 5 * 3 * 4 * 2),
    ],
)
def test_the_batches_of_a_product_are_stretched(read: Read, a: str, b: str, macs: int) -> None:
    graph = read(Functional(paddle.matmul), a, b)
    assert graph.count("mac").total.count == macs
    assert graph.shape(graph.outputs[0]) == (2, 5, 3, 2)


def test_an_assertion_on_data_is_taken_as_holding(read: Read) -> None:
    ledger = read(nn.GaussianNLLLoss(), "2x5", "2x5", "2x5").count("mac")
    assert ledger.coverage.unknown == ()
