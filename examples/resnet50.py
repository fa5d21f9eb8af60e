"""ResNet-50 in PyTorch, with the stride of a down-sampling block where one wants it.

Count it with::

    flopledger count examples/resnet50.py:resnet50 -i 1x3x224x224
    flopledger count examples/resnet50.py:resnet50 -i 1x3x224x224 --arg version=1

Version 1 is the network of He et al., Deep Residual Learning for Image Recognition, 2015, table 1. Version
1.5, the default and what torchvision has, moves that stride from the first 1x1 convolution to the 3x3 one.
"""

from __future__ import annotations

from torch import Tensor, nn

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""The width of the 3x3 convolutions and the number of blocks, stage by stage."""
EXPANSION = 4
"""How many times as wide as its 3x3 convolution a block's output is."""


def conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution without biases, padded to keep the size at stride 1, and its batch norm."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    """Three convolutions, 1x1, 3x3 and 1x1, beside a shortcut. [N, C, H, W] to [N, 4 width, H', W']."""

    def __init__(self, inputs: int, width: int, stride: int, *, stride_in_3x3: bool) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.reduce = conv_norm(inputs, width, 1, 1 if stride_in_3x3 else stride)
        self.spatial = conv_norm(width, width, 3, stride if stride_in_3x3 else 1)
        self.expand = conv_norm(width, outputs, 1)
        self.shortcut = nn.Identity() if inputs == outputs else conv_norm(inputs, outputs, 1, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output for a batch."""
        y = self.relu(self.reduce(x))
        y = self.expand(self.relu(self.spatial(y)))
        y += self.shortcut(x)
        result: Tensor = self.relu(y)
        return result


def resnet50(version: float = 1.5, classes: int = 1000) -> nn.Module:
    """Return the network, from [N, 3, H, W] to [N, classes]."""
    blocks: list[nn.Module] = []
    channels = 64
    for stage, (width, depth) in enumerate(STAGES):
        for place in range(depth):
            stride = 2 if stage > 0 and place == 0 else 1
            blocks.append(Bottleneck(channels, width, stride, stride_in_3x3=version > 1))
            channels = EXPANSION * width
    stem = (conv_norm(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, padding=1))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
    return nn.Sequential(*stem, *blocks, *head)
