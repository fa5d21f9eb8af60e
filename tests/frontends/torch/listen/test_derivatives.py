"""Derivatives inside a forward, against FlopCounterMode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable


class Energy(nn.Module):
    """An energy and the forces on its atoms."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 16), nn.SiLU(), nn.Linear(16, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        energy = self.net(x).sum()
        return energy, -torch.autograd.grad(energy, x, create_graph=True)[0]


class Loss(Energy):
    """The gradients of a loss on the forces: derivatives of derivatives."""

    def forward(self, x: Tensor) -> Any:
        energy, forces = super().forward(x)
        return torch.autograd.grad(energy + forces.square().sum(), list(self.parameters()))


class Penalty(nn.Module):
    """A penalty on the gradient of a critic of pictures."""

    def __init__(self, groups: int = 1) -> None:
        super().__init__()
        self.a = nn.Conv2d(4, 8, 3, padding=1, groups=groups)
        self.b = nn.ConvTranspose2d(8, 4, 3, stride=2)
        self.c = nn.Conv2d(4, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = self.c(functional.relu(self.b(functional.relu(self.a(x), inplace=True))))
            (grad,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return y.mean() + (grad.flatten(1).norm(2, 1) - 1).square().mean()


class Step(Penalty):
    """A training step inside a forward."""

    def forward(self, x: Tensor) -> Any:
        super().forward(x).backward()  # type: ignore[no-untyped-call]
        return [parameter.grad for parameter in self.parameters()]


class Products(nn.Module):
    """Products of matrices, an einsum and a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4, 5))

    def forward(self, x: Tensor) -> Any:
        x = x.detach().requires_grad_()
        y = torch.einsum("bij,jk->bik", x, self.weight)
        z = torch.bmm(y.softmax(-1), y.log_softmax(-1).transpose(1, 2))
        return torch.autograd.grad(z.square()[:, 0, 1:].sum(), (x, self.weight))


class _Nothing:
    """Follows no modules, whose hooks fail where a forward takes a derivative of a derivative."""

    parents = frozenset(("Global",))
    is_bw = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def counted(model: nn.Module, given: Tensor) -> int:
    """Return what FlopCounterMode counts."""
    counter: Any = FlopCounterMode(display=False)
    counter.mod_tracker = _Nothing()
    with counter:
        model(given)
    return int(counter.get_total_flops())


@pytest.mark.parametrize("make", [Energy, Loss, Penalty, Step, Products, lambda: Penalty(groups=2)])
def test_a_derivative_has_the_figure_of_flop_counter_mode(make: Callable[[], nn.Module]) -> None:
    model = make().eval()
    given = {Products: (2, 3, 4), Energy: (5, 3), Loss: (5, 3)}.get(type(model), (2, 4, 8, 8))
    graph = fl.read(model, torch.rand(given))
    assert all(parameter.grad is None for parameter in model.parameters())
    theirs, own = graph.count("torch-flop-counter"), graph.count("mac")
    assert theirs.total.count == counted(model, torch.rand(given))
    assert (theirs.coverage.unknown, own.coverage.unknown, own.disagreements) == ((), (), ())
    assert 2 * own.total.count == theirs.total.count


def test_the_weights_of_a_grouped_convolution_are_derived_once() -> None:
    """FlopCounterMode multiplies them by the groups: 8 by 4 channels, where each of the 8 meets 2."""

    class Weights(nn.Module):
        """The gradients of a convolution's weights."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 3, groups=2, bias=False)

        def forward(self, x: Tensor) -> Any:
            return torch.autograd.grad(self.conv(x).sum(), self.conv.weight)

    model, given = Weights().eval(), torch.rand(1, 4, 6, 6)
    graph, forward = (
        fl.read(model, given),
        16 * 8 * 2 * 9,
    )  # 4 by 4 places, 8 channels, 2 by 3 by 3 weights each
    assert graph.count("mac").total.count == 2 * forward
    assert (
        graph.count("torch-flop-counter").total.count == counted(model, given) == 2 * (forward + 2 * forward)
    )


def test_a_derivative_by_what_memory_was_filled_with_is_unknown() -> None:
    class Filled(nn.Module):
        """Rows that are written into memory made before."""

        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            rows = torch.zeros(3, 4)
            rows[0] = self.fc(x)
            return torch.autograd.grad((rows * self.fc(x)).sum(), self.fc.weight)

    found = fl.count(Filled(), torch.rand(4)).coverage.unknown
    assert [unknown.source for unknown in found] == ["torch.autograd.backward"]


@pytest.mark.parametrize("convention", ["fvcore", "torchprofile"])
def test_tools_that_trace_fail_on_a_derivative(convention: str) -> None:
    found = fl.count(Energy(), torch.rand(5, 3), convention).coverage.unknown
    assert [unknown.source for unknown in found] == ["torch.autograd.backward"]
