"""Random small networks, each counted as FlopCounterMode counts it, and refused or unknown nowhere.

A network is a list of steps that fit whatever shape they are given: layers, products in several spellings,
views, writes, branches on shapes. Work that FlopCounterMode has no rule for is added by hand where it is
used.
"""

# ruff: noqa: ARG001, S311  (each step is offered what some need; nothing is secret)

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[["Step", random.Random, torch.Size], "Callable[[Tensor], Any]"]

LARGEST = 1500
"""Elements between two steps: more are cut off."""
MAKERS: list[Make] = []


class Step(nn.Module):
    """One step; ``missed`` are the products that FlopCounterMode has no rule for."""

    def __init__(self, make: Make, dice: random.Random, shape: torch.Size) -> None:
        super().__init__()
        self.missed = 0
        self.do = make(self, dice, shape)

    def weight(self, *sizes: int) -> Tensor:
        """Return a new weight, under a name of its own."""
        made = nn.Parameter(torch.rand(sizes))
        self.register_parameter(f"w{len(self._parameters)}", made)
        return made

    def forward(self, x: Tensor) -> Any:
        return self.do(x)


class Network(nn.Module):
    """Steps that a seed chooses, each for the shape that those before it give."""

    def __init__(self, seed: int, length: int) -> None:
        super().__init__()
        dice = random.Random(seed)
        self.steps = nn.ModuleList()
        self.start = tuple(dice.randint(1, 6) for _ in range(dice.randint(2, 4)))
        x = torch.rand(self.start)
        for _ in range(length):
            step = Step(dice.choice(MAKERS), dice, x.shape)
            x = self.cut(step(x))
            self.steps.append(step)

    @staticmethod
    def cut(x: Tensor) -> Tensor:
        while x.numel() > LARGEST:
            x = x.narrow(x.shape.index(max(x.shape)), 0, max(x.shape) // 2)
        return x if x.dim() > 1 else x[None]

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = self.cut(step(x))
        return x


def step(make: Make) -> Make:
    MAKERS.append(make)
    return make


def matrices(x: Tensor) -> Tensor:
    """Return a stack of matrices of the same elements."""
    return x.reshape(-1, x.shape[-2], x.shape[-1]) if x.dim() > 2 else x[None]


@step
def dense(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    self.fc = nn.Linear(shape[-1], dice.randint(1, 6), bias=dice.random() < 0.5)
    return self.fc


@step
def convolution(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    groups = dice.choice([g for g in range(1, shape[-2] + 1) if shape[-2] % g == 0])
    kernel = dice.randint(1, 3)
    kind = nn.ConvTranspose1d if dice.random() < 0.3 else nn.Conv1d
    self.conv = kind(
        shape[-2], groups * dice.randint(1, 2), kernel, stride=dice.randint(1, 2), padding=kernel // 2,
        groups=groups, bias=dice.random() < 0.5,
    )  # fmt: skip
    return lambda x: self.conv(nn.functional.pad(matrices(x), (kernel, kernel)))


@step
def picture(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    weight = self.weight(dice.randint(1, 3), 1, 2, dice.randint(1, 2))
    return lambda x: functional.conv2d(matrices(x)[:, None], weight.expand(-1, 1, -1, -1), padding=1)


@step
def with_itself(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    if dice.random() < 0.5:
        return lambda x: x @ x.transpose(-1, -2)
    return lambda x: torch.bmm(matrices(x).mT, matrices(x))


@step
def by_a_matrix(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    # Of two columns at least: tensordot of one row and one column is a dot product, without a rule there.
    w, b = self.weight(shape[-1], dice.randint(2, 5)), self.weight(1)
    choices = [
        lambda x: torch.matmul(x, w),
        lambda x: torch.addmm(b, x.reshape(-1, x.shape[-1]), w),
        lambda x: torch.baddbmm(b, matrices(x), w.expand(matrices(x).shape[0], -1, -1)),
        lambda x: torch.tensordot(x, w, 1),
        lambda x: functional.linear(x, w.t()),
        lambda x: torch.einsum("...i,ij->...j", x, w) if 1 not in (*x.shape, *w.shape) else x @ w,
        lambda x: x @ (w @ w.t()),
        lambda x: torch.linalg.multi_dot([x.flatten(0, -2), w, w.t()]),
    ]
    return dice.choice(choices)


@step
def by_a_vector(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    """FlopCounterMode has no rule for mv: each element is multiplied once, before the last axis is summed."""
    w = self.weight(shape[-1])
    self.missed = shape.numel()
    return lambda x: x + (x @ w)[..., None]


@step
def attention(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    causal = dice.random() < 0.5
    keys = dice.randint(1, shape[-2])
    if causal or dice.random() < 0.5:
        keys = shape[-2]

    def attend(x: Tensor) -> Tensor:
        x = matrices(x)[:, None]
        made = functional.scaled_dot_product_attention(
            x, x[..., :keys, :], x[..., :keys, :], is_causal=causal
        )
        return made[:, 0]

    return attend


@step
def heads(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    self.attend = nn.MultiheadAttention(shape[-1], 1, batch_first=True)
    return lambda x: self.attend(matrices(x), matrices(x), matrices(x), need_weights=dice.random() < 0.5)[0]


@step
def recurrent(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    kind = dice.choice([nn.RNN, nn.GRU, nn.LSTM])
    self.rnn = kind(shape[-1], dice.randint(1, 4), batch_first=True, bidirectional=dice.random() < 0.3)
    return lambda x: self.rnn(matrices(x))[0]


@step
def contraction(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    if 1 in shape:  # over an axis of size 1 torch multiplies, and does not call a product
        return lambda x: x * 2
    w = self.weight(*shape[-2:])
    equation = dice.choice(["...ij,kj->...ik", "...ij,ij->...i", "...ij,...ik->...jk"])
    return lambda x: torch.einsum(equation, x, x if equation.count("...") == 3 else w)


@step
def view(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    choices: list[Any] = [
        lambda x: x.transpose(0, -1),
        lambda x: x.flip(-1).flatten(0, -2),
        lambda x: x[..., ::2],
        lambda x: x[:1].expand(3, *x.shape[1:]),
        lambda x: x.unsqueeze(0) if x.dim() < 4 else x.flatten(0, 1),
        lambda x: torch.cat([x, x[..., :1]], -1),
        lambda x: torch.stack(x.chunk(2, -1)[:1])[0],
        lambda x: x.unfold(-1, 1, 1)[..., 0],
        lambda x: x.permute(*reversed(range(x.dim()))).contiguous(),
    ]
    return dice.choice(choices)


@step
def elements(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    choices: list[Any] = [
        lambda x: torch.where(x > 0.5, x, -x),
        lambda x: x + x[..., :1] * x[:1],
        lambda x: x.masked_fill(x < 0, 0.0).softmax(-1),
        lambda x: functional.layer_norm(x, x.shape[-1:]).relu(),
        lambda x: x.clone().mul_(2).add_(1),
        lambda x: x - x.mean(-1, keepdim=True),
    ]
    return dice.choice(choices)


@step
def written(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    self.fc = nn.Linear(shape[-1], 2)

    def write(x: Tensor) -> Tensor:
        out = x.new_zeros((*x.shape[:-1], 3))
        out[..., :2] = self.fc(x)
        out[..., 2] += out[..., 0]
        return out

    return write


@step
def branch(self: Step, dice: random.Random, shape: torch.Size) -> Any:
    """The shape decides how often the layer runs, and whether it does."""
    self.fc = nn.Linear(shape[-1], shape[-1])

    def run(x: Tensor) -> Tensor:
        if x.shape[-2] % 2:
            return torch.relu(self.fc(x))
        for row in range(min(x.shape[0], 3)):
            x = x + self.fc(x[row : row + 1])
        return x

    return run


def counted(seed: int, length: int) -> tuple[object, int]:
    """Return our figure, and FlopCounterMode's with the work that it misses."""
    torch.manual_seed(0)
    net = Network(seed, length).eval()
    # On the meta device attention is no kernel of the CPU, of which FlopCounterMode knows none.
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        meta = Network(seed, length).eval()
        given_ = torch.rand(meta.start)
        before = counter.get_total_flops()
        meta(given_)
    flop = counter.get_total_flops() - before
    ledger = fl.count(net, (torch.rand(net.start),))
    assert ledger.coverage.unknown == ()
    assert ledger.disagreements == ()
    missed = sum(step.missed for step in net.steps)  # type: ignore[misc]
    return ledger.total.count, flop // 2 + missed  # type: ignore[operator]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 8))
def test_a_random_network_is_counted_as_torchs_own_counter_counts_it(seed: int, length: int) -> None:
    ours, theirs = counted(seed, length)
    assert ours == theirs
