"""Quantised modules, whose weights are no parameters of torch.nn."""

from __future__ import annotations

import warnings
from typing import Any

import flopledger as fl
import pytest
import torch
from torch import nn


def _quantised() -> Any:
    """Return a network that is quantised by torch's own recipe: fuse, prepare, convert."""
    from torch.ao import quantization

    net = nn.Sequential(
        quantization.QuantStub(), nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4),
        quantization.DeQuantStub(),
    ).eval()  # fmt: skip
    net.qconfig = quantization.get_default_qconfig("fbgemm")  # type: ignore[assignment]
    net = quantization.fuse_modules(net, [["1", "2"]])
    quantization.prepare(net, inplace=True)
    net(torch.rand(1, 3, 8, 8))
    return quantization.convert(net, inplace=True)


@pytest.fixture
def quiet() -> Any:
    """Let torch warn of its own quantisation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("execute", [False, True])
def test_a_statically_quantised_network_has_its_products_and_weights(*, execute: bool) -> None:
    """8 * 27 * 36 of the convolution and 288 * 4 of the dense layer; 216 + 8 and 1,152 + 4 weights."""
    total = fl.count(_quantised(), "1x3x8x8", execute=execute).total
    assert (total.count, total.params) == (7776 + 1152, 224 + 1156)


class Residual(nn.Module):
    """A block as of mobile networks, with the helpers that its quantised form needs."""

    def __init__(self) -> None:
        from torch.ao import quantization

        super().__init__()
        self.enter, self.leave = quantization.QuantStub(), quantization.DeQuantStub()
        self.conv, self.deep = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.up, self.pool = nn.ConvTranspose2d(8, 8, 2, 2), nn.MaxPool2d(2)
        self.clip = nn.ReLU6()
        self.sum, self.pair = nn.quantized.FloatFunctional(), nn.quantized.FloatFunctional()
        self.out = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return five values for each picture."""
        x = self.clip(self.conv(self.enter(x)))
        x = self.up(self.pool(self.sum.add(x, self.deep(x))))
        pooled = nn.functional.adaptive_avg_pool2d(self.pair.cat([x, x], 1), 1)
        return self.leave(self.out(pooled.flatten(1)))


@pytest.mark.usefixtures("quiet")
def test_quantised_sums_pools_and_transposed_convolutions_have_stand_ins() -> None:
    """8 * 27 at 8x8 places, 8 * 9 at as many, 8 * 8 * 4 at 4x4, and 16 * 5; no kernel runs."""
    from torch.ao import quantization

    net = Residual().eval()
    net.qconfig = quantization.get_default_qconfig("fbgemm")  # type: ignore[assignment]
    net.up.qconfig = quantization.get_default_qconfig("qnnpack")  # type: ignore[assignment]
    quantization.prepare(net, inplace=True)
    net(torch.rand(1, 3, 16, 16))
    ledger = fl.count(quantization.convert(net, inplace=True), "2x3x16x16")
    assert ledger.total.count == 2 * (8 * 27 * 64 + 8 * 9 * 64 + 8 * 8 * 4 * 16 + 16 * 5)
    assert ledger.coverage.unknown == ()


@pytest.mark.usefixtures("quiet")
def test_a_dynamically_quantised_network_has_its_products_and_weights() -> None:
    from torch.ao import quantization

    net = quantization.quantize_dynamic(nn.Sequential(nn.Linear(8, 4), nn.ReLU()), {nn.Linear})
    ledger = fl.count(net, "2x8")
    assert (ledger.total.count, ledger.total.params, ledger.coverage.unknown) == (64, 36, ())
    # 5 steps of batch 2, 4 gates of 6 units, 8 features and 6 states; two biases for each gate
    recurrent = quantization.quantize_dynamic(nn.LSTM(8, 6), {nn.LSTM})
    ledger = fl.count(recurrent, "5x2x8")
    assert (ledger.total.count, ledger.total.params) == (5 * 2 * 24 * 14, 24 * 14 + 48)


class Between(nn.Module):
    """A layer of quantised tensors, or of floating ones that it quantises itself."""

    def __init__(self, layer: nn.Module, *, quantises: bool) -> None:
        super().__init__()
        self.layer, self.quantises = layer, quantises

    def forward(self, x: torch.Tensor) -> Any:
        if self.quantises:
            return self.layer(torch.quantize_per_tensor(x, 0.1, 0, torch.quint8)).dequantize()
        return self.layer(x)


def _weight() -> nn.Parameter:
    return nn.Parameter(torch.ones(8))


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("layer", "sizes", "macs", "kind"),
    [
        (lambda q: q.Conv1d(8, 4, 3), (2, 8, 6), 2 * 4 * 4 * 8 * 3, "conv"),
        (lambda q: q.BatchNorm2d(8), (2, 8, 4, 4), 0, "batch_norm"),
        (lambda q: q.BatchNorm3d(8), (2, 8, 4, 4, 4), 0, "batch_norm"),
        (lambda q: q.LayerNorm(8, _weight(), _weight(), 0.1, 0), (2, 8), 0, "layer_norm"),
        (lambda q: q.GroupNorm(2, 8, _weight(), _weight(), 0.1, 0), (2, 8, 4, 4), 0, "group_norm"),
        (lambda q: q.InstanceNorm2d(8, _weight(), _weight(), 0.1, 0), (2, 8, 4, 4), 0, "instance_norm"),
        (lambda q: q.Softmax(), (2, 8), 0, "softmax"),
    ],
)
def test_layers_of_quantised_tensors_are_those_that_they_quantise(
    layer: Any, sizes: tuple[int, ...], macs: int, kind: str
) -> None:
    from torch.ao.nn import quantized

    net = Between(layer(quantized), quantises=True).eval()
    ledger = fl.count(net, sizes)
    (row,) = (row for row in ledger.rows if row.path == "layer")
    assert (row.kind, ledger.total.macs, ledger.coverage.unknown) == (kind, macs, ())
    assert row.outputs == (tuple(net(torch.zeros(sizes)).shape),)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", ["ELU", "Hardswish", "LeakyReLU", "PReLU"])
def test_activations_of_quantised_tensors_read_their_scale(name: str) -> None:
    from torch.ao.nn import quantized

    ledger = fl.count(Between(getattr(quantized, name)(0.1, 0), quantises=True).eval(), (2, 8))
    assert ledger.coverage.unknown == ()
    assert [row.outputs for row in ledger.rows if row.path == "layer"] == [((2, 8),)]


@pytest.mark.usefixtures("quiet")
def test_a_norm_that_torchs_recipe_quantises_reads_its_scale() -> None:
    """The recipe keeps the scale as a tensor of one element, on an axis."""
    from torch.ao import quantization

    net = nn.Sequential(quantization.QuantStub(), nn.BatchNorm2d(3), quantization.DeQuantStub()).eval()
    net.qconfig = quantization.get_default_qconfig("fbgemm")  # type: ignore[assignment]
    quantization.prepare(net, inplace=True)
    net(torch.rand(1, 3, 4, 4))
    ledger = fl.count(quantization.convert(net, inplace=True), "1x3x4x4")
    assert (ledger.total.params, ledger.coverage.unknown) == (6, ())


@pytest.mark.usefixtures("quiet")
def test_bags_of_a_quantised_table_are_sums() -> None:
    """2 bags of 5 vectors of 16, so 4 additions for each element; the table has 10 vectors."""
    from torch.ao import quantization

    net = nn.Sequential(nn.EmbeddingBag(10, 16, mode="sum")).eval()
    net[0].qconfig = quantization.float_qparams_weight_only_qconfig  # type: ignore[assignment]
    quantised = quantization.convert(quantization.prepare(net))
    ledger = fl.count(quantised, "2x5:int64", "ops")
    assert (ledger.total.count, ledger.total.params) == (2 * 4 * 16, 160)
    assert ledger.coverage.unknown == ()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("name", "sizes", "macs"),
    [
        ("LSTM", (3, 2, 8), 6 * 4 * 4 * (8 + 4)),
        ("GRU", (3, 2, 8), 6 * 3 * 4 * (8 + 4)),
        ("LSTMCell", (2, 8), 2 * 4 * 4 * (8 + 4)),
        ("GRUCell", (2, 8), 2 * 3 * 4 * (8 + 4)),
        ("RNNCell", (2, 8), 2 * 4 * (8 + 4)),
        ("Linear", (2, 8), 2 * 4 * 8),
    ],
)
def test_layers_that_quantise_as_they_run_are_read_again_and_again(
    name: str, sizes: tuple[int, ...], macs: int
) -> None:
    """torch keeps results by their arguments, and can't compare packed weights."""
    from torch.ao.nn.quantized import dynamic

    net = Between(getattr(dynamic, name)(8, 4), quantises=False).eval()
    for _ in range(2):
        ledger = fl.count(net, sizes)
        assert (ledger.total.count, ledger.coverage.unknown) == (macs, ())
