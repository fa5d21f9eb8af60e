"""The page of the JSON that is written and read: the schemas that are shipped, explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import flopledger

from pages.markup import code, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

PACKAGE = Path(flopledger.__file__).parent


def shipped() -> Mapping[str, Any]:
    """Return the schemas by their path in the package."""
    files = sorted(PACKAGE.rglob("*schema*.json"))
    return {
        file.relative_to(PACKAGE).as_posix(): json.loads(file.read_text(encoding="utf-8")) for file in files
    }


def pages() -> Mapping[str, str]:
    """Return the page."""
    found = shipped()
    common = shared(found)
    return {
        "json": page(
            "JSON",
            "Figures are whole numbers. A figure is a text only where symbols appear in it, in Python's "
            "syntax (`724406816*N`), or where a tool's exact figure is a fraction (`p/q`). Each document "
            "says in `schema` what it is; a change that a reader could stumble over gets another number.",
            "The schemas below are shipped with the package, so that `jsonschema` can check a document.",
            *(_schema(path, schema, common) for path, schema in found.items()),
            "## What several documents have",
            *(_named(name, inner) for name, inner in common.items()),
        )
    }


def shared(schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the definitions that several schemas have, in the same words."""
    every = [item for schema in schemas.values() for item in schema.get("$defs", {}).items()]
    alike = {name for name, inner in every if all(other == inner for same, other in every if same == name)}
    return {name: inner for name, inner in every if name in alike and every.count((name, inner)) > 1}


def _schema(path: str, schema: Mapping[str, Any], common: Mapping[str, Any]) -> str:
    own = {name: inner for name, inner in schema.get("$defs", {}).items() if name not in common}
    blocks = [f"## {schema.get('title', path)}", prose(schema.get("description", ""))]
    blocks.append(f"File: `flopledger/{path}`.")
    blocks += _object(schema, "")
    blocks += [_named(name, inner) for name, inner in own.items()]
    return "\n\n".join(block for block in blocks if block)


def _named(name: str, inner: Mapping[str, Any]) -> str:
    return "\n\n".join(block for block in (f"### {code(name)}", *_definition(inner)) if block)


def _definition(inner: Mapping[str, Any]) -> list[str]:
    """Explain one definition: in words, and by the table of its fields or its type."""
    said = prose(inner.get("description", ""))
    fields = _object(inner, "")
    return [said, *fields] if fields else [said, f"{_type(inner)}"]


def _object(schema: Mapping[str, Any], prefix: str) -> list[str]:
    rows = list(_rows(schema, prefix))
    return [table(("field", "type", "", "meaning"), rows)] if rows else []


def _rows(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each field, and behind it those of the objects that it holds."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        must = "required" if name in required else ""
        yield code(f"{prefix}{name}"), _type(field), must, prose(field.get("description", ""))
        if "properties" in field:
            yield from _rows(field, f"{prefix}{name}.")
        elif "properties" in field.get("items", {}):
            yield from _rows(field["items"], f"{prefix}{name}[].")


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return code(field["$ref"].rpartition("/")[2])
    if "const" in field:
        return code(json.dumps(field["const"]))
    if "enum" in field:
        return " or ".join(code(json.dumps(value)) for value in field["enum"])
    choices = field.get("anyOf") or field.get("oneOf")
    if choices:
        return " or ".join(_type(choice) for choice in choices)
    return _plain_type(field)


def _plain_type(field: Mapping[str, Any]) -> str:
    named = field.get("type", "any")
    if named == "array":
        return f"list of {_type(field.get('items', {}))}"
    if named == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return " or ".join(named) if isinstance(named, list) else str(named)
