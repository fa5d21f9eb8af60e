"""Our own figures on PyTorch networks: right on every level, with nothing left unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
import torch
from flopledger.counting.engine import analysis_of
from flopledger.plugins.discovery import kinds
from flopledger.testing import check_graph
from networks import Attention, Causal, Dense, Generator, Inverted, Recurrent, ResNet, UNet, ViT
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.graph.graph import Graph

NETWORKS = {
    "ResNet": (ResNet, "2x3x64x64"),
    "bottleneck ResNet": (lambda: ResNet((2, 2), bottleneck=True), "1x3x64x64"),
    "inverted residual": (lambda: Inverted(6), "1x6x15x15"),
    "dense block": (Dense, "1x12x15x15"),
    "U-Net": (UNet, "1x3x32x32"),
    "generator": (Generator, "2x20x1x1"),
    "attention": (Attention, "2x7x24"),
    "ViT": (ViT, "2x3x32x32"),
    "RNN": (lambda: Recurrent("RNN", nonlinearity="relu"), "2x9:int64"),
    "GRU": (lambda: Recurrent("GRU", num_layers=2, bidirectional=True), "2x9:int64"),
    "LSTM": (lambda: Recurrent("LSTM", num_layers=2, bidirectional=True), "2x9:int64"),
    "LSTM without biases": (lambda: Recurrent("LSTM", bias=False), "2x9:int64"),
    "causal": (Causal, ("1x2x5x8", "1x2x7x8", "1x2x7x6")),
    "attention with keys of its own": (
        lambda: nn.MultiheadAttention(16, 4, kdim=8, vdim=12, add_bias_kv=True, add_zero_attn=True),
        ("5x2x16", "7x2x8", "7x2x12"),
    ),
    "transformer": (
        lambda: nn.Transformer(16, 2, 1, 1, 32, batch_first=True),
        ("2x5x16", "2x7x16"),
    ),
    "cells": (lambda: nn.LSTMCell(5, 6), "3x5"),
    "GRU cell": (lambda: nn.GRUCell(5, 6), "3x5"),
    "bilinear": (lambda: nn.Bilinear(5, 6, 7), ("3x5", "3x6")),
    "bags": (lambda: nn.EmbeddingBag(9, 5, mode="mean"), "3x4:int64"),
    "bags with starts": (lambda: nn.EmbeddingBag(9, 5, mode="max"), ("7:int64", "2:int64")),
    "bags with ends": (
        lambda: nn.EmbeddingBag(9, 5, mode="sum", include_last_offset=True),
        ("7:int64", "3:int64"),
    ),
    "weighted bags": (
        lambda: nn.EmbeddingBag(9, 5, mode="sum"),
        {"input": "3x4:int64", "per_sample_weights": "3x4"},
    ),
    "fractional pool": (lambda: nn.FractionalMaxPool2d(2, output_size=(3, 4)), "2x3x8x8"),
    "fractional pool of a volume": (lambda: nn.FractionalMaxPool3d(2, output_size=3), "2x3x8x8x8"),
    "norm across maps": (lambda: nn.CrossMapLRN2d(2), "2x3x8x8"),
}
PROFILES = [
    {"grad": grad, "fast_paths": fast, "mode": mode}
    for grad, fast, mode in (
        (True, True, "eval"), (False, True, "eval"), (False, False, "eval"), (True, True, "train"),
    )
]  # fmt: skip


def is_known(graph: Graph) -> None:
    check_graph(graph, kinds())
    assert analysis_of(graph).formulas.disagreements == ()
    assert [(u.source, u.paths) for u in graph.count("ops").coverage.unknown] == []


@pytest.mark.parametrize("name", NETWORKS)
def test_every_call_is_known_and_the_levels_agree(name: str) -> None:
    make, inputs = NETWORKS[name]
    model = make()
    counts = set()
    for profile in PROFILES:
        graph = fl.read(model, inputs, profile=profile)
        is_known(graph)
        counts.add(graph.count("mac").total.count)
    assert len(counts) == 1


class Spelled(nn.Module):
    """One product of matrices, spelled as asked."""

    def __init__(self, product: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.product = product

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.product(a, b)


SPELLINGS = {
    "@": lambda a, b: a @ b,
    "matmul": torch.matmul,
    "method": lambda a, b: a.matmul(b),
    "mm": torch.mm,
    "linear": lambda a, b: functional.linear(a, b.T),
    "einsum": lambda a, b: torch.einsum("ij,jk->ik", a, b),
    "einsum without result": lambda a, b: torch.einsum("ij,jk", a, b),
    "bmm": lambda a, b: torch.bmm(a[None], b[None]),
    "addmm": lambda a, b: torch.addmm(torch.zeros(5), a, b),
    "baddbmm": lambda a, b: torch.baddbmm(torch.zeros(1), a[None], b[None]),
    "mv": lambda a, b: torch.stack([a.mv(column) for column in b.unbind(1)]),
    "tensordot": lambda a, b: torch.tensordot(a, b, dims=1),
    "conv": lambda a, b: functional.conv1d(a.T[None], b.T[:, :, None]),
    "inner": lambda a, b: torch.inner(a, b.T),
    "chain": lambda a, b: torch.linalg.multi_dot([a, b]),
    "addbmm": lambda a, b: torch.addbmm(torch.zeros(3, 5), a.T[:, :, None], b[:, None]),
    "bags": lambda a, b: functional.embedding_bag(
        torch.arange(4).repeat(3, 1), b, mode="sum", per_sample_weights=a
    ),
    "distances": lambda a, b: torch.cdist(a, b.T),
    "distances by definition": lambda a, b: torch.cdist(a, b.T, compute_mode="donot_use_mm_for_euclid_dist"),
    "distances by a product": lambda a, b: torch.cdist(a, b.T, compute_mode="use_mm_for_euclid_dist"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_product_counts_the_same_however_it_is_spelled(spelling: str) -> None:
    graph = fl.read(Spelled(SPELLINGS[spelling]), ("3x4", "4x5"))
    is_known(graph)
    assert graph.count("mac").total.count == 60


def test_a_product_turned_round_is_one_too() -> None:
    class Reflected(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return b.__rmatmul__(a)

    graph = fl.read(Reflected(), ("3x4", "4x5"))
    is_known(graph)
    assert graph.count("mac").total.count == 60


def test_attention_counts_both_products_and_a_causal_mask_can_halve_them() -> None:
    graph = fl.read(Causal(), ("1x2x5x8", "1x2x7x8", "1x2x7x6"))
    # 2 heads, 5 queries, 7 keys, 8 + 6 terms; the mask leaves 1 + 2 + 3 + 4 + 5 = 15 of 35 pairs
    assert graph.count("mac").total.count == 980
    assert graph.count("mac", causal="exact").total.count == 420
    assert graph.count("2mac", causal="exact").total.count == 840
    # 15 scores and 5 * 6 results in each head are dot products
    assert graph.count("2mac-1", causal="exact").total.count == 840 - 90


def test_a_residual_network_adds_up() -> None:
    # stem 147 * 16 * 16 * 16; four 3x3 of 16 channels at 8x8 are half a block each, then 16 to 32 at 4x4
    stem, first = 147 * 16 * 256, 2 * 9 * 16 * 16 * 64
    second = (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32) * 16
    ledger = fl.count(ResNet(), "1x3x32x32")
    assert ledger.total.count == stem + first + second + 320
    assert fl.count(ResNet(), "4x3x32x32", batch="one").total.count == ledger.total.count


def test_a_recurrent_layer_counts_every_step_layer_and_direction() -> None:
    graph = fl.read(nn.LSTM(4, 5, 2, bidirectional=True), "7x3x4")
    # 21 steps, 2 directions, 4 gates of 5: from 4 and 5, then from 10 and 5
    assert graph.count("mac").total.count == 21 * 2 * 20 * (4 + 5 + 10 + 5)
    assert graph.layers[0].kind == "lstm"
    kernels = [c for c in graph.layers if c.source == "aten.mkldnn_rnn_layer.default"]
    assert [c.kind for c in kernels] == ["lstm"] * 4


def test_a_projection_makes_the_state_smaller() -> None:
    with pytest.warns(UserWarning, match="projections"):
        torch.nn.LSTM(4, 5, proj_size=2)(torch.zeros(1, 1, 4))
    graph = fl.read(nn.LSTM(4, 5, proj_size=2), "7x3x4")
    # 21 steps of 20 * (4 + 2) and 5 * 2
    assert graph.count("mac").total.count == 21 * 130
    is_known(graph)


def test_a_layer_of_many_axes_counts_every_row() -> None:
    assert fl.count(nn.Linear(4, 5), "2x3x7x4").total.count == 42 * 20


def test_a_layer_that_is_used_twice_counts_twice() -> None:
    shared = nn.Linear(4, 4)
    ledger = fl.count(nn.Sequential(shared, shared), "1x4")
    assert (ledger.total.count, ledger.total.params) == (32, 20)


SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
}  # fmt: skip
WORDS = {**SMALL, "vocab_size": 100}
IDS = {"input_ids": "2x16:int64"}
# two layers of 32 rows: 4 projections of 32 * 32, two dense layers of 32 * 64; attention 2 * 16 * 16 * 32 * 2
ENCODER = 2 * (32 * 4 * 1024 + 32 * 2 * 2048 + 32768)
# the same with keys and values half as wide, and three dense layers
LLAMA = 2 * (32 * 3 * 1024 + 32 * 3 * 2048 + 32768)
FAMILIES = {
    "Bert": (WORDS, IDS, ENCODER + 2 * 1024),  # and a pooler for each of two texts
    "DistilBert": (
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "vocab_size": 100},
        IDS,
        ENCODER,
    ),
    "Llama": ({**WORDS, "num_key_value_heads": 2}, IDS, LLAMA),
    "Mistral": ({**WORDS, "num_key_value_heads": 2}, IDS, LLAMA),
    # four times as wide dense layers
    "GPT2": ({"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 100}, IDS, ENCODER + 2 * 32 * 2 * 2048),
    # a router of 4 and two experts of three dense layers for each row
    "Mixtral": (
        {**WORDS, "num_key_value_heads": 2, "num_local_experts": 4},
        IDS,
        2 * (32 * 3 * 1024 + 32768 + 32 * 128 + 2 * 32 * 3 * 2048),
    ),
    "T5": (
        {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 100},
        {"input_ids": "2x16:int64", "decoder_input_ids": "2x8:int64"},
        # two decoder layers of 16 rows: 8 projections less keys and values, which have 32, and attention
        ENCODER + 2 * (16 * 6 * 1024 + 32 * 2 * 1024 + 16 * 2 * 2048 + 2 * 8 * 8 * 64 + 2 * 8 * 16 * 64),
    ),
    "ViT": (
        {**SMALL, "image_size": 32, "patch_size": 8},
        {"pixel_values": "2x3x32x32"},
        # 16 patches of 192, and 17 rows for each of two images; then a pooler
        32 * 192 * 32 + 2 * (34 * 4 * 1024 + 34 * 2 * 2048 + 2 * 17 * 17 * 64) + 2 * 1024,
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grad", [True, False])
def test_a_language_or_vision_model_adds_up(family: str, *, grad: bool) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    settings, inputs, count = FAMILIES[family]
    with torch.device("meta"):
        model = getattr(transformers, f"{family}Model")(getattr(transformers, f"{family}Config")(**settings))
    graph = fl.read(model, inputs, profile={"grad": grad})
    assert graph.count("mac").total.count == count
    check_graph(graph, kinds())
    assert analysis_of(graph).formulas.disagreements == ()
    assert graph.count("mac").coverage.unknown == ()


@pytest.mark.parametrize("convention", ["mac", "fvcore", "ptflops-aten"])
def test_every_parameter_is_in_the_row_of_its_module_or_of_the_first_call_in_it(convention: str) -> None:
    """Some tools list functions and operators alone: 5 x 3 + 5 and 2 x 5 + 2 parameters are in those.

    So are the 3 of the scale, which is no module's but the network's own.
    """

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))
            self.one, self.two = nn.Linear(3, 5), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(functional.relu(self.one(x * self.scale)))

    ledger = fl.read(Scaled(), torch.zeros(1, 3)).count(convention)
    held = [row for row in ledger.rows if row.params]
    assert [row.params for row in sorted(held, key=lambda row: row.params)] == [3, 12, 20]
    assert {row.path[:3]: row.params for row in held if row.params > 3} == {"one": 20, "two": 12}
    assert ledger.total.params == 35
