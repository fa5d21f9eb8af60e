"""Published figures of Paddle's own vision models, and the levels of every probe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch_peers
from paddle_peers import counted

if TYPE_CHECKING:
    from pathlib import Path


def test_golden_figures_of_vision_models(shared: Path) -> None:
    golden = json.loads((shared / "golden" / "paddle.json").read_text())["models"]
    names = {"LeNet": "lenet"}
    for model in golden:
        name = model["model"].rpartition(":")[2]
        found = counted()[names.get(name, name)]
        assert found["paddle-flops"]["count"] == model["paddle_flops"], name
        assert found["paddle-summary"]["params"] == model["paddle_summary"]["total_params"], name
        assert found["paddle-summary"]["trainable"] == model["paddle_summary"]["trainable_params"], name
        assert found["mac"]["params"] == model["trainable"], name
    assert len(golden) == 13


def test_our_own_figures_of_well_known_networks() -> None:
    found = {name: counted()[name]["mac"]["count"] for name in ("resnet50", "vgg16", "mobilenet_v2")}
    assert found == {"resnet50": 4089184256, "vgg16": 15470264320, "mobilenet_v2": 300774272}


def test_the_same_networks_of_pytorch_have_the_same_figures() -> None:
    names = ("resnet50", "mobilenet_v2", "vgg16", "resnet18")
    of_torch = torch_peers.counted()

    for name in names:
        assert counted()[name]["mac"]["count"] == of_torch[name]["mac"]["count"], name


def test_layers_and_the_ops_inside_them_agree_on_every_probe() -> None:
    assert {
        name: row["mac"]["disagreements"] for name, row in counted().items() if row["mac"]["disagreements"]
    } == {}


def test_nothing_is_unknown_in_any_probe() -> None:
    assert {name: row["mac"]["unknown"] for name, row in counted().items() if row["mac"]["unknown"]} == {}
