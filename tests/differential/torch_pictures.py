"""Networks for pictures, after the papers and as torchvision builds them; weights are random."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


class Block(nn.Module):
    """A residual block: two 3x3 convolutions, or 1x1, 3x3 and 1x1 with four times the channels."""

    def __init__(self, given: int, width: int, stride: int, *, deep: bool) -> None:
        super().__init__()
        out = width * 4 if deep else width
        self.conv1 = nn.Conv2d(
            given, width, 1 if deep else 3, 1 if deep else stride, 0 if deep else 1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride if deep else 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False) if deep else None
        self.bn3 = nn.BatchNorm2d(out) if deep else None
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = None
        if stride != 1 or given != out:
            self.shortcut = nn.Sequential(nn.Conv2d(given, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.conv3 is not None:
            y = self.bn3(self.conv3(self.relu(y)))
        y += x if self.shortcut is None else self.shortcut(x)
        return self.relu(y)


class ResNet(nn.Module):
    """He et al., 2015 (arXiv:1512.03385), with the stride in the 3x3 convolution."""

    def __init__(self, depths: tuple[int, ...], *, deep: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.relu, self.pool = nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        given, stages = 64, []
        for stage, depth in enumerate(depths):
            blocks = []
            for place in range(depth):
                stride = 2 if stage > 0 and place == 0 else 1
                blocks.append(Block(given, 64 << stage, stride, deep=deep))
                given = (64 << stage) * (4 if deep else 1)
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.average, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(given, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stages(self.pool(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(self.average(x), 1))


def resnet18() -> nn.Module:
    return ResNet((2, 2, 2, 2), deep=False)


def resnet50() -> nn.Module:
    return ResNet((3, 4, 6, 3), deep=True)


def conv_norm(given: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution that keeps the size, and its norm."""
    conv = nn.Conv2d(given, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(out)]


def active(parts: list[nn.Module]) -> nn.Module:
    """Those, and ReLU6."""
    return nn.Sequential(*parts, nn.ReLU6(inplace=True))


class Inverted(nn.Module):
    """An inverted residual: widen, convolve each channel, narrow."""

    def __init__(self, given: int, out: int, stride: int, factor: int) -> None:
        super().__init__()
        wide = given * factor
        first = [active(conv_norm(given, wide, 1))] if factor != 1 else []
        middle = active(conv_norm(wide, wide, 3, stride=stride, groups=wide))
        self.conv = nn.Sequential(*first, middle, *conv_norm(wide, out, 1))
        self.residual = stride == 1 and given == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """Sandler et al., 2018 (arXiv:1801.04381)."""

    def __init__(self) -> None:
        super().__init__()
        rows = (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
            (6, 320, 1, 1),
        )  # fmt: skip
        parts, given = [active(conv_norm(3, 32, 3, stride=2))], 32
        for factor, out, times, stride in rows:
            for place in range(times):
                parts.append(Inverted(given, out, stride if place == 0 else 1, factor))
                given = out
        self.features = nn.Sequential(*parts, active(conv_norm(given, 1280, 1)))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(self.features(x), (1, 1)), 1))


def mobilenet_v2() -> nn.Module:
    return MobileNetV2()


class Fire(nn.Module):
    """Squeeze, then expand by 1x1 and 3x3 convolutions side by side."""

    def __init__(self, given: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.squeeze, self.act = nn.Conv2d(given, narrow, 1), nn.ReLU(inplace=True)
        self.one, self.act1 = nn.Conv2d(narrow, wide, 1), nn.ReLU(inplace=True)
        self.three, self.act3 = nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.squeeze(x))
        return torch.cat([self.act1(self.one(x)), self.act3(self.three(x))], 1)


def squeezenet() -> nn.Module:
    """SqueezeNet 1.1; Iandola et al., 2016 (arXiv:1602.07360)."""
    fires = (
        ((64, 16, 64), (128, 16, 64)),
        ((128, 32, 128), (256, 32, 128)),
        ((256, 48, 192), (384, 48, 192), (384, 64, 256), (512, 64, 256)),
    )
    parts: list[nn.Module] = [nn.Conv2d(3, 64, 3, 2), nn.ReLU(inplace=True)]
    for group in fires:
        parts += [nn.MaxPool2d(3, 2, ceil_mode=True), *(Fire(*sizes) for sizes in group)]
    parts += [nn.Dropout(0.5), nn.Conv2d(512, 1000, 1), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())


def vgg16() -> nn.Module:
    """Simonyan and Zisserman, 2014 (arXiv:1409.1556)."""
    parts: list[nn.Module] = []
    given = 3
    for width, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(times):
            parts += [nn.Conv2d(given, width, 3, padding=1), nn.ReLU(inplace=True)]
            given = width
        parts.append(nn.MaxPool2d(2, 2))
    parts += [nn.AdaptiveAvgPool2d((7, 7)), nn.Flatten()]
    for i, o in ((512 * 49, 4096), (4096, 4096)):
        parts += [nn.Linear(i, o), nn.ReLU(inplace=True), nn.Dropout()]
    return nn.Sequential(*parts, nn.Linear(4096, 1000))


class DenseLayer(nn.Module):
    """A bottleneck whose 32 channels are joined to its input."""

    def __init__(self, given: int) -> None:
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(given), nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(given, 128, 1, bias=False)
        self.norm2, self.relu2 = nn.BatchNorm2d(128), nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, parts: list[torch.Tensor]) -> torch.Tensor:
        y = self.conv1(self.relu1(self.norm1(torch.cat(parts, 1))))
        return self.conv2(self.relu2(self.norm2(y)))


class DenseBlock(nn.ModuleDict):
    """Layers that each see all that came before."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [x]
        for one in self.values():
            parts.append(one(parts))
        return torch.cat(parts, 1)


class DenseNet(nn.Module):
    """Huang et al., 2016 (arXiv:1608.06993), 121 layers."""

    def __init__(self) -> None:
        super().__init__()
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
        parts, given = [*stem, nn.MaxPool2d(3, 2, 1)], 64
        for place, depth in enumerate((6, 12, 24, 16)):
            parts.append(DenseBlock({f"layer{i}": DenseLayer(given + 32 * i) for i in range(depth)}))
            given += 32 * depth
            if place < 3:
                half = nn.Conv2d(given, given // 2, 1, bias=False)
                parts.append(
                    nn.Sequential(nn.BatchNorm2d(given), nn.ReLU(inplace=True), half, nn.AvgPool2d(2, 2))
                )
                given //= 2
        self.features = nn.Sequential(*parts, nn.BatchNorm2d(given))
        self.classifier = nn.Linear(given, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.features(x), inplace=True)
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


def densenet121() -> nn.Module:
    return DenseNet()


class EncoderBlock(nn.Module):
    """Attention and a perceptron, each after a norm and beside a shortcut."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.dropout = nn.Dropout(0.0)
        parts = (
            nn.Linear(width, inner),
            nn.GELU(),
            nn.Dropout(0.0),
            nn.Linear(inner, width),
            nn.Dropout(0.0),
        )
        self.mlp = nn.Sequential(*parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.ln_1(x)
        y, _ = self.attention(y, y, y, need_weights=False)
        x = self.dropout(y) + x
        return x + self.mlp(self.ln_2(x))


class VisionTransformer(nn.Module):
    """Dosovitskiy et al., 2020 (arXiv:2010.11929), ViT-B/16."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, 768, 16, 16)
        self.class_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.position = nn.Parameter(torch.empty(1, 197, 768).normal_(std=0.02))
        self.dropout = nn.Dropout(0.0)
        self.layers = nn.Sequential(*(EncoderBlock(768, 12, 3072) for _ in range(12)))
        self.ln, self.head = nn.LayerNorm(768, eps=1e-6), nn.Linear(768, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, _, h, w = x.shape
        x = self.conv_proj(x).reshape(n, 768, (h // 16) * (w // 16)).permute(0, 2, 1)
        x = torch.cat([self.class_token.expand(n, -1, -1), x], dim=1)
        x = self.ln(self.layers(self.dropout(x + self.position)))
        return self.head(x[:, 0])


def twice(given: int, out: int) -> nn.Module:
    """Two convolutions that keep the size."""
    first, second = nn.Conv2d(given, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class UNet(nn.Module):
    """Ronneberger et al., 2015 (arXiv:1505.04597), narrow, with padding."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([twice(3, 8), twice(8, 16), twice(16, 32)])
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(32, 16, 2, 2), nn.Upsample(scale_factor=2, mode="bilinear")]
        )
        self.join = nn.ModuleList([twice(32, 16), twice(24, 8)])
        self.pool, self.head = nn.MaxPool2d(2), nn.Conv2d(8, 5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for step in self.down[:-1]:
            kept.append(step(x))
            x = self.pool(kept[-1])
        x = self.down[-1](x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        return self.head(x)


class WindowedBlock(nn.Module):
    """Attention inside of windows that may be shifted, with a bias for relative places."""

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        axis = torch.arange(window)
        pairs = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
        apart = (pairs[:, :, None] - pairs[:, None, :]) + window - 1
        self.register_buffer("place", apart[0] * (2 * window - 1) + apart[1])
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        n, h, w, c = x.shape
        s = self.window
        x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        x = x.view(n, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)
        qkv = self.qkv(x).reshape(-1, s * s, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0] * (c // self.heads) ** -0.5, qkv[1], qkv[2]
        bias = self.bias[self.place.view(-1)].view(s * s, s * s, -1).permute(2, 0, 1)
        weights = F.softmax(q.matmul(k.transpose(-2, -1)) + bias, dim=-1)
        x = self.out(weights.matmul(v).transpose(1, 2).reshape(-1, s * s, c))
        x = x.view(n, h // s, w // s, s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return torch.roll(x, (self.shift, self.shift), (1, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class WindowedNet(nn.Module):
    """Windows as in Swin; Liu et al., 2021 (arXiv:2103.14030), small."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 4, 4)
        self.first = nn.Sequential(WindowedBlock(24, 3, 4, 0), WindowedBlock(24, 3, 4, 2))
        self.merge = nn.Linear(96, 48, bias=False)
        self.second = nn.Sequential(WindowedBlock(48, 6, 4, 0))
        self.norm, self.head = nn.LayerNorm(48), nn.Linear(48, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(self.patches(x).permute(0, 2, 3, 1))
        x = torch.cat([x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], -1)
        return self.head(self.norm(self.second(self.merge(x))).mean((1, 2)))


def generator() -> nn.Module:
    """The generator of a DCGAN; Radford et al., 2015 (arXiv:1511.06434), narrow."""
    parts: list[nn.Module] = []
    for given, out, stride, padding in ((100, 64, 1, 0), (64, 32, 2, 1), (32, 16, 2, 1)):
        up = nn.ConvTranspose2d(given, out, 4, stride, padding, bias=False)
        parts += [up, nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts, nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh())
