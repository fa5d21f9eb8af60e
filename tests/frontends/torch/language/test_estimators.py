"""Estimates of a training step, by the formula of each: a small Llama of two layers over 5 tokens.

A token meets 15,360 weights of products in the layers and 3,200 of the head, as many as the table of words
has; with 160 of norms N is 21,920. Attention takes 2 layers x 25 pairs x 64 = 3,200 multiply-accumulates.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import ConventionError

transformers: Any = pytest.importorskip("transformers", reason="the models are those of transformers")

GOLDEN = Path(__file__).parents[5] / "shared" / "golden" / "beyond" / "llm.json"
CLOSED = json.loads(GOLDEN.read_text())["closed_formulas"] if GOLDEN.exists() else []
LAYERS, HEAD, NORMS, ATTENTION = 15_360, 3_200, 160, 3_200
N = LAYERS + 2 * HEAD + NORMS


def read(step: int, **config: Any) -> Any:
    """Read a Llama."""
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config)).eval()
    return fl.read(model, options={"seq": step})


@pytest.mark.parametrize(
    ("name", "tied", "flop"),
    [
        ("palm", False, 6 * 5 * N + 6 * ATTENTION),
        ("6nd", False, 6 * 5 * N),
        ("kaplan", False, 6 * 5 * LAYERS + 3 * ATTENTION),
        ("hf-trainer", False, 6 * 5 * (N - HEAD)),
        ("hf-trainer", True, 6 * 5 * (N - 2 * HEAD)),  # the head is left out with the table that it is
        ("torchtitan", False, 6 * 5 * (N - HEAD) + 6 * ATTENTION),
        ("torchtitan", True, 6 * 5 * (N - HEAD) + 6 * ATTENTION),
        ("litgpt", False, 3 * (2 * 5 * N + 2 * ATTENTION)),
        ("megatron", False, 6 * 5 * (LAYERS + HEAD * 128 // 100) + 3 * ATTENTION),
        ("maxtext", False, 6 * 5 * (LAYERS + HEAD) + 3 * ATTENTION),
        ("verl", False, 6 * 5 * (LAYERS + 2 * HEAD) + 3 * ATTENTION),
        ("three-times-forward", False, 6 * (5 * (LAYERS + HEAD) + ATTENTION)),
    ],
)
def test_an_estimate_is_its_formula(name: str, *, tied: bool, flop: int) -> None:
    graph = read(
        5, vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=tied,
    )  # fmt: skip
    assert graph.count(name).total.count == flop


def test_what_counts_by_tokens_refuses_a_network_without() -> None:
    with pytest.raises(ConventionError, match="no input of whole numbers"):
        fl.count(torch.nn.Linear(2, 3), "1x2", "6nd")


@pytest.mark.slow
@pytest.mark.skipif(not CLOSED, reason="../shared/golden is absent")
@pytest.mark.parametrize("entry", CLOSED, ids=[entry["id"] for entry in CLOSED])
def test_published_models_have_the_figures_of_the_tools(entry: dict[str, Any]) -> None:
    graph, length = read(entry["S"], **entry["arg"]), entry["S"]
    figures = {name.partition(" ")[0]: figure for name, figure in entry["figures"].items()}
    found = {
        name: graph.count(name, **switches).total.count
        for name, switches in {
            "palm": {}, "torchtitan": {}, "hf-trainer": {}, "litgpt": {}, "verl": {}, "maxtext": {},
            "megatron": {"padding": "off"}, "kaplan": {},
        }.items()
    }  # fmt: skip
    assert found == {
        "palm": length * figures["palm-appendix-b"],
        "torchtitan": length * figures["torchtitan"],
        "hf-trainer": figures["hf-trainer"],
        "litgpt": figures["litgpt"],
        "verl": figures["verl"],
        "maxtext": figures["maxtext"],
        "megatron": figures["megatron-bridge"],
        "kaplan": 3 * length * figures["kaplan-2020"],
    }
