"""The memory of activations, of a backward and of an optimizer, by hand and beside measured figures."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger.counting import engine
from flopledger.counting.footprint import footprint
from flopledger.errors import UsageError
from torch import nn

GOLDEN = Path(__file__).parents[4] / "shared" / "golden" / "beyond"
ENTRIES = json.loads((GOLDEN / "memory.json").read_text())["entries"] if GOLDEN.exists() else []
WORKSPACE = ("memory-dev-12",)
"""A fused LSTM, which keeps a workspace whose size the kernel chooses."""


FAR = ("memory-dev-06", "memory-dev-13", "memory-dev-34")
"""Peaks of a training step that are further off than 5 percent: of a chain of joins, fused attention, and a
checkpointed chain of residuals by 5.02 percent."""


def net() -> nn.Module:
    """4 to 6 with a ReLU, to 3; 5 rows: activations of 120 bytes, 120 and 60."""
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


def test_a_training_step_keeps_what_its_gradients_need() -> None:
    model = net()
    forward = fl.read(model, "5x4", profile={"grad": False})
    train = fl.read(model, "5x4", profile={"step": "train"})
    found = footprint(forward, train, trains=True, optimizer="adam", dtypes={})
    weights = 4 * (24 + 6 + 18 + 3)
    assert (found.weights, found.gradients, found.inputs) == (weights, weights, 80)
    assert found.optimizer == 2 * weights + 4 * 4  # two moments, and a step for each of four weights
    assert found.activations.sum == 300
    assert found.activations.peak == 240
    assert found.activations.saved == 120  # the ReLU's result, for itself and for the last weight


def test_a_frozen_weight_frees_its_input_but_not_a_convolutions() -> None:
    for layer, kept in ((nn.Linear(8, 8), 0), (nn.Conv1d(2, 2, 1), 64)):
        layer.requires_grad_(False)  # noqa: FBT003  (torch's own signature)
        model = nn.Sequential(nn.Conv1d(2, 2, 1, bias=False), layer)
        graph = fl.read(model, "1x2x8", profile={"step": "train"})
        assert graph.count("saved").total.count == kept


def test_types_in_memory_may_be_others_and_bytes_are_no_operations() -> None:
    forward = fl.read(net(), "5x4", profile={"grad": False})
    found = footprint(forward, None, trains=False, optimizer="sgd", dtypes={"weights": "int8"})
    assert found.weights == 24 + 6 + 18 + 3
    with pytest.raises(UsageError, match="bytes are no operations"):
        fl.explain(net(), "mac", "peak", "5x4")
    with pytest.raises(UsageError, match="adam"):
        footprint(forward, None, trains=False, optimizer="adem", dtypes={})


@pytest.mark.skipif(not ENTRIES, reason="../shared/golden is absent")
@pytest.mark.filterwarnings("ignore")  # of the networks measured, which are not ours
@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["id"] for entry in ENTRIES])
def test_networks_take_what_was_measured(entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GOLDEN))
    name, _, factory = entry["source"].partition(".py:")
    try:
        model = getattr(importlib.import_module(name), factory)(**entry["arg"])
    except ImportError as missing:
        pytest.skip(f"{missing.name} is not installed")
    inputs = tuple(spec.replace(":bf16", ":bfloat16") for spec in entry["inputs"])
    forward = engine.analysis_of(fl.read(model.eval(), inputs, profile={"grad": False})).memory
    assert forward.peak.bytes == entry["inference"]["peak_last_use"]
    if entry["id"] not in WORKSPACE:
        graph = fl.read(model.train(), inputs, profile={"step": "train"})
        assert graph.count("saved").total.count == entry["saved_for_backward"]["activation"]
        measured = entry["training"]["peak_training"]
        near = abs(engine.analysis_of(graph).training_peak - measured) <= measured / 20
        assert near or entry["id"] in FAR or not entry["source"].startswith("nets.py")
    assert torch.is_grad_enabled()
