"""Pieces of MyST pages, and docstrings as such pieces."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING

from pages.formulas import is_formula, tex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GENERATED = "% Written by docs/pages from flopledger itself; changes here are lost.\n\n"

_LITERAL = re.compile(r"``(.+?)``|:[a-z]+:`~?(?:[\w.]+\.)?(\w+)`")
_SECTION = re.compile(r"(Args|Returns|Raises|Yields|Attributes|Examples):\s*")
_ENTRY = re.compile(r"(\w+): (.*)")
_SPECIAL = re.compile(r"([\\$<\[])")


def page(title: str, *blocks: str) -> str:
    """Put a page together."""
    return f"{GENERATED}# {title}\n\n" + "\n\n".join(block for block in blocks if block) + "\n"


def code(text: str) -> str:
    """Write a text as code."""
    return f"`{text}`"


def block(text: str, language: str = "text") -> str:
    """Write a text as a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def bullets(items: Iterable[str]) -> str:
    """Write a list."""
    return "\n".join(f"- {item}" for item in items)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; of no rows, nothing."""
    lines = [" | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) for row in rows]
    if not lines:
        return ""
    rule = " | ".join("---" for _ in header)
    return "\n".join(f"| {line} |" for line in (" | ".join(header), rule, *lines))


def toctree(names: Iterable[str]) -> str:
    """Name the pages below this one, for the navigation alone."""
    return "```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```"


def prose(text: str, *, formulas: bool = False) -> str:
    """Turn a docstring's markup into MyST; with ``formulas`` those become mathematics, else code."""
    written, place = [], 0
    for match in _LITERAL.finditer(text):
        written += [_plain(text[place : match.start()]), _literal(match, formulas=formulas)]
        place = match.end()
    return "".join((*written, _plain(text[place:])))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _literal(match: re.Match[str], *, formulas: bool) -> str:
    if match[1] is None:
        return code(match[2])
    return f"${tex(match[1])}$" if formulas and is_formula(match[1]) else code(match[1])


def documentation(thing: object, *, formulas: bool = False) -> str:
    """Return the docstring of a module, class or function as MyST."""
    return paragraphs(inspect.getdoc(thing) or "", formulas=formulas)


def paragraphs(text: str, *, formulas: bool = False) -> str:
    """Turn a docstring into MyST, block by block."""
    blocks: list[str] = []
    shown: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip("\n")) if text else ():
        if part.startswith(" ") and blocks:
            shown.append(part)
            continue
        blocks += _shown(shown)
        blocks.append(_paragraph(part.splitlines(), formulas=formulas))
        shown = []
    return "\n\n".join((*blocks, *_shown(shown)))


def _shown(parts: Sequence[str]) -> list[str]:
    """Put the parts of an indented block together."""
    return [block(textwrap.dedent("\n\n".join(parts)))] if parts else []


def _paragraph(lines: Sequence[str], *, formulas: bool) -> str:
    section = _SECTION.fullmatch(lines[0])
    if section:
        return _section(section[1], lines[1:])
    text = " ".join(lines)
    return prose(text.removesuffix("::") + ":" if text.endswith("::") else text, formulas=formulas)


def _section(title: str, lines: Sequence[str]) -> str:
    """Write a section of a docstring: a list of its entries, else a paragraph."""
    entries: list[str] = []
    for line in textwrap.dedent("\n".join(lines)).splitlines():
        entry = None if line.startswith(" ") else _ENTRY.fullmatch(line)
        if entry:
            entries.append(f"`{entry[1]}`: {entry[2]}")
        elif entries and line.startswith(" "):
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line)
    listed = [_entry(entry) for entry in entries]
    if all(entry.startswith("`") for entry in listed):
        return f"**{title}**\n\n{bullets(listed)}"
    return f"**{title}** " + " ".join(listed)


def _entry(entry: str) -> str:
    name, colon, rest = entry.partition("`: ")
    return f"{name}`: {prose(rest)}" if colon and name.startswith("`") else prose(entry)
