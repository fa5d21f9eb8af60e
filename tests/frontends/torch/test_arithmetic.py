"""Products of sizes, heard where a profile asks for them."""

from __future__ import annotations

import flopledger as fl
import pytest
import torch
from torch import nn

SIZES = {"sizes": True}


class Heads(nn.Module):
    """One product that a reshape is given, one that is only compared, and one of a product."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] * 2 != 10:
            raise ValueError
        rows = x.shape[0] * x.size(1)
        return x.reshape(rows * 2, x.shape[2] // 2)


def products(graph: fl.Graph) -> list[str]:
    return [layer.path for layer in graph.layers if layer.source == "size.mul"]


def test_products_are_ops_and_those_that_are_used_count() -> None:
    graph = fl.read(Heads(), torch.rand(3, 5, 8), profile=SIZES)
    assert len(products(graph)) == 3
    assert graph.count("torchprofile").total.count == 2
    assert graph.count("fvcore").total.count == 0
    assert graph.count("mac").coverage.unknown == ()


def test_they_are_not_heard_unless_asked_for() -> None:
    graph = fl.read(Heads(), torch.rand(3, 5, 8))
    assert products(graph) == []
    with pytest.raises(fl.FlopledgerError, match="sizes = True"):
        graph.count("torchprofile")


def test_torch_is_afterwards_what_it_was() -> None:
    fl.read(Heads(), torch.rand(3, 5, 8))  # torch imports parts of itself at their first use
    before = dict(vars(torch.Tensor)), dict(vars(torch))
    fl.read(Heads(), torch.rand(3, 5, 8), profile=SIZES)
    with pytest.raises(fl.FlopledgerError):
        fl.read(Heads(), torch.rand(3, 4, 8), profile=SIZES)
    assert (dict(vars(torch.Tensor)), dict(vars(torch))) == before
    assert type(torch.rand(3).shape[0]) is int
