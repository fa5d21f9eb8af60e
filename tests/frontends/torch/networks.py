"""Small networks of every common sort, written for the tests."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """A residual block, with two convolutions or as a bottleneck with three."""

    def __init__(self, width: int, out: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        middle = out // 4 if bottleneck else out
        sizes = ((1, 1), (3, stride), (1, 1)) if bottleneck else ((3, stride), (3, 1))
        channels = (width, middle, middle, out) if bottleneck else (width, out, out)
        layers: list[nn.Module] = []
        for (kernel, step), a, b in zip(sizes, channels[:-1], channels[1:], strict=True):
            layers += [nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers[:-1])
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or width != out:
            self.shortcut = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        y += self.shortcut(x)
        z: Tensor = self.relu(y)
        return z


class ResNet(nn.Module):
    """A residual network for small images."""

    def __init__(self, depths: tuple[int, ...] = (1, 1), *, bottleneck: bool = False) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        width, blocks = 16, []
        for stage, depth in enumerate(depths):
            for place in range(depth):
                out = 16 * 2**stage * (4 if bottleneck else 1)
                blocks.append(Block(width, out, 2 if stage and not place else 1, bottleneck=bottleneck))
                width = out
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.blocks(self.stem(x)))
        y: Tensor = self.fc(torch.flatten(x, 1))
        return y


class Inverted(nn.Module):
    """An inverted residual with squeeze and excitation, as in mobile networks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = width * 4
        self.expand = nn.Sequential(nn.Conv2d(width, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU6())
        self.depth = nn.Sequential(nn.Conv2d(hidden, hidden, 3, 1, 1, groups=hidden), nn.Hardswish())
        self.squeeze = nn.Sequential(nn.Conv2d(hidden, 8, 1), nn.SiLU(), nn.Conv2d(8, hidden, 1))
        self.project = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depth(self.expand(x))
        scale = functional.hardsigmoid(self.squeeze(y.mean((2, 3), keepdim=True)))
        z: Tensor = x + self.project(y * scale)
        return z


class Dense(nn.Module):
    """Layers that see all before them."""

    def __init__(self, width: int = 12, growth: int = 6) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(width + i * growth, growth, 3, padding="same") for i in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for layer in self.layers:
            found.append(functional.leaky_relu(layer(torch.cat(found, 1)), 0.1))
        return functional.avg_pool2d(torch.cat(found, 1), 2, ceil_mode=True)


class UNet(nn.Module):
    """Down, up by transposed convolution and by interpolation, with skips."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.GELU())
        self.down = nn.Conv2d(8, 16, 4, 2, 1)
        self.bottom = nn.Sequential(nn.InstanceNorm2d(16, affine=True), nn.Mish())
        self.up = nn.ConvTranspose2d(16, 8, 4, 2, 1)
        self.out = nn.Conv2d(16, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.first(x)
        b = self.bottom(self.down(a))
        y = self.out(torch.cat((a, self.up(b)), 1))
        return functional.interpolate(y, scale_factor=1.5, mode="bilinear", align_corners=False)


class Generator(nn.Module):
    """Images from noise."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ConvTranspose2d(20, 16, 4, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1),
            nn.PReLU(8),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(8, 12, 3, padding=1, padding_mode="reflect"),
            nn.PixelShuffle(2),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor) -> Tensor:
        y: Tensor = self.body(noise)
        return y


class Attention(nn.Module):
    """Self-attention spelled by hand: ``@``, softmax, and a product by einsum."""

    def __init__(self, width: int = 24, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, steps, width = x.shape
        q, k, v = self.qkv(x).reshape(n, steps, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) / (width // self.heads) ** 0.5
        y = torch.einsum("bhqk,bhkd->bhqd", scores.softmax(-1), v)
        z: Tensor = self.out(y.transpose(1, 2).reshape(n, steps, width))
        return z


class ViT(nn.Module):
    """Patches, a class token, learned positions and encoder layers."""

    def __init__(self, width: int = 24, *, size: int = 32, patch: int = 8, layers: int = 2) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, width))
        layer = nn.TransformerEncoderLayer(width, 4, 48, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.positions
        y: Tensor = self.head(self.norm(self.encoder(x))[:, 0])
        return y


class Recurrent(nn.Module):
    """An embedding, a recurrent layer, and words out; the table is tied."""

    def __init__(self, layer: str = "LSTM", words: int = 50, width: int = 12, **more: object) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width)
        self.rnn = getattr(nn, layer)(width, width, batch_first=True, **more)
        self.words = nn.Linear(width, words, bias=False)
        self.words.weight = self.table.weight

    def forward(self, ids: Tensor) -> Tensor:
        y, _ = self.rnn(self.table(ids))
        z: Tensor = self.words(y[..., : self.table.embedding_dim])
        return functional.log_softmax(z, dim=-1)


class Causal(nn.Module):
    """Scaled dot-product attention with a causal mask."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)


class Routed(nn.Module):
    """Experts that the data chooses among."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows = torch.nonzero(x[:, 0] > number - 0.5)[:, 0]
            y[rows] = expert(x[rows])
        return y


def seed_convolutions() -> nn.Sequential:
    """Return a plain stack of convolutions, written as people write it."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(8 * 15 * 15, 4),
    )
