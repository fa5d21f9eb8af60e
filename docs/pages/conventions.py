"""The pages of the conventions: one for each file, made of its contents and the file itself."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.plugins import discovery as plugins
from flopledger.report.convention_page import page as described

from pages.kinds import DISTRIBUTION
from pages.markup import block, bullets, code, page, prose, table, toctree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.conventions.convention import Convention

SECTIONS = ("What it counts", "The names in its formulas", "Where it differs from mac")
"""The parts of the command's own page that are repeated here."""


def loaded() -> list[Convention]:
    """Return our conventions, those of our frontends too, in the order of their names."""
    own = [
        file
        for plugin in plugins.registry().plugins.values()
        if plugin.distribution == DISTRIBUTION
        for file in plugin.hooks.conventions() or ()
    ]
    return [loader.load(name) for name in convention_names.known(own)]


def pages() -> Mapping[str, str]:
    """Return a page for each convention, their list, and the grammar of their files."""
    found = {f"conventions/{convention.name}": _page(convention) for convention in loaded()}
    return {"conventions/index": _index(), "conventions/grammar": _grammar(), **found}


def _grammar() -> str:
    """Return the page that lies beside the files."""
    title, _, text = (convention_names.FOLDER / "README.md").read_text(encoding="utf-8").partition("\n")
    return page(title.removeprefix("# "), text.strip())


def _index() -> str:
    own = [convention for convention in loaded() if not convention.tool]
    others = [convention for convention in loaded() if convention.tool]
    return page(
        "Conventions",
        "A convention says what a figure counts. `flopledger conventions NAME` prints what these pages say.",
        "## Our own",
        _list(own),
        "## Of tools and documents",
        "They give what the tool prints, with its quirks. *Networks* are those that the tool reads; where "
        "none are named, the convention counts any network.",
        _list(others),
        "[The grammar](grammar.md) describes how a file is written, "
        "and [names](../names.md) what its expressions may use.",
        toctree(c.name for c in (*own, *others)),
    )


def _list(found: list[Convention]) -> str:
    rows = [
        (f"[{c.name}]({c.name}.md)", c.unit, prose(c.title), ", ".join(c.frameworks) or "any") for c in found
    ]
    return table(("name", "unit", "what it is", "networks"), rows)


def _page(convention: Convention) -> str:
    sections = _sections(described(convention.name))
    shown = [f"## {name}\n\n{block(sections[name])}" for name in SECTIONS if name in sections]
    return page(
        code(convention.name),
        f"**{prose(convention.title)}**",
        table(("", ""), _head(convention)),
        prose(" ".join(convention.description.split())),
        *shown,
        _quirks(convention),
        _switches(convention),
        _reading(convention),
        _printout(convention),
        "## The file",
        block(Path(convention.path).read_text(encoding="utf-8"), "toml"),
    )


def _head(convention: Convention) -> list[tuple[str, str]]:
    fields = {
        "unit": convention.unit,
        "tool": prose(convention.tool),
        "version": prose(convention.version),
        "source": prose(convention.source),
        "networks": ", ".join(convention.frameworks) or "any",
    }
    return [(name, value) for name, value in fields.items() if value]


def _sections(text: str) -> dict[str, str]:
    """Split the command's page at its headings, which are the only lines that are not indented."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            current = line
        found.setdefault(current, []).append(line)
    return {name: textwrap.dedent("\n".join(lines[1:])).strip() for name, lines in found.items()}


def _quirks(convention: Convention) -> str:
    return f"## Quirks\n\n{bullets(map(prose, convention.quirks))}" if convention.quirks else ""


def _switches(convention: Convention) -> str:
    rows = [
        (code(name), " or ".join(map(code, switch.values)), code(switch.default), prose(switch.doc))
        for name, switch in convention.switches.items()
    ]
    if not rows:
        return ""
    return "## Switches\n\nChanged by `--set NAME=VALUE`, in Python by a keyword argument.\n\n" + table(
        ("switch", "values", "default", "what it decides"), rows
    )


def _reading(convention: Convention) -> str:
    if not convention.profile:
        return "## Reading\n\nIt counts any reading of a network; see [profiles](/explanation/profiles.md)."
    needs = (f"{code(name)} is {code(str(value).lower())}" for name, value in convention.profile.items())
    head = "It needs a reading ([profiles](/explanation/profiles.md)) in which"
    return f"## Reading\n\n{head}\n\n{bullets(needs)}"


def _printout(convention: Convention) -> str:
    if not convention.print:
        return ""
    return "## The tool's own table\n\nWith `--format tool` a result looks as the tool prints it."
