"""convnet-burden, against its published tables: it is MATLAB code, which can't be run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger

if TYPE_CHECKING:
    from pathlib import Path


def burden(source: Path, inputs: str) -> int:
    count = flopledger.count(str(source), inputs, "convnet-burden").total.count
    assert isinstance(count, int)
    return count


def test_alexnet(examples: Path) -> None:
    # The published AlexNet, 727 M, has no LRN, which counts the elements and (2 + 2 C) a position.
    lrn = 96 * 55 * 55 + (2 + 2 * 96) * 55 * 55 + 256 * 27 * 27 + (2 + 2 * 256) * 27 * 27

    assert burden(examples / "alexnet.prototxt", "1x3x227x227") - lrn == 727362344


def test_published_networks(shared: Path) -> None:
    caffe = shared / "golden" / "caffe"
    caffenet = burden(caffe / "BVLC+caffe/models__bvlc_reference_caffenet__train_val.prototxt", "1x3x224x224")
    published = {
        "dgschwend+netscope/presets__vgg-16.prototxt": ("1x3x224x224", 9, 16),
        "shicai+MobileNet-Caffe/mobilenet_deploy.prototxt": ("1x3x224x224", 6, 579),
        "KaimingHe+deep-residual-networks/prototxt__ResNet-50-deploy.prototxt": ("1x3x224x224", 9, 4),
        "BVLC+caffe/models__bvlc_googlenet__deploy.prototxt": ("1x3x224x224", 9, 2),
    }

    assert caffenet == 723874060  # published as 724 M
    for name, (inputs, digits, figure) in published.items():
        assert round(burden(caffe / name, inputs) / 10**digits) == figure, name
