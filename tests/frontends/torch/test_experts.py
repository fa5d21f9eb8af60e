"""Mixtures of experts: the work of their tokens, and the weights that one token uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.counting.engine import analysis_of
from flopledger.plugins.discovery import kinds
from flopledger.testing import check_graph
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger

IDS = {"input_ids": "2x16:int64"}
BOTH = {**IDS, "decoder_input_ids": "2x8:int64"}


def groups(ledger: Ledger) -> list[tuple[str, int, int, object, object]]:
    return [(e.path, e.size, e.picked, e.params, e.active_params) for e in ledger.experts]


def language_model(family: str, settings: dict[str, Any], device: str = "meta") -> nn.Module:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    with torch.device(device):
        made: nn.Module = getattr(transformers, family)._from_config(
            getattr(transformers, f"{family.removesuffix('ForCausalLM').removesuffix('Model')}Config")(
                **settings
            )
        )
    return made


# What was published: arXiv:2401.04088 (46.7B, 12.9B of them active), arXiv:2409.02060 (6.9B, 1.3B),
# arXiv:2505.09388 (30.5B, 3.3B), arXiv:2412.19437 (671B, 37B), arXiv:2508.10925 (116.8B, 5.13B without the
# table of words, which is 0.58B of ours). For each: embeddings, layers, and what 1 - k/E of the experts is.
PUBLISHED: dict[str, tuple[str, dict[str, Any], int, int]] = {
    "Mixtral 8x7B": (
        "MixtralForCausalLM",
        {
            "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "num_local_experts": 8,
            "num_experts_per_tok": 2,
        },
        46_702_792_704,
        12_879_925_248,
    ),
    "OLMoE 1B-7B": (
        "OlmoeForCausalLM",
        {
            "vocab_size": 50304, "hidden_size": 2048, "intermediate_size": 1024, "num_hidden_layers": 16,
            "num_attention_heads": 16, "num_key_value_heads": 16, "num_experts": 64, "num_experts_per_tok": 8,
        },
        # four projections, four norms, the router and the experts
        2 * 50304 * 2048 + 16 * (4 * 2048**2 + 4 * 2048 + 64 * 2048 + 64 * 3 * 2048 * 1024) + 2048,
        2 * 50304 * 2048 + 16 * (4 * 2048**2 + 4 * 2048 + 64 * 2048 + 8 * 3 * 2048 * 1024) + 2048,
    ),
    "Qwen3 30B-A3B": (
        "Qwen3MoeForCausalLM",
        {
            "vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 6144,
            "moe_intermediate_size": 768,
            "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128,
            "num_experts": 128, "num_experts_per_tok": 8, "tie_word_embeddings": False,
        },
        # queries and output of 4096, keys and values of 512; norms of 2048 and of 128
        2 * 151936 * 2048 + 2048
        + 48 * (2048 * (2 * 4096 + 2 * 512) + 2 * 2048 + 2 * 128 + 128 * 2048 + 128 * 3 * 2048 * 768),
        2 * 151936 * 2048 + 2048
        + 48 * (2048 * (2 * 4096 + 2 * 512) + 2 * 2048 + 2 * 128 + 128 * 2048 + 8 * 3 * 2048 * 768),
    ),
    "DeepSeek V3": (
        "DeepseekV3ForCausalLM",
        {
            "vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
            "moe_intermediate_size": 2048,
            "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
            "n_shared_experts": 1, "n_routed_experts": 256, "kv_lora_rank": 512, "q_lora_rank": 1536,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128, "n_group": 8, "topk_group": 4,
            "num_experts_per_tok": 8, "first_k_dense_replace": 3, "tie_word_embeddings": False,
        },
        671_026_404_352,
        # 58 layers in which 248 of 256 experts rest
        671_026_404_352 - 58 * 248 * 3 * 7168 * 2048,
    ),
    "GPT-OSS 120B": (
        "GptOssForCausalLM",
        {
            "vocab_size": 201088, "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 36,
            "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "num_local_experts": 128,
            "num_experts_per_tok": 4, "tie_word_embeddings": False,
        },
        116_829_156_672,
        # an expert has two layers with biases: 2880 to 5760 and 2880 to 2880
        116_829_156_672 - 36 * 124 * (2881 * 5760 + 2881 * 2880),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_have_their_published_parameters(name: str) -> None:
    family, settings, params, active = PUBLISHED[name]
    total = fl.count(language_model(family, settings), {"input_ids": "1x4:int64"}).total

    assert total.params == params
    assert total.active_params == active


WORDS = {
    "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 48, "num_experts_per_tok": 2,
}  # fmt: skip
MLA = {
    "num_key_value_heads": 4, "kv_lora_rank": 16, "q_lora_rank": 16, "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8, "v_head_dim": 8,
}  # fmt: skip
T5 = {
    "vocab_size": 100, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2,
    "num_heads": 4, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1,
}  # fmt: skip
NLLB = {
    "vocab_size": 100, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "encoder_sparse_step": 2,
    "decoder_sparse_step": 2, "expert_capacity": 64,
}  # fmt: skip
# experts, how many are picked, weights and macs of one for a token, and in how many places; 32 tokens
SMALL: dict[str, tuple[dict[str, Any], tuple[int, int, int, int, int]]] = {
    "MixtralForCausalLM": ({**WORDS, "num_local_experts": 4}, (4, 2, 3 * 32 * 48, 3 * 32 * 48, 2)),
    "PhimoeForCausalLM": ({**WORDS, "num_local_experts": 4}, (4, 2, 3 * 32 * 48, 3 * 32 * 48, 2)),
    "GraniteMoeForCausalLM": ({**WORDS, "num_local_experts": 4}, (4, 2, 3 * 32 * 48, 3 * 32 * 48, 2)),
    "OlmoeForCausalLM": ({**WORDS, "num_experts": 6}, (6, 2, 3 * 32 * 48, 3 * 32 * 48, 2)),
    "Qwen2MoeForCausalLM": (
        {**WORDS, "num_experts": 6, "moe_intermediate_size": 20, "shared_expert_intermediate_size": 24},
        (6, 2, 3 * 32 * 20, 3 * 32 * 20, 2),
    ),
    "Qwen3MoeForCausalLM": (
        {**WORDS, "num_experts": 6, "moe_intermediate_size": 20},
        (6, 2, 3 * 32 * 20, 3 * 32 * 20, 2),
    ),
    "DeepseekV3ForCausalLM": (
        {
            **WORDS, **MLA, "n_routed_experts": 8, "n_group": 4, "topk_group": 2, "moe_intermediate_size": 20,
            "n_shared_experts": 1, "first_k_dense_replace": 1,
        },
        (8, 2, 3 * 32 * 20, 3 * 32 * 20, 1),
    ),
    # with biases: 32 to 96 and 48 to 32
    "GptOssForCausalLM": (
        {**WORDS, "head_dim": 8, "num_local_experts": 4},
        (4, 2, 33 * 96 + 49 * 32, 3 * 32 * 48, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("execute", [False, True])
@pytest.mark.parametrize("family", SMALL)
def test_experts_of_language_models(family: str, *, execute: bool) -> None:
    settings, (size, k, params, macs, places) = SMALL[family]
    model = language_model(family, settings, "cpu" if execute else "meta")
    graph = fl.read(model, IDS, execute=execute)
    ledger = graph.count("mac")

    assert [group[1:] for group in groups(ledger)] == [(size, k, size * params, k * params)] * places
    assert (
        ledger.total.active_params
        == sum(p.numel() for p in model.parameters()) - places * (size - k) * params
    )
    experts = [row.macs for row in ledger.rows if ".experts" in row.path and "shared" not in row.path]
    assert sum(experts) == places * 32 * k * macs
    assert ledger.coverage.unknown == ()
    assert analysis_of(graph).formulas.disagreements == ()
    check_graph(graph, kinds())


@pytest.mark.parametrize(
    ("family", "settings", "k", "bias", "sent"),
    [
        ("SwitchTransformersModel", {**T5, "num_experts": 4, "expert_capacity": 64}, 1, 0, 1),
        # this one takes its mask of 4 places for a token for the numbers of 4 experts
        ("NllbMoeModel", {**NLLB, "num_experts": 4}, 2, 32 + 48, 4),
    ],
)
def test_experts_whose_tokens_depend_on_data(
    family: str, settings: dict[str, Any], k: int, bias: int, sent: int
) -> None:
    """Four in the encoder, with 32 tokens, and four in the decoder, with 16."""
    model = language_model(family, settings, "cpu")
    ledger = fl.read(model, BOTH, execute=True).count("mac")
    each = 2 * 32 * 48 + bias

    assert [group[1:] for group in groups(ledger)] == [(4, k, 4 * each, k * each)] * 2
    macs = [row.macs for row in ledger.rows if ".experts.expert_" in row.path]
    assert sum(macs) == (32 + 16) * sent * 2 * 32 * 48


class Expert(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.w1 = nn.Linear(width, inner, bias=False)
        self.w2 = nn.Linear(inner, width, bias=False)
        self.w3 = nn.Linear(width, inner, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(functional.silu(self.w1(x)) * self.w3(x))


class Looped(nn.Module):
    """A block as it was written before there were grouped products: a loop over the experts."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(16, 4, bias=False)
        self.experts = nn.ModuleList([Expert(16, 24) for _ in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        weights, chosen = torch.topk(functional.softmax(self.gate(x), dim=-1), 2, dim=-1)
        out = torch.zeros_like(x)
        mask = functional.one_hot(chosen, num_classes=4).permute(2, 1, 0)
        for expert in range(4):
            place, token = torch.where(mask[expert])
            out.index_add_(0, token, self.experts[expert](x[token]) * weights[token, place, None])
        return out


def test_a_loop_over_experts_counts_the_tokens_that_each_got() -> None:
    ledger = fl.read(Looped(), "6x16", execute=True).count("mac")

    assert groups(ledger) == [("", 4, 2, 4 * 3 * 16 * 24, 2 * 3 * 16 * 24)]
    assert ledger.total.macs == 6 * 16 * 4 + 6 * 2 * 3 * 16 * 24
    assert ledger.coverage.unknown == ()


class Stacked(nn.Module):
    """Router, experts and their biases in one module; the router's weight has the shape of a bias."""

    def __init__(self, spare: int = 0) -> None:
        super().__init__()
        self.spare = spare
        self.gate = nn.Parameter(torch.ones(4, 8))
        self.w1, self.b1 = nn.Parameter(torch.ones(4, 8, 12)), nn.Parameter(torch.ones(4, 12))
        self.w2, self.b2 = nn.Parameter(torch.ones(4, 12, 8)), nn.Parameter(torch.ones(4, 8))

    def forward(self, x: Tensor) -> Tensor:
        weights, chosen = torch.softmax(x @ self.gate.t(), -1).topk(2 + self.spare, -1)
        weights, chosen = weights[:, :2], chosen[:, :2]
        inner = torch.relu(torch.einsum("td,tkdf->tkf", x, self.w1[chosen]) + self.b1[chosen])
        out = torch.einsum("tkf,tkfd->tkd", inner, self.w2[chosen]) + self.b2[chosen]
        return (out * weights[..., None]).sum(1)


@pytest.mark.parametrize("inputs", ["5x8", "Nx8"])
@pytest.mark.parametrize("spare", [0, 1])
def test_stacked_experts_beside_their_router(spare: int, inputs: str) -> None:
    # an expert: 8 * 12 + 12 + 12 * 8 + 8 = 212
    assert groups(fl.count(Stacked(spare), inputs)) == [("", 4, 2, 848, 424)]


def test_an_exported_program_has_the_experts_of_its_model() -> None:
    class Three(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Stacked() for _ in range(3)])

        def forward(self, x: Tensor) -> Tensor:
            for block in self.blocks:
                x = x + block(x)
            return x

    program = torch.export.export(Three().eval(), (torch.ones(5, 8),))

    assert groups(fl.count(Three(), "5x8")) == [(f"blocks.{i}", 4, 2, 848, 424) for i in range(3)]
    exported = fl.count(program)
    assert {(e.size, e.picked) for e in exported.experts} == {(4, 2)}
    # the routers have 4 * 8 each
    assert (exported.total.params, exported.total.active_params) == (3 * (848 + 32), 3 * (424 + 32))


class Binary(nn.Module):
    """A hard gate of two, and a perceptron of two layers that are alike."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(8, 2)
        self.mlp = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x) * functional.gumbel_softmax(self.gate(x), hard=True)[:, :1]


class Heads(nn.Module):
    """The largest of the scores of four tokens, by four heads."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.o = nn.Parameter(torch.ones(4, 8, 2)), nn.Parameter(torch.ones(4, 2, 8))

    def forward(self, x: Tensor) -> Tensor:
        q = torch.einsum("td,hdk->htk", x, self.q)
        scores, places = (q @ q.transpose(-1, -2)).topk(2, -1)
        kept = torch.zeros(4, 4, 4).scatter(-1, places, scores)
        return torch.einsum("htk,hkd->td", kept @ q, self.o)


class Classes(nn.Module):
    """As many layers as classes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(10)])
        self.words, self.head = nn.Embedding(10, 8), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.words(self.head(x).argmax(-1))


class Depths(nn.Module):
    """As many layers as tokens, of which each layer works on two."""

    def __init__(self, layers: int = 4) -> None:
        super().__init__()
        self.score = nn.Linear(8, 1)
        self.inner = nn.Linear(8, 8)
        self.next = Depths(layers - 1) if layers else None

    def forward(self, x: Tensor) -> Tensor:
        places = self.score(x).squeeze(-1).topk(2, dim=0).indices
        x = x.index_copy(0, places, self.inner(x[places]))
        return x if self.next is None else self.next(x)


@pytest.mark.parametrize("model", [Binary, Heads, Classes, Depths])
def test_what_only_looks_like_experts_is_active_all(model: type[nn.Module]) -> None:
    ledger = fl.count(model(), "4x8")

    assert ledger.experts == ()
    assert ledger.total.active_params == ledger.total.params


@pytest.mark.parametrize("width", [18, 20, 32])
def test_a_grouped_product_needs_no_width_of_its_own(width: int) -> None:
    """The kernel on a CPU asks for rows of 16 bytes, in the type that the rows have."""

    class Grouped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, width, 16))

        def forward(self, x: Tensor, ends: Tensor) -> Tensor:
            out: Tensor = functional.grouped_mm(x, self.weight, offs=ends)
            return out

    if not hasattr(functional, "grouped_mm"):
        pytest.skip("this PyTorch has no grouped products")
    graph = fl.read(Grouped(), {"x": f"10x{width}", "ends": "3:int32"})

    assert graph.count("mac").total.macs == 10 * width * 16
    assert [graph.shape(i) for i in graph.outputs] == [(10, 16)]
