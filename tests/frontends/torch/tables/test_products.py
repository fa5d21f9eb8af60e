"""Products in other spellings than ``linear`` and ``matmul``, counted by hand."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
import torch
from torch import nn
from torch.nn import functional

R = torch.rand


class Run(nn.Module):
    """Runs a function on its input, a kernel of 3 x 4 x 5 and a bias of 5."""

    def __init__(self, do: Any) -> None:
        super().__init__()
        self.do = do
        self.kernel, self.bias = nn.Parameter(R(3, 4, 5)), nn.Parameter(R(5))

    def forward(self, *given: torch.Tensor) -> object:
        return self.do(self, *given)


def int8(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.int8)


@pytest.mark.parametrize(
    ("do", "given", "macs"),
    [
        # 5 dot products of 16
        (lambda _, x, y: torch.linalg.vecdot(x, y), (R(5, 16), R(5, 16)), 80),
        (lambda _, x, y: torch.linalg.vecdot(x, y), (R(3, 5, 16), R(16)), 240),
        (lambda _, x, y: torch.linalg.vecdot(x, y, dim=0), (R(16, 5), R(16, 1)), 80),
        # 7 + 2 - 3 + 1 = 7 steps of 2 x 5 outputs, 3 * 4 products each
        (lambda m, x: torch.conv_tbc(x, m.kernel, m.bias, 1), (R(7, 2, 4),), 840),
        (lambda _, x, y: torch._int_mm(x, y), (int8(32, 16), int8(16, 16)), 32 * 16 * 16),
        (
            lambda _, x, w, s: torch._weight_int8pack_mm(x, w, s),
            (R(4, 16).bfloat16(), int8(8, 16), R(8).bfloat16()),
            4 * 16 * 8,
        ),
    ],
)
def test_a_product_is_counted_in_every_spelling(do: Any, given: tuple[torch.Tensor, ...], macs: int) -> None:
    ledger = fl.count(Run(do), given)
    assert (ledger.total.count, ledger.coverage.unknown, ledger.disagreements) == (macs, (), ())


def test_an_antialiased_resampling_is_known_and_no_product() -> None:
    """Bicubic from 16 to 8: 3 * 16 rows read 4 * 16 each, then 3 * 8 columns as many."""
    model = Run(lambda _, x: functional.interpolate(x, (8, 8), mode="bicubic", antialias=True))
    assert fl.count(model, "1x3x16x16").total.count == 0
    ledger = fl.count(model, "1x3x16x16", "ops")
    products = 3 * 16 * 64 + 3 * 8 * 64
    assert ledger.total.count == products + products - 3 * 16 * 8 - 3 * 8 * 8
    assert not ledger.coverage.unknown


def test_levels_agree_where_both_figures_are_right() -> None:
    """Summed over an axis of size 1: 2 * 4 * 1 * 5; a convolution of 6 * 4 * 9 * 36 complex products."""
    product = Run(lambda _, a, b: torch.einsum("bij,bjd->bid", a, b))
    window = fl.count(product, ("2x4x1", "2x1x5"))
    assert (window.total.count, window.disagreements) == (40, ())
    picture = torch.zeros(1, 4, 8, 8, dtype=torch.complex64)
    convolution = fl.count(nn.Conv2d(4, 6, 3, dtype=torch.complex64), (picture,))
    assert (convolution.total.count, convolution.disagreements) == (7776, ())


@pytest.mark.parametrize(
    ("do", "name"),
    [
        (lambda _, x: torch.sort(x)[0], "aten.sort.default"),
        (lambda _, x: torch.linalg.eigh(x)[0], "aten._linalg_eigh.default"),
        (lambda _, x: torch.linalg.svd(x)[1], "aten._linalg_svd.default"),
        (lambda _, x: torch.linalg.qr(x)[0], "aten.linalg_qr.default"),
        (lambda _, x: torch.linalg.matrix_exp(x), "aten.linalg_matrix_exp.default"),
        (lambda _, x: torch.searchsorted(x[0], x[1]), "aten.searchsorted.Tensor"),
    ],
)
def test_what_has_no_formula_is_unknown_by_name(do: Any, name: str) -> None:
    (call,) = fl.count(Run(do), "4x4", "ops").coverage.unknown
    assert call.source == name


def test_a_question_of_each_element_is_a_comparison() -> None:
    assert fl.count(Run(lambda _, x: torch.isnan(x)), "4x5", "ops").total.count == 20
