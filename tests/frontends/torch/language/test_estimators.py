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


def causes(model: Any, a: str, b: str, **reading: Any) -> dict[str, Any]:
    """Explain two figures of a training step, and return the causes by their words."""
    graph = fl.read(model, profile={"step": "train"}, **reading)
    found = fl.explain(graph, a, b)
    assert sum(cause.count for cause in found.causes) == found.gap == found.b.figure - found.a.figure
    return {cause.cause: cause.count for cause in found.causes}


def test_an_estimate_is_explained_beside_the_training_step_itself() -> None:
    with torch.device("meta"):
        config = transformers.LlamaConfig(
            vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2,
        )  # fmt: skip
        model = transformers.LlamaForCausalLM(config)
    norm = "transformers.models.llama.modeling_llama.LlamaRMSNorm"
    reading = {"options": {"seq": 5}}
    assert causes(model, "palm", "2mac", **reading) == {
        "embeddings counted as products by palm": -6 * 5 * HEAD,
        f"the weights of {norm} counted as products by palm": -6 * 5 * NORMS,
    }
    assert causes(model, "kaplan", "2mac", **reading) == {
        "linear not counted by kaplan": 6 * 5 * HEAD,
        "attention: half of the square of new tokens, as under a causal mask, by kaplan": 3 * ATTENTION,
    }
    assert causes(model, "mac", "2mac", **reading) == {
        "unit: a multiply-accumulate is one MAC, or two FLOP": 3 * (5 * (LAYERS + HEAD) + ATTENTION)
    }


def test_the_first_layer_and_frozen_ones_have_fewer_gradients_than_an_estimate_counts() -> None:
    layers = [torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.Linear(128, 10)]
    model = torch.nn.Sequential(*layers)
    layers[2].requires_grad_(False)  # noqa: FBT003  (torch's own signature)
    by = "counted by three-times-forward and not by 2mac"
    assert causes(model, "three-times-forward", "2mac", inputs="8x64") == {
        f"the gradient of the input of linear, which nothing before it needs, {by}": -2 * 8 * 64 * 128,
        f"the gradient of the frozen weights of linear, {by}": -2 * 8 * 128 * 128,
    }
    total = 2 * 8 * 64 * 128 + 2 * 8 * 128 * 128 + 3 * 8 * 128 * 10  # MACs: the frozen layer has one gradient
    assert causes(model, "mac", "three-times-forward", inputs="8x64") == {
        "unit: a multiply-accumulate is one MAC, or two FLOP": total,
        **{
            f"{what}, counted by three-times-forward and not by mac": count
            for what, count in {
                "the gradient of the input of linear, which nothing before it needs": 2 * 8 * 64 * 128,
                "the gradient of the frozen weights of linear": 2 * 8 * 128 * 128,
            }.items()
        },
    }
    ledger = fl.count(fl.read(model, "8x64", profile={"step": "train"}), convention="three-times-forward")
    assert ledger.total.training is None  # an estimate has no shares of its own


def test_an_estimate_that_scales_its_forward_lacks_the_gradients_of_each_call() -> None:
    layers = [torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)]
    found = causes(torch.nn.Sequential(*layers), "deepspeed-train", "2mac", inputs="8x64")
    by = "counted by 2mac and not by deepspeed-train"
    # the first layer has the gradient of its weights alone, the last one both
    assert found[f"the gradient of the weights of linear, {by}"] == 2 * 8 * 64 * 128
    assert found[f"gradients of linear, {by}"] == 2 * 2 * 8 * 128 * 10


def test_attention_has_no_weights_whose_gradient_could_be_left_out() -> None:
    query = torch.zeros(1, 2, 5, 8, requires_grad=True)
    found = causes(
        Attention(), "deepspeed-train", "2mac", inputs=(query, query, query), options={"grad_inputs": "all"}
    )
    # four products of a backward, beside two of the forward
    assert (
        found["gradients of attention, counted by 2mac and not by deepspeed-train"] == 4 * 2 * 2 * 5 * 5 * 8
    )


def test_deepspeed_counts_a_step_as_three_forwards_of_its_own() -> None:
    layers = [torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(144, 4))
    # _conv_flops_compute: 144 outputs of 27 products and a bias; batch_norm 5 each in training; relu 1
    forward = 2 * 144 * 27 + 144 + 5 * 144 + 144 + 2 * 144 * 4
    train = fl.read(model, "1x3x8x8", profile={"step": "train"})
    assert train.count("deepspeed-train").total.count == 3 * forward  # bwd_factor = 2
    assert train.count("deepspeed-train", recompute="on").total.count == 4 * forward
    query = torch.zeros(1, 2, 5, 8)
    attention = fl.read(Attention(), (query, query, query))
    assert attention.count("deepspeed-train").total.count == 3 * 2 * (2 * 5 * 5 * 8 + 2 * 5 * 5 * 8)


class Attention(torch.nn.Module):
    """One call of scaled_dot_product_attention, which _attn_flops_compute counts."""

    def forward(self, query: Any, key: Any, value: Any) -> Any:
        return torch.nn.functional.scaled_dot_product_attention(query, key, value)
