"""A training step: the cost of each layer's gradients, by hand and beside PyTorch's own backward."""

from __future__ import annotations

import importlib
import itertools
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import ProfileMismatch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flopledger.graph.graph import Graph

GOLDEN = Path(__file__).parents[4] / "shared" / "golden" / "beyond"
ENTRIES = json.loads((GOLDEN / "train.json").read_text())["entries"] if GOLDEN.exists() else []


def read(model: nn.Module, inputs: object, **options: Sequence[str]) -> Graph:
    """Read a training step."""
    return fl.read(model, inputs, profile={"step": "train"}, options=options)


def total(model: nn.Module, inputs: object, **options: Sequence[str]) -> Any:
    """Count a training step in multiply-accumulates."""
    return read(model, inputs, **options).count("mac").total.count


def two_layers() -> nn.Module:
    """4 to 6 to 3: of 5 rows 120 and 90 multiply-accumulates."""
    return nn.Sequential(nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 3))


def test_each_row_shows_its_forward_and_its_gradients() -> None:
    ledger = read(two_layers(), "5x4").count("mac")
    rows = {row.path: row.training for row in ledger.rows if row.count}
    shares = {
        path: (one.forward, one.grad_input, one.grad_weight, one.recompute)
        for path, one in rows.items()
        if one is not None
    }
    # nothing wants a gradient of the first layer's input
    assert shares == {"0.0": (120, 0, 120, 0), "1": (90, 90, 90, 0)}
    document = json.loads(ledger.to_json())
    assert document["graph"]["step"] == "train"
    assert {k: document["total"][k] for k in ("count", "forward", "backward", "recompute")} == {
        "count": 510, "forward": 210, "backward": 300, "recompute": 0,
    }  # fmt: skip


def test_frozen_layers_have_the_gradients_that_others_need() -> None:
    assert total(two_layers(), "5x4", freeze=("0",)) == 210 + 90  # nothing before the last layer is trained
    assert total(two_layers(), "5x4", freeze=("1",)) == 210 + 120 + 90  # its input's gradient is needed
    assert total(two_layers(), "5x4", train_only=("*.bias",)) == 210 + 90
    assert total(two_layers(), "5x4", grad_inputs=("all",)) == 3 * 210


def test_a_region_runs_again_up_to_the_last_tensor_that_is_needed() -> None:
    assert total(two_layers(), "5x4", recompute=("0",)) == 510 + 120  # for the result of the ReLU
    assert total(two_layers(), "5x4", recompute=("1",)) == 510  # what its own gradients need is there already


class Checkpointed(nn.Module):
    """Two blocks, each computed again."""

    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8)) for _ in "ab")
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=self.reentrant)
        return x


def test_checkpoints_stop_early_unless_they_are_reentrant() -> None:
    # each product 3 x 64; a block's last one is not run again where only its operand is needed
    step = 3 * (4 * 192)
    assert total(Checkpointed(reentrant=False), "3x8", grad_inputs=("all",)) == step + 2 * 192
    assert total(Checkpointed(reentrant=True), "3x8", grad_inputs=("all",)) == step + 4 * 192
    assert total(Checkpointed(reentrant=True), "3x8") == 4 * 192  # nothing before it wants a gradient


class Detached(Checkpointed):
    """Two blocks, of which the first has an input that wants nothing."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.blocks
        return second(checkpoint(first, x, use_reentrant=self.reentrant))


def test_a_reentrant_region_has_gradients_only_if_an_argument_wants_one() -> None:
    # PyTorch warns of it: the first block is not trained. Its last product is not run again otherwise.
    assert total(Detached(reentrant=True), "3x8") == 4 * 192 + 3 * 192
    assert total(Detached(reentrant=False), "3x8") == 3 * (4 * 192) - 192 + 192


class Written(nn.Module):
    """Two layers whose results are written into parts of others."""

    def __init__(self, write: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.write = nn.Linear(4, 4), nn.Linear(4, 4), write

    def forward(self, x: Tensor) -> Tensor:
        return self.write(self.first(x), self.second(x))


def over(a: Tensor, b: Tensor) -> Tensor:
    """Write one part over another's, by an index."""
    a[:, 1] = b[:, 2]
    return a


def copied(a: Tensor, b: Tensor) -> Tensor:
    """Copy one part over another's."""
    a[:, 1:].copy_(b[:, 1:])
    return a


def filled(a: Tensor, b: Tensor) -> Tensor:
    """Write two results into parts of new memory."""
    made = torch.zeros(5, 8)
    made[:, :4], made[:, 4:] = a, b
    return made


@pytest.mark.parametrize("write", [over, copied, filled])
def test_what_is_written_into_a_part_of_memory_has_a_gradient(
    write: Callable[[Tensor, Tensor], Tensor],
) -> None:
    model = Written(write)
    with FlopCounterMode(display=False) as counter:
        model(torch.ones(5, 4)).sum().backward()
    # two layers of 5 x 4 x 4, forward and weights' gradients; the input wants none
    assert (total(model, "5x4"), counter.get_total_flops()) == (4 * 80, 2 * 4 * 80)


class Attended(nn.Module):
    """Attention of 2 heads over 5 places."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.kv = nn.Linear(8, 8, bias=False), nn.Linear(8, 16, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q = self.q(x).view(5, 2, 4).transpose(0, 1)
        k, v = (part.view(5, 2, 4).transpose(0, 1) for part in self.kv(x).chunk(2, -1))
        return functional.scaled_dot_product_attention(q, k, v)


def test_attention_has_four_products_behind_its_two() -> None:
    dense, products = 5 * 8 * 24, 2 * 5 * 5 * 8
    assert total(Attended(), "5x8") == 2 * dense + 3 * products
    assert total(Attended(), "5x8", freeze=("q",)) == dense + products + 5 * 8 * 16 + 3 * products // 2


def test_other_conventions_of_a_forward_refuse_a_training_step() -> None:
    graph = read(two_layers(), "5x4")
    for name in ("ops", "thop"):
        with pytest.raises(ProfileMismatch, match="step = forward"):
            graph.count(name)


def random_network(seed: int) -> tuple[nn.Module, str]:
    """Return a chain of layers, some frozen, and its input."""
    chosen = random.Random(seed)  # noqa: S311  (a test)
    if seed % 2:
        sizes = [chosen.choice((3, 5, 8)) for _ in range(5)]
        layers: list[nn.Module] = [
            nn.Linear(a, b, bias=chosen.random() < 0.5) for a, b in itertools.pairwise(sizes)
        ]
        shape = f"4x{sizes[0]}"
    else:
        groups = [chosen.choice((1, 2, 4)) for _ in range(4)]
        layers = [
            nn.Conv2d(4, 4, chosen.choice((1, 3)), padding=1, groups=g, stride=chosen.choice((1, 2)))
            for g in groups
        ]
        shape = "2x4x16x16"
    for layer in layers:
        layer.requires_grad_(chosen.random() < 0.7)
    layers[-1].requires_grad_(True)  # noqa: FBT003  (torch's own signature)
    between: list[nn.Module] = [chosen.choice((nn.ReLU, nn.GELU, nn.Tanh))() for _ in layers]
    return nn.Sequential(*itertools.chain(*zip(layers, between, strict=True))), shape


@pytest.mark.parametrize("seed", range(8))
def test_the_static_rules_give_what_a_backward_really_runs(seed: int) -> None:
    model, shape = random_network(seed)
    with FlopCounterMode(display=False) as counter:
        model(torch.ones([int(size) for size in shape.split("x")])).sum().backward()
    graph = read(model, shape)
    assert graph.count("torch-flop-counter-train").total.count == counter.get_total_flops()


@pytest.mark.skipif(not ENTRIES, reason="../shared/golden is absent")
@pytest.mark.filterwarnings("ignore")  # of the networks measured, which are not ours
@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["id"] for entry in ENTRIES])
def test_networks_have_the_figures_of_a_measured_step(
    entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(GOLDEN))
    name, _, factory = entry["source"].partition(".py:")
    try:
        model = getattr(importlib.import_module(name), factory)(**entry["arg"]).train()
    except ImportError as missing:
        pytest.skip(f"{missing.name} is not installed")
    options: dict[str, Sequence[str]] = {"grad_inputs": ("all",)} if entry["input_requires_grad"] else {}
    graph = read(model, tuple(entry["inputs"]), **options)
    assert graph.count("2mac").total.count == entry["exact"]["total"]
    assert graph.count("torch-flop-counter-train").total.count == entry["flop_counter"]["total"]
    sys.modules.pop(name, None)
