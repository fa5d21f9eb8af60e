"""The schemas that are shipped beside what the commands really print, one and several results."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flopledger.cli import run

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
}


def figures(document: Any, key: str = "") -> list[Any]:
    """Return what stands in a document where a figure does."""
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


@pytest.mark.parametrize("name", COMMANDS)
def test_a_document_fits_its_schema_and_its_figures_are_integers(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    schema_name, args = COMMANDS[name]
    schema = json.loads(resources.files("flopledger.report").joinpath(f"{schema_name}.json").read_text())

    assert run([*args, "--format", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    jsonschema.Draft202012Validator(schema).validate(document)
    found = [one for one in figures(document) if one is not None and one not in ("macs", "flops", "params")]
    assert found
    if name not in ("symbols", "every convention"):
        assert [one for one in found if not isinstance(one, int)] == []
