"""The same network from several frameworks, each read in a process of its own by the command line."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from caffe_nets import resnet50

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow  # a framework is imported for each network

TORCH = f"{Path(__file__).parent / 'torch_networks.py'}:"
IMAGE = ("-i", "1x3x224x224")
DENSE_AS_CONV = "a dense layer as a convolution"

LENET = """
input: "data" input_shape { dim: 1 dim: 1 dim: 28 dim: 28 }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1"
        convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
layer { name: "p1" type: "Pooling" bottom: "c1" top: "p1"
        pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "c2" type: "Convolution" bottom: "p1" top: "c2"
        convolution_param { num_output: 16 kernel_size: 5 } }
layer { name: "p2" type: "Pooling" bottom: "c2" top: "p2"
        pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "f1" type: "InnerProduct" bottom: "p2" top: "f1" inner_product_param { num_output: 120 } }
layer { name: "f2" type: "InnerProduct" bottom: "f1" top: "f2" inner_product_param { num_output: 84 } }
layer { name: "f3" type: "InnerProduct" bottom: "f2" top: "f3" inner_product_param { num_output: 10 } }
"""

SOURCES: dict[str, tuple[str, ...]] = {
    "torch resnet50": (f"{TORCH}ResNet50", *IMAGE),
    "keras resnet50": ("keras.applications:ResNet50",),
    "paddle resnet50": ("paddle.vision.models:resnet50", *IMAGE),
    "caffe resnet50": ("v1.prototxt",),
    "caffe resnet50 v1.5": ("v1.5.prototxt",),
    "torch vgg16": (f"{TORCH}VGG16", *IMAGE),
    "keras vgg16": ("keras.applications:VGG16",),
    "paddle vgg16": ("paddle.vision.models:vgg16", *IMAGE),
    "torch mobilenet": (f"{TORCH}MobileNetV1", *IMAGE),
    "keras mobilenet": ("keras.applications:MobileNet",),
    "paddle mobilenet": ("paddle.vision.models:mobilenet_v1", *IMAGE),
    "torch mobilenetv2": (f"{TORCH}MobileNetV2", *IMAGE),
    "keras mobilenetv2": ("keras.applications:MobileNetV2",),
    "paddle mobilenetv2": ("paddle.vision.models:mobilenet_v2", *IMAGE),
    "keras densenet121": ("keras.applications:DenseNet121",),
    "paddle densenet121": ("paddle.vision.models:densenet121", *IMAGE),
    "keras inceptionv3": ("keras.applications:InceptionV3",),
    "paddle inceptionv3": ("paddle.vision.models:inception_v3", "-i", "1x3x299x299"),
    "paddle lenet": ("paddle.vision.models:LeNet", "-i", "1x1x28x28"),
    "caffe lenet": ("lenet.prototxt",),
}

EQUAL = [
    ("torch resnet50", "paddle resnet50"),
    ("torch resnet50", "caffe resnet50 v1.5"),
    ("torch vgg16", "keras vgg16"),
    ("keras vgg16", "paddle vgg16"),
    ("torch mobilenet", "paddle mobilenet"),
    ("torch mobilenetv2", "keras mobilenetv2"),
    ("keras mobilenetv2", "paddle mobilenetv2"),
    ("keras densenet121", "paddle densenet121"),
    ("paddle lenet", "caffe lenet"),
]

DIFFERENT = {
    ("torch resnet50", "keras resnet50"): [
        ("stride moved from the 3x3 in a to the 1x1 in b", 3, -231_211_008, 0),
        ("bias in b only", 53, 0, 26_560),
    ],
    ("keras resnet50", "paddle resnet50"): [
        ("stride moved from the 1x1 in a to the 3x3 in b", 3, 231_211_008, 0),
        ("bias in a only", 53, 0, -26_560),
    ],
    ("paddle resnet50", "caffe resnet50"): [
        ("stride moved from the 3x3 in a to the 1x1 in b", 3, -231_211_008, 0),
    ],
    ("keras resnet50", "caffe resnet50"): [("bias in a only", 53, 0, -26_560)],
    ("keras inceptionv3", "paddle inceptionv3"): [("both scale and shift in b only", 94, 0, 17_216)],
}


def command(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flopledger", *args],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def need(*networks: str) -> None:
    for framework in {network.partition(" ")[0] for network in networks} - {"caffe"}:
        for module in (framework, *(("tensorflow",) if framework == "keras" else ())):
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"{module} is not installed")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the networks that are prototxt."""
    path = tmp_path_factory.mktemp("cross")
    (path / "v1.prototxt").write_text(resnet50(version=1))
    (path / "v1.5.prototxt").write_text(resnet50(version=1.5))
    (path / "lenet.prototxt").write_text(LENET)
    return path


@pytest.fixture(scope="session")
def saved(folder: Path) -> Callable[[str], str]:
    """Read a network once, and return its saved graph."""

    def save(network: str) -> str:
        path = folder / f"{network}.json"
        if not path.exists():
            done = command(folder, "read", *SOURCES[network], "-o", str(path))
            assert done.returncode == 0, done.stderr
        return str(path)

    return save


@pytest.fixture
def compare(folder: Path, saved: Callable[[str], str]) -> Callable[[str, str], dict[str, Any]]:
    """Compare two networks by their saved graphs; the summary must sum to the totals' difference."""

    def run(a: str, b: str) -> dict[str, Any]:
        need(a, b)
        done = command(folder, "compare", saved(a), saved(b), "--format", "json")
        document: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if document["equal"] else 1)
        totals = [document[side]["totals"][0]["total"] for side in "ab"]
        for figure, total in (("macs", "macs"), ("params", "trainable_params")):
            due = sum(group[figure] for group in document["summary"])
            assert due == totals[1][total] - totals[0][total]
        return document

    return run


@pytest.mark.parametrize("pair", EQUAL)
def test_networks_that_are_the_same_in_two_frameworks(
    pair: tuple[str, str], compare: Callable[[str, str], dict[str, Any]]
) -> None:
    document = compare(*pair)

    assert document["summary"] == []
    assert {row["status"] for row in document["rows"]} == {"same"}


@pytest.mark.parametrize("pair", DIFFERENT)
def test_networks_that_differ_say_how_and_nothing_else(
    pair: tuple[str, str], compare: Callable[[str, str], dict[str, Any]]
) -> None:
    summary = compare(*pair)["summary"]

    assert [(s["reason"], s["times"], s["macs"], s["params"]) for s in summary] == DIFFERENT[pair]


def test_a_dense_layer_is_recognised_in_a_convolution(compare: Callable[[str, str], dict[str, Any]]) -> None:
    """keras.applications classifies with a 1x1 convolution where torch and Paddle have a dense layer."""
    document = compare("keras mobilenet", "torch mobilenet")

    assert document["equal"]
    assert [row["why"] for row in document["rows"] if row["why"]] == [DENSE_AS_CONV]


@pytest.mark.parametrize("paddle_first", [True, False])
def test_tensorflow_and_paddle_in_one_command_in_both_orders(folder: Path, *, paddle_first: bool) -> None:
    """In one process the second import of the two would kill it."""
    need("keras mobilenet", "paddle mobilenet")
    paddle, keras = SOURCES["paddle mobilenet"], SOURCES["keras mobilenet"]
    size = paddle[2]
    sources = (paddle[0], keras[0], "-i", size) if paddle_first else (keras[0], paddle[0], "-j", size)
    done = command(folder, "compare", *sources, "--format", "json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["equal"]
