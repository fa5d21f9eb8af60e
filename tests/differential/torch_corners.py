"""Probes that tools see differently: masks, gradients of one's own, modules out of sight, memory."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch_probes import Holder, function, network
from torch_structures import Forward

causal = nn.Transformer.generate_square_subsequent_mask


class Swish(torch.autograd.Function):
    """An activation that keeps its input alone for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)


class Binary(torch.autograd.Function):
    """A product with the signs of weights, and the mean of its input."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.save_for_backward(x)
        return F.linear(x, weight.sign()), x.mean()


def masks() -> None:
    def both() -> nn.Module:
        def run(m: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return m.t(x, y, tgt_mask=causal(y.shape[1]))

        return Forward(run, t=nn.Transformer(8, 2, 1, 1, 12, batch_first=True))

    network("causal_transformer_n2", both, (2, 5, 8), (2, 3, 8))

    def words() -> nn.Module:
        layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12), 2, enable_nested_tensor=False)
        return Forward(lambda m, x: m.o(m.t(x, causal(len(x)))), t=layers, o=nn.Linear(8, 11))

    network("causal_encoder_steps_first_n3", words, (5, 3, 8))


def gradients() -> None:
    def swish() -> nn.Module:
        return Forward(lambda m, x: m.g(Swish.apply(m.f(x))), f=nn.Conv2d(6, 10, 3), g=nn.Conv2d(10, 4, 1))

    network("own_gradient_n3", swish, (3, 6, 11, 14))

    def signs(m: Any, x: torch.Tensor) -> torch.Tensor:
        y, mean = Binary.apply(x, m.w)
        return torch.mul(y, mean)

    function("own_gradient_of_two", signs, (3, 7), w=(11, 7))


def out_of_sight() -> None:
    """Modules that are registered nowhere, and results that lead nowhere."""

    class Kept(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.f, self.g = nn.Conv2d(6, 10, 3), nn.Linear(5, 7)
            self.kept = [nn.Conv2d(10, 5, 1), nn.BatchNorm2d(5), nn.ReLU()]

        def forward(self, x0: torch.Tensor) -> torch.Tensor:
            x = self.f(x0)
            for part in self.kept:
                x = part.eval()(x)
            return self.g(x.mean((2, 3)))

    network("kept_in_a_list", Kept, (1, 6, 11, 14))
    network("kept_in_a_list_n3", Kept, (3, 6, 11, 14))
    network(
        "made_in_forward_n3",
        lambda: Forward(lambda m, x: nn.Softmax(dim=-1)(m.f(x)), f=nn.Linear(7, 11)),
        (3, 7),
    )

    def pooled() -> nn.Module:
        def run(m: Any, x: torch.Tensor) -> torch.Tensor:
            turned = m.f(x).transpose(1, 2)
            m.p(turned)
            return turned

        return Forward(run, f=nn.Linear(7, 11), p=nn.AdaptiveAvgPool1d(1))

    network("unused_pool_n3", pooled, (3, 5, 7))


def memory() -> None:
    def positions(_: Any, x: torch.Tensor) -> torch.Tensor:
        table = torch.zeros(5, 8)
        table[:, :4] = torch.sin(torch.mul(x, 3))
        return table[None].expand(2, -1, -1)

    function("written_in_part", positions, (5, 4))

    def turned() -> nn.Module:
        return Forward(lambda m, x: m.f(m.b(x.transpose(1, 2))), b=nn.BatchNorm1d(7), f=nn.Linear(5, 11))

    network("batch_norm_of_turned_n3", turned, (3, 5, 7))


def untraced() -> None:
    def masked() -> nn.Module:
        def run(m: Any, x: torch.Tensor) -> torch.Tensor:
            m.f.weight.data *= torch.ones(4, 6, 3, 3).tril()
            return m.f(x)

        return Forward(run, f=nn.Conv2d(6, 4, 3))

    network("masked_in_place_n3", masked, (3, 6, 11, 14))

    def branching(_: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.mul(x, 3) if torch.jit.is_tracing() else x

    function("asks_for_the_tracer", branching, (3, 7))


def moved() -> None:
    def moving(m: Any, x: torch.Tensor) -> torch.Tensor:
        return m.b.to(x.device)(m.f.to(x.dtype)(x))

    network(
        "moved_in_forward_n3",
        lambda: Forward(moving, f=nn.Linear(7, 11), b=nn.BatchNorm1d(11)),
        (3, 7),
    )
    network(
        "weight_norm_of_positions",
        lambda: Holder(nn.utils.weight_norm(nn.Conv1d(6, 10, 3), dim=2)),
        (1, 6, 11),
    )


def add() -> None:
    """Add all of them."""
    for part in (masks, gradients, out_of_sight, memory, untraced, moved):
        part()
