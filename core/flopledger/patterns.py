"""Small tools for convention files: keys that stand for several sources, merging, and line numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.errors import ConventionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BRACES = re.compile(r"\{([^{}]*)\}")
MOST_SOURCES = 10_000
"""The most sources that one key may stand for."""

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]#]+?)\s*\]{1,2}\s*(?:#.*)?\Z")
_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|=)""")


def expand(key: str) -> Iterator[str]:
    """Yield the sources that a rule's key stands for: ``a | b``, and ``{x,y}`` for each of several."""
    count = 0
    for part in key.split("|"):
        pending = [part.strip()]
        while pending:
            text = pending.pop(0)
            braces = _BRACES.search(text)
            if braces is None:
                count += 1
                if count > MOST_SOURCES:
                    raise ConventionError(
                        f"a rule's key stands for more than {MOST_SOURCES} sources: {key[:60]!r}"
                    )
                yield text
                continue
            front, back = text[: braces.start()], text[braces.end() :]
            pending[:0] = [front + word.strip() + back for word in braces[1].split(",")]


def merge(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Merge two tables, key by key; what ``over`` says wins."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def line_of(text: str, table: str, key: str) -> int:
    """Return the line on which a key of a table stands in a TOML text, or 0."""
    current = ""
    tables = {table, re.sub(r"^(rules|reduce)\..*", r"\1.any", table)}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            current = header[1].replace('"', "").replace("'", "")
            if current == (f"{table}.{key}" if table else key):
                return number
            continue
        found = _KEY.match(line) if current in tables else None
        if found:
            written = next(word for word in found.groups() if word is not None)
            if written == key or key in expand(written):
                return number
    return 0
