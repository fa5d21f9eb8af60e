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
