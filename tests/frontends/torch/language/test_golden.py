"""Published language models against figures that were derived by hand and measured, in ``../shared``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import flopledger as fl
import pytest
import torch

transformers: Any = pytest.importorskip("transformers", reason="the models are those of transformers")

GOLDEN = Path(__file__).parents[5] / "shared" / "golden" / "beyond" / "llm.json"
ENTRIES = json.loads(GOLDEN.read_text())["entries"] if GOLDEN.exists() else []
SWITCHES = {
    "full": {}, "exact": {"causal": "exact", "window": "on"}, "half": {"causal": "half"},
    "as-run": {}, "absorbed": {"mla": "absorbed"},
}  # fmt: skip
STEPS = (
    (re.compile(r"prefill_S(?P<seq>\d+)(?P<last_logits>_last_logits)?\Z"), {}),
    (re.compile(r"decode_past(?P<past>\d+)_batch(?P<batch>\d+)(?:_mla)?\Z"), {"seq": 1}),
    (re.compile(r"chunk_T(?P<seq>\d+)_past(?P<past>\d+)\Z"), {}),
)
EXPANDED = {("deepseek-v3", "chunk_T256_past1023"): 1023 * 61 * 512 * 128 * (128 + 128)}
"""The part that the hand figure of a chunk leaves out: each of 61 layers expands the latent vectors,
512 long, of all 1,023 cached tokens too, into keys and values of 128 heads, as in its decode steps."""
pytestmark = pytest.mark.skipif(not ENTRIES, reason="../shared/golden is absent")


def step(name: str) -> dict[str, object] | None:
    """Return the options of the step that a figure is of; None for another figure."""
    for pattern, fixed in STEPS:
        if match := pattern.match(name):
            sizes = {key: text for key, text in match.groupdict().items() if text}
            return {**fixed, **{k: True if k == "last_logits" else int(v) for k, v in sizes.items()}}
    return None


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["model"] for entry in ENTRIES])
def test_a_model_has_the_figures_of_its_steps(entry: dict[str, Any]) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    arguments = dict(entry["arg"])
    cls = getattr(transformers, arguments.pop("name"))
    config = cls.config_class(**arguments)
    config._attn_implementation = "eager"
    with torch.device("meta"):
        model = cls(config).eval()
    if cls._can_set_experts_implementation():
        model.set_experts_implementation("batched_mm")
    found, expected = {}, {}
    for name, figures in entry["hand"].items():
        options = step(name)
        if options is None:
            continue
        graph = fl.read(model, options=options)
        for switch, figure in figures.items():
            expected[name, switch] = figure + EXPANDED.get((entry["model"], name), 0)
            found[name, switch] = graph.count("mac", **SWITCHES[switch]).total.count
        total = graph.count("mac").total
        for key in ("params", "active_params"):
            expected[name, key], found[name, key] = entry["cross_check"][key], getattr(total, key)
    assert found == expected
