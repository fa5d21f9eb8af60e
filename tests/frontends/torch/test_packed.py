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
def test_a_statically_quantised_network_has_its_products_and_weights() -> None:
    """8 * 27 * 36 of the convolution and 288 * 4 of the dense layer; 216 + 8 and 1,152 + 4 weights."""
    total = fl.read(_quantised(), "1x3x8x8", execute=True).count("mac").total
    assert (total.count, total.params) == (7776 + 1152, 224 + 1156)


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
