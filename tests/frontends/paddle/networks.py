"""Networks that the tests name by file, as a user does."""

from __future__ import annotations

from typing import Any

from flopledger_paddle.framework import paddle
from paddle import nn


class Branch(nn.Layer):
    """Goes one way or the other, as the values are."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(5, 7)
        self.right = nn.Linear(5, 9)

    def forward(self, x: Any) -> Any:
        if x.sum() > 0:
            return self.left(x)
        return self.right(x)


class Loop(nn.Layer):
    """Runs until the values are large."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 5)

    def forward(self, x: Any) -> Any:
        while x.sum() < 100:
            x = self.linear(x)
        return x


class Steps(nn.Layer):
    """Counts its calls, and keeps its results."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.seen: list[Any] = []
        self.linear = nn.Linear(4, 3)
        self.norm = nn.BatchNorm1D(3)

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.last = self.norm(self.linear(x))
        self.seen.append(self.last)
        return self.last


class TwoInputs(nn.Layer):
    """Reads words by their numbers, and scales them."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.out = nn.Linear(6, 2)

    def forward(self, ids: Any, scale: Any, *, twice: bool = False) -> Any:
        x = self.words(ids) * scale
        return self.out(x + x if twice else x)


def made(width: int = 8) -> nn.Layer:
    """Make a network."""
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))


def big() -> nn.Layer:
    """Make a network of 400 GB, which only fits where no weight has memory."""
    return nn.Sequential(*(nn.Linear(100_000, 100_000, bias_attr=False) for _ in range(10)))


__all__ = ["Branch", "Loop", "Steps", "TwoInputs", "big", "made", "paddle"]
