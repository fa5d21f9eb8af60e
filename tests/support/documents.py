"""The output of commands, made fit to be compared and validated."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import jsonschema


def plain(text: str) -> str:
    """Put X in place of digests, and V in that of the version."""
    return re.sub(r"flopledger [0-9.]+\n", "flopledger V\n", re.sub(r"\b[0-9a-f]{16}\b", "X", text))


def validated(name: str, text: str) -> dict[str, Any]:
    """Check a document against the schema that is shipped for it; that of ledgers has no name."""
    file = f"{name}.schema.json" if name else "schema.json"
    schema = json.loads(resources.files("flopledger.report").joinpath(file).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator(schema).validate(document)
    return document
