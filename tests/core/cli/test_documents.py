"""The schemas that are shipped beside the real output of the commands, one and several results."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import click
import pytest
from documents import validated
from flopledger.cli import group, run

EXAMPLES = Path(__file__).parents[3] / "examples"
LENET, ALEXNET = str(EXAMPLES / "lenet.prototxt"), str(EXAMPLES / "alexnet.prototxt")

COMMANDS = {
    "one ledger": ("schema", ["count", LENET]),
    "several ledgers": ("schema", ["count", LENET, ALEXNET, "-c", "mac", "-c", "caffe-script"]),
    "symbols": ("schema", ["count", LENET, "-i", "Nx1x28x28"]),
    "two conventions": ("explain.schema", ["explain", ALEXNET, "mac", "netscope", "--layers"]),
    "parameters": ("explain.schema", ["explain", ALEXNET, "netscope", "caffe-script", "--what", "params"]),
    "every convention": ("explain-all.schema", ["explain", LENET, "--all"]),
    "figures": ("figures.schema", ["explain", LENET, "2.3M", "4.6M"]),
    "two networks": ("compare.schema", ["compare", LENET, LENET]),
    "one check": ("check.schema", ["check", LENET, "--max-macs", "2.5M"]),
    "several checks": ("check.schema", ["check", LENET, LENET, "--max-flops", "5M"]),
    "a device and the bytes moved": (
        "schema",
        ["count", LENET, "--device", "h100-sxm", "--columns", "reads,writes"],
    ),
    "a training step": ("schema", ["count", LENET, "--step", "train"]),
    "the conventions": ("conventions.schema", ["conventions"]),
    "one convention": ("conventions.schema", ["conventions", "mac"]),
    "the frontends": ("frontends.schema", ["frontends"]),
    "memory": ("memory.schema", ["memory", LENET]),
    "memory of a training step": ("memory.schema", ["memory", LENET, "--step", "train"]),
    "a language model": ("llm.schema", ["llm", "config.json", "--prompt", "5", "--new", "4"]),
    "the summary of a scan": ("scan.schema", ["scan", LENET, "-o", "new.db"]),
    "a zoo": ("zoo.schema", ["zoo", "zoo.db"]),
    "the changes of a zoo": ("zoo-changes.schema", ["zoo", "zoo.db", "--against", "zoo.db"]),
}
"""Commands that write JSON, each with its schema."""
WITHOUT_FIGURES = ("llm", "memory", "scan", "zoo", "conventions", "frontends")
"""Commands whose figures have other names, or that have none."""
CONFIG = {
    "model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
}  # fmt: skip


def writes_json(name: str) -> bool:
    """Return whether a command of the command line has JSON among its formats."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    choices = [getattr(option.type, "choices", ()) for option in command.params if "--format" in option.opts]
    return any("json" in formats for formats in choices)


def test_every_command_that_writes_json_is_tested() -> None:
    commands = {name for name in group.list_commands(click.Context(group)) if writes_json(name)}
    assert commands == {args[0] for _, args in COMMANDS.values()}


def test_every_schema_is_that_of_a_command(root: Path) -> None:
    shipped = {path.name for path in (root / "core" / "flopledger" / "report").glob("*schema.json")}
    assert shipped == {f"{schema}.json" for schema, _ in COMMANDS.values()}


def figures(document: Any, key: str = "") -> list[Any]:
    """Return the form of a figure in a document."""
    names = {
        "count",
        "macs",
        "flops",
        "params",
        "figure",
        "gap",
        "found",
        "limit",
        "before",
        "after",
        "off_by",
    }
    if isinstance(document, dict):
        return [one for name, value in document.items() for one in figures(value, name)]
    if isinstance(document, list):
        return [one for value in document for one in figures(value)]
    return [document] if key in names else []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the inputs of commands: a database of networks and a language model's config."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    assert run(["scan", LENET, "-o", str(folder / "zoo.db")]) == 0
    return folder


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if args[0] == "llm" else [])
        for name, (_, args) in COMMANDS.items()
    ],
)
def test_a_document_fits_its_schema_and_its_figures_are_integers(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    schema_name, args = COMMANDS[name]
    monkeypatch.chdir(folder)
    if args[0] == "llm" and importlib.util.find_spec("transformers") is None:
        pytest.skip("a config is read with transformers")

    capfd.readouterr()
    assert run([*args, "--format", "json"]) == 0
    document = validated(schema_name.removesuffix("schema").removesuffix("."), capfd.readouterr().out)
    found = [one for one in figures(document) if one is not None and one not in ("macs", "flops", "params")]
    assert found or args[0] in WITHOUT_FIGURES
    if name not in ("symbols", "every convention"):
        assert [one for one in found if not isinstance(one, int)] == []
