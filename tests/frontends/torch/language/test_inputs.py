"""One step of a language model: new tokens, a cache, a batch, the last logits; the Llama of ``test_config``.

A step of T tokens after P costs T x 18,560 multiply-accumulates, and 2 layers x T (P + T) pairs x 64.
"""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger.conventions.loader import load
from flopledger.counting.generation import generation
from flopledger.dims import symbol
from flopledger.dims.arithmetic import substitute
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.specs import parse_size

transformers: Any = pytest.importorskip("transformers", reason="the models are those of transformers")


@pytest.fixture(scope="module")
def llama() -> torch.nn.Module:
    """Return the Llama, without memory for its weights."""
    config = transformers.LlamaConfig(
        vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip
    with torch.device("meta"):
        model: torch.nn.Module = transformers.LlamaForCausalLM(config)
    return model.eval()


def macs(model: torch.nn.Module, **options: object) -> object:
    """Count one step."""
    return fl.read(model, options=options).count("mac").total.count


def test_a_step_reads_its_tokens_and_those_in_the_cache(llama: torch.nn.Module) -> None:
    assert macs(llama, seq=5) == 5 * 18560 + 2 * 25 * 64
    assert macs(llama, seq=1, past=7) == 18560 + 2 * 8 * 64
    assert macs(llama, seq=3, past=7, batch=2) == 2 * (3 * 18560 + 2 * 3 * 10 * 64)
    assert macs(llama, seq=5, last_logits=True) == 5 * 15360 + 3200 + 2 * 25 * 64


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_half_and_exact_leave_the_pairs_with_cached_tokens_whole(attention: str) -> None:
    config = transformers.LlamaConfig(
        vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, attn_implementation=attention,
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(config).eval()
    pairs = {
        (6, 0): {"full": 36, "half": 18, "exact": 21},
        (6, 7): {"full": 78, "half": 42 + 18, "exact": 42 + 21},
        (5, 4): {"full": 45, "half": 20 + 12.5, "exact": 20 + 15},
        (1, 7): {"full": 8, "half": 8, "exact": 8},
    }
    for (seq, past), by_switch in pairs.items():
        graph = fl.read(model, options={"seq": seq, **({"past": past} if past else {})})
        found = {switch: graph.count("mac", causal=switch).total.count for switch in by_switch}
        assert found == {switch: seq * 18560 + 2 * 64 * met for switch, met in by_switch.items()}


def test_the_cache_is_an_input_of_the_graph_and_a_result(llama: torch.nn.Module) -> None:
    graph = fl.read(llama, options={"seq": 1, "past": 7})
    given = {given.name: graph.shape(given.tensor) for given in graph.inputs}
    assert given["past_key_values.layers[1].values"] == (1, 2, 7, 8)
    assert [graph.shape(i) for i in graph.outputs].count((1, 2, 8, 8)) == 4


def test_lengths_may_be_symbols(llama: torch.nn.Module) -> None:
    s, p = symbol("S"), symbol("P")
    assert str(macs(llama, seq=parse_size("S"))) == str(128 * s**2 + 18560 * s)
    assert str(macs(llama, seq=1, past=p)) == str(128 * p + 18688)


def test_a_step_needs_a_language_model_and_no_other_inputs(llama: torch.nn.Module) -> None:
    with pytest.raises(UsageError, match=r"found torch\.nn\.Linear"):
        fl.read(torch.nn.Linear(2, 3), options={"seq": 4})
    with pytest.raises(UsageError, match="leave inputs= and inputs_from= out"):
        fl.read(llama, "1x4:int64", options={"seq": 4})
    with pytest.raises(UsageError, match="--past needs --seq"):
        fl.read(llama, "1x4:int64", options={"past": 4})


def test_other_frontends_refuse_a_language_models_options(tmp_path: Any) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(
        'name: "net"\nlayer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 } } }\n'
    )
    with pytest.raises(UsageError, match="makes no inputs for language models: leave --seq out"):
        fl.read(str(net), options={"seq": 4})


def test_a_model_without_a_cache_can_have_no_past() -> None:
    config = transformers.OpenAIGPTConfig(vocab_size=50, n_embd=16, n_layer=1, n_head=2, n_positions=32)
    with torch.device("meta"):
        model = transformers.OpenAIGPTLMHeadModel(config).eval()
    with pytest.raises(SourceError, match="gives none back"):
        fl.read(model, options={"seq": 1, "past": 4})


def test_a_model_that_fills_the_cache_it_is_given_has_a_decode_step() -> None:
    # RecurrentGemma, of one attention: a token's products are 32 (32 + 2 x 8 + 32) + 3 x 32 x 24 + 32 x 50
    config = transformers.RecurrentGemmaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=1, head_dim=8, block_types=["attention"],
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.RecurrentGemmaForCausalLM(config).eval()
    graph = fl.read(model, options={"seq": 1, "past": 7})
    assert graph.count("mac").total.count == 2560 + 2304 + 1600 + 8 * 2 * 32
    assert [graph.shape(i) for i in graph.outputs].count((1, 1, 8, 8)) == 2


def test_a_prompt_that_depends_on_its_data_is_said_to_leave_no_cache() -> None:
    config = transformers.JetMoeConfig(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_key_value_heads=2,
        kv_channels=8,
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.JetMoeForCausalLM(config).eval()
    with pytest.raises(SourceError, match=r"no cache for --past: the rest depends on its data.*execute=True"):
        fl.read(model, options={"seq": 1, "past": 4})


SMALL = {
    "vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2,
}  # fmt: skip
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "more"), [("Llama", {}), ("Mixtral", EXPERTS)])
def test_numbers_put_in_for_symbols_give_the_figure_of_the_numbers(name: str, more: dict[str, Any]) -> None:
    config = getattr(transformers, f"{name}Config")(**SMALL, **more)
    config._attn_implementation = "eager"
    with torch.device("meta"):
        model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    if more:
        model.set_experts_implementation("batched_mm")
    s, p = symbol("S"), symbol("P")
    for step, sizes in (
        ({"seq": s}, {"S": 11}),
        ({"seq": 1, "past": p}, {"P": 9}),
        ({"seq": s, "past": p}, {"S": 5, "P": 3}),
    ):
        given = {key: sizes.get(str(size), size) for key, size in step.items()}
        open_sizes, numbers = (fl.read(model, options=options) for options in (step, given))
        for causal in ("full", "half", "exact"):
            formula = open_sizes.count("mac", causal=causal).total.count
            assert substitute(formula, sizes) == numbers.count("mac", causal=causal).total.count


def windowed(name: str = "Mistral", **more: Any) -> torch.nn.Module:
    """Make a model whose cache keeps 5 tokens, of a window of 6."""
    config = getattr(transformers, f"{name}Config")(**SMALL, sliding_window=6, **more)
    with torch.device("meta"):
        model: torch.nn.Module = getattr(transformers, f"{name}ForCausalLM")(config)
    return model.eval()


def test_a_step_on_a_full_window_meets_as_many_keys_as_the_window_has() -> None:
    # A token's products: 2 layers x (32 (32 + 2 x 16 + 32) + 3 x 32 x 48) + 32 x 50 = 16,960; its pairs are
    # 2 layers x 4 heads x 2 x 8 = 128 for each key: min(P, 5) cached ones and its own.
    formula = macs(windowed(), seq=1, past=symbol("P"))
    assert [substitute(formula, {"P": p}) for p in (2, 4, 5, 6, 900)] == [
        16960 + 128 * keys for keys in (3, 5, 6, 6, 6)
    ]


def chunked() -> torch.nn.Module:
    """Make a Llama 4 whose first layer attends in chunks of 6."""
    config = transformers.Llama4TextConfig(
        **SMALL, head_dim=8, attention_chunk_size=6, num_local_experts=4, num_experts_per_tok=1,
        intermediate_size_mlp=48, layer_types=["chunked_attention", "full_attention"],
    )  # fmt: skip
    with torch.device("meta"):
        model: torch.nn.Module = transformers.Llama4ForCausalLM(config).eval()
    model.set_experts_implementation("batched_mm")  # type: ignore[operator]  # of transformers' models
    return model


def test_a_step_in_chunks_meets_the_keys_of_its_own_chunk() -> None:
    # The cache keeps 5 tokens and the step's own is the sixth; of these the place P meets P mod 6 + 1. Each
    # pair is 4 heads x 2 x 8 multiply-accumulates.
    model = chunked()
    for past, before in ((5, 0), (6, 5), (7, 4), (11, 0), (12, 5)):
        graph = fl.read(model, options={"seq": 1, "past": past})
        every, own = (graph.count("mac", window=window).total.count for window in ("off", "on"))
        assert every - own == 64 * before


@pytest.mark.slow
@pytest.mark.parametrize("make", [chunked, windowed], ids=["chunks", "window"])
def test_a_generation_is_the_sum_of_its_steps(make: Any) -> None:
    model, new = make(), 12
    convention = load("2mac").set({"window": "on", "causal": "exact"})

    def read(tokens: int, past: int) -> Any:
        return fl.read(model, options={"seq": tokens, **({"past": past} if past else {})})

    found = generation(read, (4, new, 1), convention, {})
    steps = [read(4, 0), *(read(1, 4 + step) for step in range(new - 1))]
    assert found.steps[-1].flop == sum(
        graph.count("2mac", window="on", causal="exact").total.count for graph in steps
    )


GEMMA = {"head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "more"), [("Mistral", {}), ("Gemma2", GEMMA)])
def test_a_window_s_formulas_hold_below_at_and_above_its_length(name: str, more: dict[str, Any]) -> None:
    model = windowed(name, **more)
    s, p = symbol("S"), symbol("P")
    for step, lengths in (
        ({"seq": s}, [(n, 1) for n in (2, 5, 6, 7, 13)]),
        ({"seq": 1, "past": p}, [(1, n) for n in (2, 4, 5, 6, 7, 13)]),
        ({"seq": s, "past": p}, [(3, 2), (3, 3), (4, 5), (2, 6), (9, 7), (8, 3)]),
    ):
        open_sizes = fl.read(model, options=step)
        for seq, past in lengths:
            given = {"seq": seq, "past": past}
            numbers = fl.read(model, options={name: given[name] for name in step})
            for switches in ({}, {"causal": "exact"}, {"causal": "exact", "window": "on"}):
                formula = open_sizes.count("mac", **switches).total.count
                expected = numbers.count("mac", **switches).total.count
                assert substitute(formula, {"S": seq, "P": past}) == expected
