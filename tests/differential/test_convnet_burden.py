"""convnet-burden, against its published tables: it is MATLAB code, which can't be run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger
import pytest
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin

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


DATA = 'input: "x" input_shape { dim: 1 dim: 2 dim: 4 dim: 4 }\n'
LAYERS = [
    ('type: "Eltwise" bottom: "x" bottom: "x" eltwise_param { operation: SUM }', 32),
    ('type: "Eltwise" bottom: "x" bottom: "x" eltwise_param { operation: MAX }', 64),
    ('type: "Scale" bottom: "x" bottom: "x" scale_param { axis: 0 }', 32),
    ('type: "Scale" bottom: "x"', 0),
    # 2 x 8 x 8 outputs of four neighbours
    ('type: "Interp" bottom: "x" interp_param { height: 8 width: 8 }', 512),
    # 16 positions of 2 x 3 x 2 x 2 products, and a bias for each of 3 x 8 x 8 outputs
    (
        'type: "Deconvolution" bottom: "x" convolution_param { num_output: 3 kernel_size: 2 stride: 2 }',
        16 * 24 + 192,
    ),
]


@pytest.mark.parametrize(("layer", "count"), LAYERS)
def test_each_rule_is_that_of_the_script(tmp_path: Path, layer: str, count: int) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(f'{DATA}layer {{ name: "y" top: "y" {layer} }}\n')
    assert flopledger.count(str(file), convention="convnet-burden").total.count == count


def test_parameters_are_the_elements_of_the_blobs(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(f'{DATA}layer {{ name: "y" top: "y" {LAYERS[-1][0]} }}\n')
    # 2 x 3 x 2 x 2 weights and 3 biases
    assert flopledger.count(str(file), convention="convnet-burden").total.params == 27


def test_a_function_is_a_layer_of_its_network() -> None:
    """As in a Keras layer with an activation, which is one module that calls two functions."""
    builder = GraphBuilder(builtin())
    image = builder.input("x", (1, 3, 8, 8))
    attrs = {"kernel": (3, 3), "out_channels": 4, "bias": True}
    maps = builder.tensor((1, 4, 6, 6))
    answer = builder.tensor((1, 4, 6, 6))
    held = {"parent": builder.layer("block", "container", "Conv2D", inputs=[image], outputs=[answer])}
    builder.layer(
        "c", "conv", "ops.conv", level="function", inputs=[image], outputs=[maps], attrs=attrs, **held
    )
    builder.layer("r", "relu", "ops.relu", level="op", inputs=[maps], outputs=[answer], **held)
    graph = builder.build(Reading("net", "toy", "toy", "1.0", {"mode": "eval"}), [answer])

    # 27 products and a bias for each of 4 x 6 x 6 outputs, and two operations of relu
    assert graph.count("convnet-burden").total.count == (27 + 1 + 2) * 144
