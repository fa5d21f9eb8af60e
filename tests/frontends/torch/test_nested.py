"""Jagged nested tensors: each sequence costs as much as its length demands."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import SourceError
from torch import Tensor, nn
from torch.nn import functional

LENGTHS = (5, 3)


def _rows(layout: torch.layout = torch.jagged) -> Tensor:
    """Return two sequences of 5 and 3 rows of 16 values."""
    return torch.nested.nested_tensor([torch.rand(n, 16) for n in LENGTHS], layout=layout)


class Attention(nn.Module):
    """Attention of two heads over sequences of several lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(16, 16) for _ in range(4))
        self.norm = nn.LayerNorm(16)

    def forward(self, x: Tensor) -> Tensor:
        """Return a plain tensor, shorter sequences filled up."""
        projected = (layer(x) for layer in (self.query, self.key, self.value))
        q, k, v = (one.unflatten(-1, (2, 8)).transpose(1, 2) for one in projected)
        found = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)
        return self.out(functional.gelu(self.norm(found + x))).to_padded_tensor(0.0)


class Joined(nn.Module):
    """Makes a nested tensor in its forward, of rows and the lengths that are given."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 8)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean of the results of all rows."""
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        return self.fc(torch.nested.nested_tensor_from_jagged(x, offsets)).mean()


@pytest.mark.parametrize(
    ("net", "given", "macs"),
    [
        (nn.Linear(16, 8), (_rows(),), 8 * 16 * 8),
        (nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.LayerNorm(8)), (_rows(),), 8 * 16 * 8),
        # four layers on 8 rows; two products for each pair of rows of a sequence, 25 + 9 pairs of 16 values
        (Attention(), (_rows(),), 4 * 8 * 16 * 16 + 2 * (25 + 9) * 16),
        (Joined(), (torch.rand(8, 16), torch.tensor(LENGTHS)), 8 * 16 * 8),
    ],
    ids=("linear", "row by row", "attention", "made in the forward"),
)
def test_the_products_of_jagged_tensors_are_those_of_their_sequences(
    net: nn.Module, given: Any, macs: int
) -> None:
    """As a real forward on each sequence by itself has."""
    ledger = fl.count(net, given)
    assert ledger.total.count == macs
    assert ledger.coverage.unknown == ()
    assert ledger.disagreements == ()


def test_a_nested_tensor_without_sizes_is_refused_with_the_layout_that_has_them() -> None:
    """Of the older layout torch itself says no sizes."""
    with pytest.warns(UserWarning, match="prototype"):
        given = _rows(torch.strided)
    with pytest.raises(SourceError, match=r"make it with layout=torch\.jagged"):
        fl.count(nn.Linear(16, 8), (given,))
