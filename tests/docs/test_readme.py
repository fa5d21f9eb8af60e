"""What the README says is supported is what is registered."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.plugins.discovery import registry

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(
    r"^\| `(?P<name>\w+)` \| (?P<reads>.+?) \| (?P<install>.+?) \| (?P<tools>.+?) \|$", re.MULTILINE
)


@pytest.fixture(scope="module")
def rows(root: Path) -> dict[str, dict[str, str]]:
    table = (root / "README.md").read_text(encoding="utf-8").partition("\n## What is supported\n")[2]
    return {row["name"]: row.groupdict() for row in ROW.finditer(table.partition("\n## ")[0])}


def test_each_frontend_that_is_registered_has_a_row(rows: dict[str, dict[str, str]], root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(rows) == sorted(project["entry-points"]["flopledger.frontends"])


def test_a_row_says_what_the_frontend_says_of_itself(rows: dict[str, dict[str, str]]) -> None:
    for name, row in rows.items():
        frontend = registry().plugins[name].frontend
        assert row["reads"] == frontend.reads
        needed = f"`pip install '.[{frontend.extra}]'`" if frontend.extra else "nothing more"
        assert row["install"].startswith(needed)


def test_each_convention_of_a_tool_stands_with_the_frontend_whose_networks_it_counts(
    rows: dict[str, dict[str, str]],
) -> None:
    listed = {name: re.findall(r"`([\w-]+)`", row["tools"]) for name, row in rows.items()}
    for name in convention_names.known():
        convention = loader.load(name)
        if convention.frameworks:
            assert [f for f in convention.frameworks if name not in listed[f]] == []
    assert {tool for tools in listed.values() for tool in tools} <= set(convention_names.known())
