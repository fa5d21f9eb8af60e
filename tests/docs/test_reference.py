"""Nothing goes undocumented: each command, hook, kind, convention, fact and field has a description."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import flopledger
import pytest
from flopledger.cli import COMMANDS, PROGRAM, group
from flopledger.conventions import facts, loader
from flopledger.conventions import names as convention_names
from flopledger.expressions.functions import FUNCTIONS
from flopledger.frontend import PROFILE, hookspecs
from flopledger.graph import tables as graph
from flopledger.kinds import Kind, builtin
from flopledger.kinds.kind import FACTS, PARTS
from flopledger.plugins.discovery import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.conventions.convention import Convention

PACKAGE = Path(flopledger.__file__).parent
SCHEMAS = sorted(PACKAGE.rglob("*schema*.json"))
OURS = [p for p in registry().plugins.values() if p.distribution == "flopledger"]
KINDS: dict[str, Kind] = dict(builtin()) | {k.name: k for p in OURS for k in p.hooks.kinds() or ()}
FILES = [
    *convention_names.FOLDER.glob("*.toml"),
    *(file for p in OURS for file in p.hooks.conventions() or ()),
]
HOOKS = [name for name, hook in vars(hookspecs).items() if hasattr(hook, "flopledger_spec")]


def command_of(name: str) -> click.Command:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def section(page: Path, heading: str) -> str:
    """Return the text of a page under a heading, to the next one of its level."""
    text = page.read_text(encoding="utf-8")
    assert f"\n{heading}\n" in text, f"{page.name} has no {heading!r}"
    rest = text.partition(f"\n{heading}\n")[2]
    return re.split(rf"^{'#' * heading.count('#')} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_section_with_its_options_and_examples(name: str, reference: Path) -> None:
    written = section(reference / "commands.md", f"## `{PROGRAM} {name}`")
    command = command_of(name)
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert command.help
    assert [o.name for o in options if not o.help] == []
    assert [o.name for o in options if not any(spelled in written for spelled in o.opts)] == []
    assert f"{PROGRAM} {name}" in written.partition("```sh")[2]


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_section_with_its_signature_and_docstring(name: str, reference: Path) -> None:
    hook = getattr(hookspecs, name)
    written = section(reference / "hooks.md", f"## `{name}`")
    assert f"def {name}(" in written
    assert [p for p in inspect.signature(hook).parameters if f"{p}: " not in written] == []
    assert (inspect.getdoc(hook) or "").split()[0] in written


def test_hooks_are_found() -> None:
    assert {"frontend", "read", "build", "kinds", "conventions"} <= set(HOOKS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_has_a_section_with_its_attributes_and_arithmetic(name: str, reference: Path) -> None:
    kind = KINDS[name]
    pages = [
        p for p in (reference / "kinds").glob("*.md") if f"\n## `{name}`\n" in p.read_text(encoding="utf-8")
    ]
    assert len(pages) == 1
    written = section(pages[0], f"## `{name}`")
    assert kind.doc
    assert [a.name for a in kind.attributes if not a.doc or f"| `{a.name}` |" not in written] == []
    assert "**Shapes**: " in written
    told = {"Free: ", "No formula: ", "**Parts**: ", "**Example**: "}
    assert any(word in written for word in told)
    assert f"[{name}](#kind-" in (reference / "kinds" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_convention_has_a_page_that_says_what_it_counts(file: Path, reference: Path) -> None:
    convention: Convention = loader.load(file)
    written = (reference / "conventions" / f"{file.stem}.md").read_text(encoding="utf-8")
    assert convention.title
    assert convention.description
    assert [name for name, switch in convention.switches.items() if not switch.doc] == []
    for heading in ("What it counts", "Reading", "The file"):
        assert f"\n## {heading}\n" in written
    assert ("\n## Where it differs from mac\n" in written) == (convention.name != "mac")
    assert [quirk for quirk in convention.quirks if quirk.split()[0].strip("'") not in written] == []
    assert file.read_text(encoding="utf-8") in written
    if convention.tool:
        assert convention.version or convention.source or "seed" in convention.tool


def test_each_value_of_a_profile_is_explained(root: Path) -> None:
    written = (root / "docs" / "explanation" / "profiles.md").read_text(encoding="utf-8")
    assert [key for key in PROFILE if f"\n`{key}`\n: " not in written] == []


def test_each_name_of_expressions_is_listed(reference: Path) -> None:
    written = (reference / "names.md").read_text(encoding="utf-8")
    names = {*facts.STRUCTURAL, *facts.PARAMETER_FACTS, *facts.TOTAL_FACTS, *FACTS, *PARTS}
    for kind in KINDS.values():
        names |= {*kind.fact_names, *(attribute.name for attribute in kind.attributes)}
    assert sorted(name for name in names if f"| `{name}` |" not in written) == []


def test_each_function_of_expressions_is_listed(reference: Path) -> None:
    table = section(reference / "names.md", "## Functions")
    listed = {word for row in table.splitlines() for word in re.findall(r"[a-z_0-9]+", row.split(" | ")[0])}
    assert sorted({*FUNCTIONS, "opt"} - listed) == []


@pytest.mark.parametrize("cls", [graph.Module, graph.Layer, graph.Tensor, graph.Parameter])
def test_each_table_of_the_graph_is_listed_with_its_fields(cls: type, reference: Path) -> None:
    written = section(reference / "graph.md", f"## `{cls.__name__}`")
    assert [name for name in cls.__annotations__ if f"| `{name}` |" not in written] == []


def test_each_public_name_of_the_library_is_listed(reference: Path) -> None:
    written = (reference / "library.md").read_text(encoding="utf-8")
    assert [name for name in flopledger.__all__ if f"`{name}`" not in written] == []


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field that a schema describes, with its place."""
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            yield f"{path}.{name}", field
        for key, inner in schema.items():
            yield from fields(inner, f"{path}.{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields(inner, path)


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_schema_says_of_each_field_what_it_is(file: Path, reference: Path) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    assert [path for path, field in fields(schema) if not field.get("description")] == []
    written = (reference / "json.md").read_text(encoding="utf-8")
    assert f"`flopledger/{file.relative_to(PACKAGE).as_posix()}`" in written
    assert [name for name in schema.get("$defs", {}) if f"### `{name}`" not in written] == []
