"""A model that checks its data; in a file of its own, since pytest rewrites the assertions of test files."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Asserting(nn.Module):
    """A linear layer after checks of several spellings."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        torch._check_tensor_all(x == x, lambda: "not a number")  # type: ignore[no-untyped-call]  # noqa: PLR0124
        assert (x < 3).all()
        assert not torch.isnan(x).any().item() and (x < 4).all(), "not a number"  # noqa: PT018
        if torch.isnan(x).any() or bool((x > 3).all()):
            raise ValueError
        if not torch.equal(x, x.abs()):
            raise ValueError
        torch.distributions.Normal(x, x.exp(), validate_args=True)  # type: ignore[no-untyped-call]
        y: Tensor = self.fc(x)
        return y
