"""Registries, by modules that answer as timm's and torchvision's do."""

from __future__ import annotations

import functools
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run
from flopledger.errors import UsageError
from flopledger_torch import registries

if TYPE_CHECKING:
    from pathlib import Path

TIMM = """
from types import SimpleNamespace
from torch import nn

SIZES = {"small": (3, 8, 8), "wide": (3, 16, 8)}

def list_models():
    open("listed", "a").write("once ")
    return [*SIZES, "nameless"]

def is_model(name):
    return name in SIZES

def get_pretrained_cfg(name):
    return SimpleNamespace(input_size=SIZES[name]) if name in SIZES else None

def create_model(model_name, pretrained=False, **kwargs):
    assert not pretrained
    return nn.Conv2d(3, 4 if model_name == "small" else 8, 3, bias=False)
"""


def test_a_scan_counts_the_networks_of_a_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "timm.py").write_text(TIMM)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert run(["scan", "timm:s*", "timm:w*", "-o", "zoo.db"]) == 0
    assert (tmp_path / "listed").read_text() == "once "
    assert run(["scan", "timm:tiny", "-o", "zoo.db"]) == 2
    printed = capfd.readouterr()
    assert run(["zoo", "zoo.db", "--format", "json"]) == 0
    small, wide = json.loads(capfd.readouterr().out)["rows"]

    assert "timm has no network that matches 'tiny'" in printed.err
    # 3 * 3 * 3 weights for each output: 6 x 6 outputs of 4 channels, and 14 x 6 of 8
    assert (small["name"], small["macs"], small["params"], small["input_size"]) == ("small", 27 * 144, 108, 8)
    assert (wide["name"], wide["macs"], wide["params"], wide["input_size"]) == ("wide", 27 * 672, 216, "16x8")


def _weights(name: str, meta: dict[str, object], **transforms: object) -> SimpleNamespace:
    return SimpleNamespace(name=name, meta=meta, transforms=functools.partial(dict, **transforms))


def test_torchvision_has_a_network_for_each_set_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    first = _weights("V1", {"num_params": 11, "_ops": 1.814, "min_size": (1, 1)}, crop_size=224)
    second = _weights("V2", {"num_params": 11, "_ops": 1.9, "min_size": (1, 1)}, crop_size=(240, 230))
    video = _weights("KINETICS", {"num_params": 5, "_ops": 40.0, "min_size": (1, 1)}, crop_size=(112, 112))
    vit = _weights("SWAG", {"num_params": 6, "_ops": 55.0, "min_size": (384, 384)}, crop_size=384)

    class Entries(list[SimpleNamespace]):
        def __init__(self, *entries: SimpleNamespace) -> None:
            super().__init__(entries)
            self.DEFAULT = entries[-1]

    listed = {
        "resnet": ("models.resnet", Entries(first, second)),
        "clip": ("models.video.resnet", Entries(video)),
        "vit": ("models.vision_transformer", Entries(vit)),
    }
    models = ModuleType("torchvision.models")
    models.list_models = lambda: list(listed)  # type: ignore[attr-defined]
    models.get_model_builder = lambda name: SimpleNamespace(__module__=listed[name][0], __name__=name)  # type: ignore[attr-defined]
    models.get_model_weights = lambda name: listed[name][1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)

    found = {one.name: one for one in registries.members("torchvision.models")}

    assert list(found) == ["resnet.V1", "resnet", "clip", "vit"]
    assert found["resnet.V1"].source == "models.resnet:resnet"
    assert found["resnet.V1"].inputs == ("1x3x224x224",)
    assert found["resnet.V1"].published == {"params": "11", "macs": "1.814G"}
    assert found["resnet"].inputs == ("1x3x240x230",)
    assert found["clip"].inputs == ("1x3x16x112x112",)
    assert (found["vit"].inputs, found["vit"].arguments) == (("1x3x384x384",), {"image_size": 384})


def test_a_registry_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)

    with pytest.raises(UsageError, match="timm can't be listed"):
        registries.members("timm")


def test_transformers_has_the_base_model_of_each_family(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = ModuleType("transformers.models.auto.modeling_auto")
    auto.MODEL_MAPPING_NAMES = {"toy": "ToyModel", "twin": ("TwinModel", "TwinBaseModel")}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformers", ModuleType("transformers"))
    monkeypatch.setitem(sys.modules, "transformers.models.auto.modeling_auto", auto)

    found = [(one.name, one.source) for one in registries.members("transformers")]

    assert found == [("ToyModel", "transformers:ToyModel"), ("TwinModel", "transformers:TwinModel")]
