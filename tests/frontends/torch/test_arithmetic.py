"""Products of sizes, recorded where a profile asks for them."""

from __future__ import annotations

import flopledger as fl
import pytest
import torch
from flopledger.dims.arithmetic import substitute, text
from torch import nn

SIZES = {"sizes": True}
OWNERS = (torch.Tensor, torch, torch.SymInt, torch.SymFloat)


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


def test_they_are_not_recorded_unless_asked_for() -> None:
    graph = fl.read(Heads(), torch.rand(3, 5, 8))
    assert products(graph) == []
    with pytest.raises(fl.FlopledgerError, match="sizes = True"):
        graph.count("torchprofile")


def test_torch_is_afterwards_what_it_was() -> None:
    for inputs in (torch.rand(3, 5, 8), "Nx5x8"):  # torch imports parts of itself at their first use
        fl.read(Heads(), inputs)
    before = [dict(vars(owner)) for owner in OWNERS]
    fl.read(Heads(), torch.rand(3, 5, 8), profile=SIZES)
    fl.read(Heads(), "Nx5x8", profile=SIZES)
    with pytest.raises(fl.FlopledgerError):
        fl.read(Heads(), torch.rand(3, 4, 8), profile=SIZES)
    assert [dict(vars(owner)) for owner in OWNERS] == before
    assert type(torch.rand(3).shape[0]) is int


class Perceptron(nn.Module):
    """Folds rows and steps before a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.linear(x.view(x.size(0) * x.size(1), 6))
        return y


class Folded(nn.Module):
    """Attention whose heads are folded into the batch, as people write it."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(12, 36)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, steps, width = x.shape
        heads = width // 4
        qkv = self.qkv(x).reshape(n, steps, 3, heads, 4).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, n * heads, steps, 4)
        y = (q @ k.transpose(1, 2)) * (1 / steps) @ v
        if heads != 3 or n == steps:
            return y
        return y.reshape(n, heads * steps, -1)[:, : 2 * steps]


FOLDED = {
    "heads": (Heads, "Nx5x8"),
    "folded attention": (Folded, "NxSx12"),
    "perceptron": (Perceptron, "NxSx6"),
}


@pytest.mark.parametrize("name", FOLDED)
def test_products_of_symbols_are_recorded_as_those_of_numbers_are(name: str) -> None:
    make, spec = FOLDED[name]
    model = make()
    formula = fl.count(model, spec, "torchprofile").total.count
    for rows, steps in ((3, 5), (2, 7), (4, 9)):
        numbers = spec.replace("N", str(rows)).replace("S", str(steps))
        counted = fl.count(model, numbers, "torchprofile").total.count
        assert substitute(formula, {"N": rows, "S": steps}) == counted


def test_a_product_of_symbols_that_is_used_counts_1() -> None:
    # the dense layer of 6 x 4, and the product that its input is folded by
    assert text(fl.count(Perceptron(), "NxSx6", "torchprofile").total.count) == "1 + 24*N*S"
    assert text(fl.count(Perceptron(), "NxSx6", "mac").total.count) == "24*N*S"
