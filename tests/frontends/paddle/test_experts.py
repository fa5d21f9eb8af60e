"""Mixtures of experts in Paddle: the weights that one token uses."""

from __future__ import annotations

import flopledger as fl
from flopledger_paddle.framework import paddle
from paddle import nn


class Listed(nn.Layer):
    """A router of 8 * 4 + 4 weights that picks two of four dense layers of 8 * 8 + 8."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(8, 4)
        self.experts = nn.LayerList([nn.Linear(8, 8) for _ in range(4)])

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        weights, chosen = paddle.topk(nn.functional.softmax(self.router(x)), 2)
        sent = (nn.functional.one_hot(chosen, 4) * weights.unsqueeze(-1)).sum(-2)
        return sum(sent[..., i : i + 1] * expert(x) for i, expert in enumerate(self.experts))


class Stacked(nn.Layer):
    """A router of 8 * 4 weights that picks one of four experts of 8 * 12 + 12 * 8."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(8, 4, bias_attr=False)
        self.up = self.create_parameter([4, 8, 12])
        self.down = self.create_parameter([4, 12, 8])

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        sent = nn.functional.one_hot(paddle.argmax(self.router(x), -1), 4)
        inner = nn.functional.relu(paddle.einsum("bth,ehf->betf", x, self.up))
        return (paddle.matmul(inner, self.down) * sent.transpose([0, 2, 1]).unsqueeze(-1)).sum(1)


def test_experts_are_found_in_a_list_and_in_a_stack() -> None:
    ledger = fl.count(nn.Sequential(Listed(), Stacked()), "1x6x8")

    found = [(e.path, e.size, e.picked, e.params, e.active_params) for e in ledger.experts]
    assert found == [("0", 4, 2, 4 * 72, 2 * 72), ("1", 4, 1, 4 * 192, 192)]
    assert ledger.total.active_params == 36 + 2 * 72 + 32 + 192
