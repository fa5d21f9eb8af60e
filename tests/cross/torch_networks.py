"""Published networks in PyTorch, written down from their papers and from torchvision's layout."""

from __future__ import annotations

from torch import Tensor, flatten, nn


class Bottleneck(nn.Module):
    """A residual block of three convolutions; version 1.5 has the stride in the second one."""

    def __init__(self, width: int, middle: int, stride: int, version: float) -> None:
        super().__init__()
        out = 4 * middle
        first, second = (1, stride) if version == 1.5 else (stride, 1)
        self.conv1 = nn.Conv2d(width, middle, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, second, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if width != out:
            self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        z: Tensor = self.relu(y)
        return z


class ResNet50(nn.Module):
    """He et al., Deep Residual Learning for Image Recognition, 2015, table 1."""

    def __init__(self, version: float = 1.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        width = 64
        for stage, (middle, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
            blocks = []
            for place in range(depth):
                blocks.append(Bottleneck(width, middle, 2 if stage > 1 and place == 0 else 1, version))
                width = 4 * middle
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        y: Tensor = self.fc(flatten(self.avgpool(x), 1))
        return y


class VGG16(nn.Module):
    """Simonyan and Zisserman, Very Deep Convolutional Networks, 2014, configuration D."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for out, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                layers += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
                width = out
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 49, 4096), nn.ReLU(inplace=True), nn.Dropout(),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 1000),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.classifier(flatten(self.avgpool(self.features(x)), 1))
        return y


def conv_bn(width: int, out: int, kernel: int, stride: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out), nn.ReLU6(inplace=True),
    )  # fmt: skip


class Inverted(nn.Module):
    """An inverted residual: expand, depthwise, project."""

    def __init__(self, width: int, out: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = width * expand
        self.residual = stride == 1 and width == out
        self.conv = nn.Sequential(
            *([conv_bn(width, hidden, 1, 1)] if expand != 1 else []),
            conv_bn(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """Sandler et al., MobileNetV2, 2018, table 2."""

    TABLE = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_bn(3, 32, 3, 2)]
        width = 32
        for expand, out, depth, stride in self.TABLE:
            for place in range(depth):
                layers.append(Inverted(width, out, stride if place == 0 else 1, expand))
                width = out
        self.features = nn.Sequential(*layers, conv_bn(width, 1280, 1, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.classifier(self.features(x).mean((2, 3)))
        return y


class MobileNetV1(nn.Module):
    """Howard et al., MobileNets, 2017, table 1."""

    TABLE = (
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        *((512, 1),) * 5,
        (1024, 2),
        (1024, 1),
    )

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_bn(3, 32, 3, 2)]
        width = 32
        for out, stride in self.TABLE:
            layers += [conv_bn(width, width, 3, stride, width), conv_bn(width, out, 1, 1)]
            width = out
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))
        self.fc = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc(flatten(self.features(x), 1))
        return y
