"""Attention masks of transformers, as a tensor or by ``is_causal``, and the products that they leave.

A Mistral of one layer and 4 heads of 8: each pair of a query and a key takes 4 x (8 + 8) = 64 products.
"""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
import torch

transformers: Any = pytest.importorskip("transformers", reason="the masks are those of transformers")


def left_out(attention: str, window: int | None, switches: dict[str, str], **step: int) -> Any:
    """Return how many pairs are left out in one step."""
    config = transformers.MistralConfig(
        vocab_size=10, hidden_size=32, intermediate_size=8, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=window,
    )  # fmt: skip
    config._attn_implementation = attention
    with torch.device("meta"):
        model = transformers.MistralForCausalLM(config).eval()
    graph = fl.read(model, options=step)
    figures = {name: graph.count(name).total.count for name in ("mac", "2mac")}
    assert graph.count("2mac", **switches).total.count == 2 * graph.count("mac", **switches).total.count
    return (figures["mac"] - graph.count("mac", **switches).total.count) / 64


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_causal_mask_leaves_out_the_keys_after_the_query(attention: str) -> None:
    assert left_out(attention, None, {"causal": "exact"}, seq=5) == 10  # 0 + 1 + 2 + 3 + 4
    assert left_out(attention, None, {"causal": "half"}, seq=5) == 12.5
    assert left_out(attention, None, {"causal": "exact"}, seq=3, past=4) == 3  # 0 + 1 + 2
    assert left_out(attention, None, {"causal": "half"}, seq=1, past=4) == 0


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_window_leaves_out_the_keys_before_it(attention: str) -> None:
    window = {"causal": "exact", "window": "on"}
    assert left_out(attention, 3, {"window": "on"}, seq=5) == 3  # of the last two queries 1 and 2
    assert left_out(attention, 3, window, seq=5) == 10 + 3
    # 4 tokens before, of which the cache keeps 2: the queries meet 3 of 5 keys each
    assert left_out(attention, 3, window, seq=3, past=4) == 15 - 9
