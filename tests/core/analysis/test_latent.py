"""Latent attention: the projection of the cache absorbed into queries and results, as the paper has it.

A DeepSeek-V3 of one layer and 2 heads: latent vectors of 8, 6 features without position, 4 with, values of 5.
"""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest

transformers: Any = pytest.importorskip("transformers", reason="the model is one of transformers")
torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_step_expands_the_whole_cache_or_absorbs_the_projection(attention: str) -> None:
    config = transformers.DeepseekV3Config(
        vocab_size=10, hidden_size=16, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, q_lora_rank=None, kv_lora_rank=8, qk_nope_head_dim=6, qk_rope_head_dim=4,
        v_head_dim=5, first_k_dense_replace=1,
    )  # fmt: skip
    config._attn_implementation = attention
    with torch.device("meta"):
        model = transformers.DeepseekV3ForCausalLM(config).eval()
    graph = fl.read(model, options={"seq": 1, "past": 20})
    # 21 keys; as run, each latent vector is projected to 2 heads of 6 + 5, and met with 10 + 5 features
    as_run = 21 * 8 * 2 * 11 + 2 * 21 * 15
    # absorbed, the one query is projected, and meets 8 + 4 features of each key, and takes 8 of each
    absorbed = 1 * 8 * 2 * 11 + 2 * 21 * 20
    found = graph.count("mac").total.count, graph.count("mac", mla="absorbed").total.count
    assert found[0] - found[1] == as_run - absorbed
