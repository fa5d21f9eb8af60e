"""Estimates of a training step, and bytes, on a language model and a layer small enough to count by hand.

The model: 2 sequences of 3 tokens of 200 words; a table of width 8, one causal attention of one head over its
rows, a dense layer 8 to 8, and one 8 to 200 that gives the words' scores.

Weights: the table 1,600, dense 64, scores 1,600 or the table again. Multiply-accumulates: attention
2 * 3 * 3 pairs of 8 + 8, 288; dense 6 * 64 = 384; scores 6 * 1,600 = 9,600.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin
from graphs import layer

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

WORDS, WIDTH = 200, 8


def model(*, tied: bool, network: str = "mine.Net", window: int | None = None) -> Graph:
    b = GraphBuilder(builtin())
    ids = b.input("ids", (2, 3), "int64")
    shapes = {"words.weight": (WORDS, WIDTH), "dense.weight": (WIDTH, WIDTH), "scores.weight": (WORDS, WIDTH)}
    for i, (name, shape) in enumerate(shapes.items()):
        place = 0 if tied and i == 2 else i
        b.parameters.append(Parameter(i, (name,), shape, role="weight", object=place, storage=place))
    b.modules += [
        Module(0, ("",), network, children=(1, 2, 3)),
        Module(1, ("words",), "torch.nn.Embedding", parameters=(("weight", 0),)),
        Module(2, ("dense",), "torch.nn.Linear", parameters=(("weight", 1),)),
        Module(3, ("scores",), "torch.nn.Linear", parameters=(("weight", 2),)),
    ]
    x, y, z = (b.tensor((2, 3, WIDTH)) for _ in range(3))
    out = b.tensor((2, 3, WORDS))
    root = b.layer("", "container", network, module=0, inputs=(ids,), outputs=(out,))
    b.layer(
        "words", "embedding", "torch.nn.Embedding", parent=root, module=1, inputs=(ids,), outputs=(x,),
        attrs={"num_embeddings": WORDS, "embedding_dim": WIDTH},
    )  # fmt: skip
    masks = []
    if window is not None:
        masks = [b.tensor((2, 1, 3, 3))]
        sizes = {"batch": 2, "queries": 3, "keys": 3, "window": window}
        b.layer("mask", "attention_mask", "mine.mask", level="op", parent=root, outputs=masks, attrs=sizes)
    b.layer(
        "attention", "attention", "torch.nn.functional.scaled_dot_product_attention", level="function",
        parent=root, inputs=(x, x, x, *masks), outputs=(y,),
        attrs={"causal": window is None},
    )  # fmt: skip
    for number, name, given, made, size in ((2, "dense", y, z, WIDTH), (3, "scores", z, out, WORDS)):
        b.layer(
            name, "linear", "torch.nn.Linear", parent=root, module=number, inputs=(given,), outputs=(made,),
            attrs={"out_features": size},
        )  # fmt: skip
    return b.build(Reading("net", "hand", "torch", "1", {"mode": "eval", "grad": True}), (out,))


ALL, SHORT = 6 * 3264 * 6, 6 * 1664 * 6
"""Six operations for each weight and token, for all weights and without the table."""


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("6nd", ALL),
        ("hf-trainer", SHORT),
        ("palm", ALL + 6 * 288),
        ("litgpt", ALL + 6 * 288),
        ("torchtitan", SHORT + 6 * 288),
        # half of the attention, as its mask leaves; no scores of words
        ("kaplan", 3 * 288 + 6 * 384),
        ("maxtext", 3 * 288 + 6 * (384 + 9600)),
        # 200 words are padded to 256
        ("megatron", 3 * 288 + 6 * 384 + 6 * 6 * 256 * 8),
        # the table is counted as the scores are
        ("verl", 3 * 288 + 6 * 384 + 2 * 6 * 9600),
        ("three-times-forward", 3 * 2 * (288 + 384 + 9600)),
    ],
)
def test_an_estimate_of_a_training_step(convention: str, expected: int) -> None:
    assert model(tied=False).count(convention).total.count == expected


@pytest.mark.parametrize(
    ("network", "window", "known"),
    [
        ("transformers.models.llama.modeling_llama.LlamaForCausalLM", 2, True),
        ("transformers.models.gemma3.modeling_gemma3.Gemma3ForCausalLM", 2, False),
        ("transformers.models.gpt_oss.modeling_gpt_oss.GptOssForCausalLM", 2, False),
        ("transformers.models.gemma3.modeling_gemma3.Gemma3ForCausalLM", None, True),
        ("transformers.models.mixtral.modeling_mixtral.MixtralForCausalLM", None, False),
    ],
)
def test_verl_knows_no_windows_of_the_models_whose_windows_it_counts_apart(
    network: str, window: int | None, *, known: bool
) -> None:
    total = model(tied=False, network=network, window=window).count("verl").total
    assert (total.unknown_calls == 0) is known
    assert total.count == 3 * 288 + 6 * 384 + 2 * 6 * 9600 or not known


@pytest.mark.parametrize(
    ("convention", "weights"),
    [("6nd", 1664), ("palm", 1664), ("litgpt", 1664), ("hf-trainer", 64), ("torchtitan", 1664)],
)
def test_the_weights_of_an_estimate_where_scores_and_words_share_one(convention: str, weights: int) -> None:
    assert model(tied=True).count(convention).total.params == weights


def test_megatron_without_padding_counts_the_words_as_they_are() -> None:
    total = model(tied=False).count("megatron", padding="off").total
    assert total.count == 3 * 288 + 6 * (384 + 9600)


def test_the_bytes_of_an_activation() -> None:
    """2 * 3 numbers of 4 bytes: read and written, alive, and kept for the backward as the result."""
    graph = layer("relu", {}, (2, 3))
    profile = {"mode": "train", "step": "train", "grad_inputs": ("all",)}
    step = replace(graph, reading=replace(graph.reading, profile=profile))

    assert graph.count("bytes").total.count == 2 * 24
    assert graph.count("peak").total.count == 24
    assert step.count("saved").total.count == 24
