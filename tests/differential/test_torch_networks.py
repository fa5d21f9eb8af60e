"""Published figures of published networks, by our own definitions of them, and two that a tutorial counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from torch_peers import counted

if TYPE_CHECKING:
    from pathlib import Path

RESNET50 = {
    "ptflops": 4132436968,
    "ptflops-aten": 4089185256,
    "thop": 4133742592,
    "fvcore": 4111512576,
    "torch-flop-counter": 8178368512,
    "torch-flop-counter-no-grad": 8178368512,
    "torchinfo": 4089238376,
    "torchprofile": 4100300288,
    "torchstat-madd": 8219637272,
    "torchstat-flops": 4118537216,
    "calflops-flops": 8211108352,
    "calflops-macs": 4089184256,
}
"""The output of the tools for torchvision's ResNet-50 at 1x3x224x224."""

PUBLISHED = ("vgg16", "resnet18", "resnet50", "mobilenet_v2", "vit_b_16")
NAMES = {
    "ptflops_pytorch": "ptflops",
    "ptflops_aten": "ptflops-aten",
    "flop_counter": "torch-flop-counter",
    "flop_counter_no_grad": "torch-flop-counter-no-grad",
    "torchinfo_mult_adds": "torchinfo",
    "calflops_flops": "calflops-flops",
    "calflops_macs": "calflops-macs",
    "torchstat_flops": "torchstat-flops",
    "torchstat_madd": "torchstat-madd",
}


def test_resnet50_gives_every_known_figure() -> None:
    found = counted()["resnet50"]
    assert {name: found[name][0] for name in RESNET50} == RESNET50
    assert found["mac"]["count"] == 4089184256
    assert {found[name][1] for name in ("ptflops", "thop", "fvcore", "torchinfo")} == {25557032}


@pytest.mark.parametrize("probe", PUBLISHED)
def test_a_published_network_gives_the_published_figures(shared: Path, probe: str) -> None:
    models: list[dict[str, Any]] = json.loads((shared / "golden" / "torch.json").read_text())["models"]
    wanted = f"torchvision.models:{probe}"
    published = [m["peers"] for m in models if m["model"] == wanted and m["input"] == [1, 3, 224, 224]]
    expected = {NAMES.get(name, name): figure for name, figure in published[0].items()}
    assert {name: counted()[probe][name][0] for name in expected} == expected


def test_a_layer_that_is_used_again_has_its_weights_once() -> None:
    # (5 + 1) 7 + (7 + 1) 7 + (7 + 1) 3 = 42 + 56 + 24
    for probe in ("dynamic_net_1", "dynamic_net_3"):
        assert counted()[probe]["ptflops"][1] == counted()[probe]["torchinfo"][1] == 122


def test_a_small_network_of_convolutions() -> None:
    weights = 16 * (27 + 1) + 32 + 32 * (144 + 1) + 64 + 64 * (2048 + 1) + 10 * (64 + 1)
    assert counted()["small_convnet_32"]["fvcore"][1] == weights == 136970
    products = 1024 * 16 * 27 + 256 * 32 * 144 + 2048 * 64 + 64 * 10
    norms = 4 * 16 * 1024 + 4 * 32 * 256
    assert counted()["small_convnet_32"]["thop"][0] == products + norms == 1852032
    assert counted()["small_convnet_224"]["thop"] == [90749568, 136970]


def test_the_levels_agree_about_our_own_figure() -> None:
    said = {probe: found["mac"].get("disagreements") for probe, found in counted().items()}
    assert {probe: lines for probe, lines in said.items() if lines} == {}


def test_everything_that_runs_has_a_formula() -> None:
    unknown = {probe: found["mac"].get("unknown") for probe, found in counted().items()}
    assert {probe: sources for probe, sources in unknown.items() if sources} == {}
