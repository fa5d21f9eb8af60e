"""Models named by their library; the libraries are stand-ins with the functions that ours is found by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

SAID = "main_input_name and the configuration say (at most 128 tokens, a size of ours)"
TIMM = """
import torch

def is_model(name):
    return name.partition(".")[0] == "tiny"

def list_models():
    return ["tiny"]

def create_model(name, pretrained, width=5):
    assert not pretrained
    net = torch.nn.Conv2d(3, width, 1)
    net.default_cfg = {"input_size": (3, 8, 8)}
    return net
"""
TORCHVISION = """
import enum, functools, torch
from types import SimpleNamespace

class Weights(enum.Enum):
    DEFAULT = SimpleNamespace(transforms=functools.partial(print, crop_size=6))
    transforms = property(lambda self: self.value.transforms)

def tiny(*, weights, width=5) -> torch.nn.Module:
    assert weights is None
    return torch.nn.Conv2d(3, width, 1)

models = SimpleNamespace(
    list_models=lambda: ["tiny"], get_model_builder=lambda name: tiny, get_model_weights=lambda name: Weights
)
other = torch.nn.Linear(4, 3)
"""


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("timm", TIMM), ("torchvision", TORCHVISION)):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(
    ("source", "pixels", "said"),
    [
        ("timm:tiny", 64, "the inputs are what the model's default_cfg states: 1x3x8x8"),
        ("timm:tiny.some_weights", 64, "the inputs are what the model's default_cfg states: 1x3x8x8"),
        ("torchvision:tiny", 36, "the inputs are what torchvision states for it: 1x3x6x6"),
    ],
)
def test_a_model_is_named_by_its_library_and_has_the_inputs_that_are_stated(
    source: str, pixels: int, said: str
) -> None:
    """A convolution of 1x1 from 3 to 5 channels has 15 MACs for each pixel; a width of 2 has 6."""
    ledger = fl.count(source)

    assert ledger.total.macs == 15 * pixels
    assert ledger.graph.reading.notes == (said,)
    assert fl.read(source, arguments={"width": 2}).count("mac").total.count == 6 * pixels
    assert fl.count(source, "1x3x2x2").total.macs == 60


@pytest.mark.usefixtures("libraries")
def test_another_attribute_of_a_library_is_found_and_a_slip_names_the_nearest_model() -> None:
    assert fl.count("torchvision:other", "1x4").total.macs == 12
    with pytest.raises(SourceError, match=r"timm has no model 'tinny'; did you mean 'tiny'\?"):
        fl.count("timm:tinny")


def test_a_library_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        import timm  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        with pytest.raises(SourceError, match="there is no module 'timm', neither installed nor in"):
            fl.count("timm:resnet50")
    else:
        pytest.skip("timm is installed")


@pytest.mark.slow
def test_a_class_of_transformers_gets_the_default_configuration_and_says_so() -> None:
    """The figure of bert-base-uncased, of which the default configuration is: 109,482,240 parameters."""
    pytest.importorskip("transformers")
    ledger = fl.count("transformers:BertModel")

    assert ledger.total.params == 109_482_240
    assert ledger.graph.reading.notes == (
        "the model is BertModel with the default BertConfig",
        f"the inputs are what {SAID}: input_ids=1x128",
    )
