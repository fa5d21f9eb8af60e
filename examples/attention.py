"""A small network that most counters count in part: two products written with ``@``, and attention.

By hand, for an image of 16 x 16, in multiply-accumulates:

=========  ==================================================  =========
conv       16 x 16 x 8 outputs of 3 x 3 x 3 terms                 55,296
``@``      256 x 256 outputs of 8 terms                          524,288
``@``      256 x 8 outputs of 256 terms                          524,288
attention  q, k and v: 256 x 24 outputs of 8 terms                49,152
attention  scores: 2 heads of 256 x 256 outputs of 4 terms       524,288
attention  values: 2 heads of 256 x 4 outputs of 256 terms       524,288
attention  projection: 256 x 8 outputs of 8 terms                 16,384
head       10 outputs of 8 terms                                      80
all                                                            2,218,064
=========  ==================================================  =========
"""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    """A convolution, a product of the pixels with themselves, attention over them, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Classify images of shape N x 3 x H x W."""
        pixels = torch.relu(self.conv(image)).flatten(2).transpose(1, 2)
        mixed = pixels @ pixels.transpose(1, 2) @ pixels
        attended, _ = self.attention(mixed, mixed, mixed, need_weights=False)
        found: torch.Tensor = self.head(attended.mean(1))
        return found
