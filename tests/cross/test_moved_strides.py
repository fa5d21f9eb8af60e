"""The two versions of published residual networks: each is the other with its strides moved.

The MACs that the first 1x1 convolution of a down-sampling block saves where it has the stride are three
quarters of its products at the full size: in ResNet-50 and ResNet-101 256 * 128 * 56^2 in each of 3 stages,
in ResNeXt-50, whose 1x1 is twice as wide, 256 * 256 * 56^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.explaining.moved_strides import with_moved_strides
from flopledger.plugins.discovery import kinds

if TYPE_CHECKING:
    from pathlib import Path

SAVED = 3 * 256 * 128 * 56**2 * 3 // 4
SAID = "the stride of 3 blocks moved from the 3x3 to the 1x1"
BACK = "the stride of 3 blocks moved from the 1x1 to the 3x3"


def moved(graph: fl.Graph, said: str) -> object:
    found = with_moved_strides(graph, kinds())
    assert found is not None
    assert found[1] == said
    return found[0].count("mac").total.macs


@pytest.mark.slow
@pytest.mark.parametrize(("depths", "macs"), [([3, 4, 6, 3], 4_087_136_256), ([3, 4, 23, 3], 7_799_357_440)])
def test_a_resnet_of_transformers_is_version_1_with_its_strides_moved(depths: list[int], macs: int) -> None:
    """Without its classifier, of 2,048,000 MACs, it is torchvision's: 4,089,184,256 and 7,801,405,440."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    model = transformers.ResNetModel(transformers.ResNetConfig(depths=depths)).eval()
    graph = fl.read(model, "1x3x224x224")

    assert graph.count("mac").total.macs == macs
    assert moved(graph, SAID) == macs - SAVED


@pytest.mark.slow
@pytest.mark.parametrize(("name", "macs"), [("ResNet50", 3_857_973_248), ("ResNet101", 7_570_194_432)])
def test_a_resnet_of_keras_is_version_1_5_with_its_strides_moved(name: str, macs: int) -> None:
    pytest.importorskip("keras")
    graph = fl.read(f"keras:{name}")

    assert graph.count("mac").total.macs == macs
    assert moved(graph, BACK) == macs + SAVED


RESNEXT = """
from torch import nn

def block(inputs, width, outputs, stride):
    layers = (
        nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, stride, 1, groups=32, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
    )
    return Sum(nn.Sequential(*layers), nn.Conv2d(inputs, outputs, 1, stride, bias=False))

class Sum(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut, self.relu = body, shortcut, nn.ReLU()

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))

def net():
    return nn.Sequential(block(256, 256, 512, 2), block(512, 512, 1024, 2), block(1024, 1024, 2048, 2))
"""


@pytest.mark.slow
def test_the_grouped_blocks_of_resnext_move_their_strides(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "resnext.py"
    path.write_text(RESNEXT)
    graph = fl.read(f"{path}:net", "1x256x56x56")
    whole = graph.count("mac").total.macs

    assert isinstance(whole, int)
    assert moved(graph, SAID) == whole - 2 * SAVED
