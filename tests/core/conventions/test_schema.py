"""The schema for editors accepts and refuses the same files as the loader."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.errors import ConventionError
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: dict[str, Any] = json.loads((convention_names.FOLDER / "schema.json").read_text())
FILES = sorted(convention_names.FOLDER.glob("*.toml"))

GOOD: dict[str, Any] = {
    "name": "x",
    "unit": "MAC",
    "total": "layer",
    "quirks": [],
    "profile": {"mode": "eval", "grad": True, "fast_paths": False},
    "switches": {"s": {"values": ["a"], "default": "a", "doc": "d", "aliases": {"b": "a"}}},
    "define": {"d": "macs"},
    "reduce": {"layer": {"where": "leaf", "times": 1, "match": "exact", "through": [], "unknown": "False"}},
    "rules": {"layer": {"*": "d"}},
    "params": {"over": "parameters", "where": True, "count": "numel", "trainable": "1", "buffers": "1"},
}
CHANGES: list[tuple[tuple[str, ...], Any]] = [
    ((), None),
    (("extra",), 1),
    (("unit",), "mac"),
    (("title",), 3),
    (("quirks",), "none"),
    (("quirks",), [1]),
    (("profile", "mode"), "both"),
    (("profile", "grad"), "yes"),
    (("profile", "speed"), True),
    (("switches", "s", "doc"), 1),
    (("switches", "s", "more"), 1),
    (("define", "d"), []),
    (("reduce", "layer", "match"), "loose"),
    (("reduce", "layer", "through"), "x"),
    (("reduce", "layer", "unknown"), []),
    (("reduce", "layer", "when"), "leaf"),
    (("reduce", "call"), {}),
    (("reduce", "any"), {"where": "leaf"}),
    (("rules", "any"), {"*": "macs"}),
    (("rules", "layer", "*"), 1.5),
    (("rules", "call"), {}),
    (("params", "over"), "rows"),
    (("params", "weights"), "1"),
    (("params", "non_trainable"), "0"),
]


def _changed(path: tuple[str, ...], value: object) -> dict[str, Any]:
    content = copy.deepcopy(GOOD)
    target = content
    for key in path[:-1]:
        target = target[key]
    if path:
        target[path[-1]] = value
    return content


def _toml(content: dict[str, Any], prefix: str = "") -> str:
    """Write nested dicts as TOML; json's texts, numbers and lists are TOML's too."""
    plain = [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in content.items() if not isinstance(v, dict)]
    tables = [
        f"[{prefix}{json.dumps(k)}]\n{_toml(v, f'{prefix}{json.dumps(k)}.')}"
        for k, v in content.items()
        if isinstance(v, dict)
    ]
    return "\n".join(plain + tables)


@pytest.mark.parametrize(
    ("path", "value"), CHANGES, ids=lambda x: ".".join(x) if isinstance(x, tuple) else ""
)
def test_schema_and_loader_accept_and_refuse_the_same(
    path: tuple[str, ...], value: object, tmp_path: Path
) -> None:
    content = _changed(path, value)
    file = tmp_path / "x.toml"
    file.write_text(_toml(content))
    assert tomllib.loads(file.read_text()) == content

    try:
        loader.load(file)
        loads = True
    except ConventionError:
        loads = False

    assert Draft202012Validator(SCHEMA).is_valid(content) is loads


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_shipped_convention_fits_the_schema(file: Path) -> None:
    Draft202012Validator(SCHEMA).validate(tomllib.loads(file.read_text()))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
