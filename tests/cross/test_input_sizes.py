"""A figure that was published for another input size is found by it: sizes of the network as it is, alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # each network is read at six sizes
SIZES = (224, 227, 256, 299, 384, 512)

VIT = """
from torch import nn

class Patches(nn.Module):
    '''A transformer that takes pictures of one size, as torchvision's and timm's do.'''
    def __init__(self):
        super().__init__()
        self.cut = nn.Conv2d(3, 32, 16, 16)
        self.block = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        if x.shape[-1] != 224:
            raise ValueError(f"expected a picture of 224, got {x.shape[-1]}")
        return self.head(self.block(self.cut(x).flatten(2).mT)[:, 0])
"""


def half(size: int) -> int:
    """Return the size behind a stride of 2 with a padding that keeps the middle: rounded up."""
    return -(-size // 2)


def resnet50(size: int) -> int:
    """Return the MACs of ResNet-50, version 1.5, from table 1 of the paper.

    A block from c channels at n^2 places to 4w at m^2 has c w n^2 + 9 w^2 m^2 + 4 w^2 m^2, and c 4w m^2 in
    the shortcut of a stage's first one.
    """
    stem = half(size)
    macs, channels, before = 3 * 64 * 49 * stem**2, 64, half(stem)
    for stage, (width, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        after = before if stage == 0 else half(before)
        first = channels * width * before**2 + 13 * width**2 * after**2 + channels * 4 * width * after**2
        macs += first + (depth - 1) * 17 * width**2 * after**2
        channels, before = 4 * width, after
    return macs + 2048 * 1000


def mobilenet_v2(size: int) -> int:
    """Return the MACs of MobileNetV2, table 2 of the paper: t c c n^2 + 9 t c m^2 + t c c' m^2 a block."""
    places = half(size)
    macs, channels = 27 * 32 * places**2, 32
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
             (6, 320, 1, 1))  # fmt: skip
    for expand, out, depth, stride in table:
        for place in range(depth):
            wide, after = expand * channels, half(places) if stride == 2 and place == 0 else places
            macs += (expand > 1) * channels * wide * places**2 + (9 * wide + wide * out) * after**2
            channels, places = out, after
    return macs + channels * 1280 * places**2 + 1280 * 1000


def test_the_arithmetic_gives_the_published_figures_at_224() -> None:
    assert (resnet50(224), mobilenet_v2(224)) == (4_089_184_256, 300_774_272)


@pytest.mark.parametrize(("network", "macs"), [("ResNet50", resnet50), ("MobileNetV2", mobilenet_v2)])
def test_each_size_of_a_network_is_found_by_its_exact_figure(network: str, macs: Any) -> None:
    pytest.importorskip("torch")
    source = f"{Path(__file__).with_name('torch_networks.py')}:{network}"
    document = explained(source, *(str(macs(size)) for size in SIZES))

    for size, figure in zip(SIZES, document["figures"], strict=True):
        best = figure["matches"][0]
        expected = [] if size == 224 else [f"input size {size}"]
        assert (best["fits"], best["convention"], best["changes"]) == (True, "mac", expected)
        assert (best["figure"], best["set"], best["off_by"]) == (macs(size), {}, 0)


def test_sizes_that_a_network_refuses_are_named_and_the_others_tried(tmp_path: Path) -> None:
    """24,576 weights at 14^2 places are 4,816,896 MACs of the patches alone, more than 3."""
    pytest.importorskip("torch")
    path = tmp_path / "vit.py"
    path.write_text(VIT)
    document = explained(f"{path}:Patches", "3")

    assert not document["figures"][0]["fits"]
    refused = [one for one in document["tried"] if one.startswith("no input of ")]
    assert [one.split(":")[0] for one in refused] == [f"no input of {size}" for size in SIZES[1:]]
    assert all("expected a picture of 224" in one for one in refused)


def explained(source: str, *figures: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "flopledger", "explain", source, *figures, "-i", "1x3x224x224"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
