"""Links from one document to another lead somewhere, in the repository as in the built documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?://)([^)\s]+)\)")
LISTED = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)
CODE = re.compile(r"^```(?!\{).*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TARGET = re.compile(r"^\((\S+)\)=$", re.MULTILINE)


@pytest.fixture(scope="module")
def documents(root: Path, reference: Path) -> dict[Path, str]:
    """The documents by where they lie, the generated ones where the build puts them."""
    found = [root / name for name in ("README.md", "CONTRIBUTING.md", "frontends/README.md")]
    found += [*(root / "benchmarks").glob("*.md"), *(root / "docs").rglob("*.md")]
    generated = root / "docs" / "reference" / "generated"
    own = {p: p for p in found if not p.is_relative_to(generated) and "_build" not in p.parts}
    made = {generated / path.relative_to(reference): path for path in reference.rglob("*.md")}
    return {place: path.read_text(encoding="utf-8") for place, path in (own | made).items()}


def anchors(text: str) -> set[str]:
    """Return the ends that a link into a document may have: its targets, and its headings as slugs."""
    titles = (re.sub(r"[^\w\s-]", "", title.lower()).strip() for title in HEADING.findall(text))
    return {*TARGET.findall(text), *(re.sub(r"\s", "-", title) for title in titles)}


def test_each_link_leads_somewhere(documents: dict[Path, str], root: Path) -> None:
    targets = {target for text in documents.values() for target in TARGET.findall(text)}
    broken = []
    for place, text in documents.items():
        for link in LINK.findall(CODE.sub("", text)):
            name, _, anchor = link.partition("#")
            base = root / "docs" if name.startswith("/") else place.parent
            found = (base / name.lstrip("/")).resolve() if name else place
            there = found in documents or found.exists()
            known = anchors(documents.get(found, "")) | (targets if not name else set())
            if not there or (anchor and anchor not in known):
                broken.append(f"{place.relative_to(root)}: {link}")
    assert broken == []


def test_each_page_is_listed_and_each_listed_page_is_there(documents: dict[Path, str], root: Path) -> None:
    listed = {root / "docs" / "index.md"}
    for place, text in documents.items():
        for block in LISTED.findall(text):
            names = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed |= {(place.parent / f"{name}.md").resolve() for name in names}
    assert listed == {place for place in documents if place.is_relative_to(root / "docs")}


def test_what_is_included_is_there(documents: dict[Path, str]) -> None:
    included = [(place.parent / name) for place, text in documents.items() for name in INCLUDED.findall(text)]
    assert included
    assert [path for path in included if not path.is_file()] == []
