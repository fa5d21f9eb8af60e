"""``flopledger llm``: a prompt, its first and last decode step, and the whole generation.

A Llama of 1 layer, 32 features, 4 heads of 8 for the query and 2 for key and value, 48 hidden features and
100 words: a token meets 3,072 + 4,608 weights of the layer and 3,200 of the head, and each key before it
costs 64 products.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    Run = Callable[..., CompletedProcess[str]]

pytest.importorskip("transformers", reason="a config is read with transformers")
LLAMA = {
    "model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "torch_dtype": "bfloat16",
}  # fmt: skip
TOKEN = 3072 + 4608 + 3200
WEIGHTS = 2 * (TOKEN + 3 * 32 + 3200)  # three norms, and the table of words


def test_a_generation_is_the_prompt_and_a_step_for_each_other_token(flopledger: Run, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    lengths = ("--prompt", "5", "--new", "4", "--batch", "2")
    done = flopledger("llm", str(tmp_path), *lengths, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "flopledger.llm/1"
    assert found["kv_bytes_per_token"] == 2 * 2 * 8 * 2  # keys and values of 2 heads of 8, 2 bytes each
    steps = {row["what"]: row for row in found["rows"]}
    # 2 FLOP, 2 sequences; the prompt's 5 queries meet 5 keys each, step i meets 5 + i + 1
    prefill = 4 * (5 * TOKEN + 25 * 64)
    decode = [4 * (TOKEN + keys * 64) for keys in (6, 7, 8)]
    assert steps["prefill"]["flop"] == prefill
    assert steps["first decode step"]["flop"] == decode[0]
    assert steps["last decode step"]["flop"] == decode[2]
    assert steps["generation"]["flop"] == prefill + sum(decode)
    assert steps["prefill"]["weight_bytes"] == WEIGHTS
    # of the table of words a step of 2 tokens reads 2 rows of 64 bytes, the prompt 10
    cache = [64 * 2 * tokens for tokens in (5, 6, 7)]
    read = [WEIGHTS - 98 * 64 + size for size in cache]
    assert steps["first decode step"]["bytes_read"] == read[0]
    assert steps["generation"]["bytes_read"] == WEIGHTS - 90 * 64 + sum(read)
    assert steps["generation"]["kv_bytes"] == cache[2]


@pytest.mark.slow
def test_the_table_fits_the_terminal_and_keeps_its_words(flopledger: Run, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    command = ("llm", "config.json", "--prompt", "5", "--new", "4", "--device", "h100-sxm")
    wide = flopledger(*command).stdout
    for columns in (40, 80, 200):
        narrow = flopledger(*command, env={"COLUMNS": str(columns)}).stdout
        assert max(map(len, narrow.splitlines())) <= columns
        assert set(wide.split()) <= {word.removesuffix(":") for word in narrow.split()} | set(narrow.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seq", "4"), "are for count"),
        (("--dtype", "weight=int8"), "none of weights, kv"),
        (("--dtype", "kv=int7"), "no dtype is called 'int7'"),
        (("--batch", "B"), "expected a number"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    flopledger: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    done = flopledger("llm", str(tmp_path), "--prompt", "5", "--new", "4", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
