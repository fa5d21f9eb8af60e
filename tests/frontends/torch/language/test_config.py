"""Models made from a ``config.json``: which class is made, and what an argument changes.

A Llama of 2 layers, 32 features, 4 heads of 8 for the query and 2 for key and value, 48 hidden features and
100 words. A token meets 32 x 32 + 2 x 32 x 16 + 32 x 32 = 3,072 weights in attention and 3 x 32 x 48 = 4,608
after it, 15,360 in two layers, and 3,200 of the head: 18,560. Norms have 32 each: 5 x 32 = 160. The table of
words has 3,200.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.errors import SourceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("transformers", reason="a config is read with transformers")

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 100, "hidden_size": 32,
    "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "torch_dtype": "bfloat16",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the config of the Llama."""
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    return tmp_path


def test_a_folder_with_a_config_is_a_source(folder: Path) -> None:
    graph = fl.read(str(folder), options={"seq": 5})
    total = graph.count("mac").total
    assert total.params == 18560 + 160 + 3200
    assert total.count == 5 * 18560 + 2 * 5 * 5 * 64  # and 25 pairs of 32 features for keys and for values
    assert {p.dtype for p in graph.parameters if not p.is_buffer} == {"bfloat16"}


def test_arguments_change_the_config_and_unknown_ones_are_named(folder: Path) -> None:
    file, arguments = str(folder / "config.json"), {"num_hidden_layers": 1, "tie_word_embeddings": True}
    total = fl.read(file, options={"seq": 1}, arguments=arguments).count("mac").total
    assert (total.params, total.count) == (7680 + 3 * 32 + 3200, 7680 + 3200 + 64)
    with pytest.raises(UsageError, match=r"no 'num_layer'.*num_"):
        fl.read(file, options={"seq": 1}, arguments={"num_layer": 1})


def test_a_config_without_a_known_type_is_refused(folder: Path) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**LLAMA, "model_type": "lama", "auto_map": {"AutoConfig": "code.Config"}}))
    with pytest.raises(SourceError, match=r"knows no model_type 'lama'.*is not run"):
        fl.read(str(file), options={"seq": 1})


def test_a_config_that_is_nested_too_deep_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(LLAMA)[:-1] + ', "x": ' + "[" * 700 + "]" * 700 + "}")
    with pytest.raises(SourceError, match="nested deeper than 200 levels"):
        fl.read(str(folder), options={"seq": 5})


def test_a_class_that_is_a_part_of_a_model_is_made_from_the_part_of_its_config(tmp_path: Path) -> None:
    # The causal language model of Musicgen is its decoder. A place has 4 x 32 x 32 of attention, 2 x 32 x 48
    # after it, and the heads of 4 codebooks, whose words are summed up: 4 x 32 x 50.
    decoder = {
        "model_type": "musicgen_decoder", "vocab_size": 50, "hidden_size": 32, "ffn_dim": 48,
        "num_hidden_layers": 1, "num_attention_heads": 4, "num_codebooks": 4, "pad_token_id": 0,
    }  # fmt: skip
    config = {"model_type": "musicgen", "decoder": decoder}
    (tmp_path / "config.json").write_text(json.dumps(config))
    graph = fl.read(str(tmp_path), options={"seq": 5, "batch": 4})
    assert graph.count("mac").total.count == 5 * (4096 + 3072 + 6400) + 25 * 2 * 32


def test_a_config_needs_the_length_of_its_input(folder: Path) -> None:
    with pytest.raises(UsageError, match="--seq"):
        fl.read(str(folder))
