"""Small tools for convention files: keys that cover several sources, merging, and line numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.errors import ConventionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BRACES = re.compile(r"\{([^{}]*)\}")
MOST_SOURCES = 10_000
"""The maximum number of sources that one key, and all keys of a file, may cover."""
LONGEST_KEY = 1_000
"""The longest key of a rule, in characters."""

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]#]+?)\s*\]{1,2}\s*(?:#.*)?\Z")
_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|=)""")


def expand(key: str) -> Iterator[str]:
    """Yield the sources that a rule's key covers: ``a | b``, and ``{x,y}`` for each of several."""
    if len(key) > LONGEST_KEY:
        raise ConventionError(f"a rule's key of more than {LONGEST_KEY} characters: {key[:60]!r}...")
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
                        f"a rule's key covers more than {MOST_SOURCES} sources: {key[:60]!r}"
                    )
                yield text
                continue
            front, back = text[: braces.start()], text[braces.end() :]
            pending[:0] = [front + word.strip() + back for word in braces[1].split(",")]


def merge(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Merge two tables, key by key; the values in ``over`` take precedence."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def lines_of(text: str) -> dict[tuple[str, str], int]:
    """Return the line of each key of each table in a TOML text, and that of each table's header."""
    found: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = header[1].replace('"', "").replace("'", "")
            parts = table.split(".")
            for depth, name in enumerate(parts):
                found.setdefault((".".join(parts[:depth]), name), number)
            continue
        key = _KEY.match(line)
        if key:
            written = next(word for word in key.groups() if word is not None)
            found.setdefault((table, written), number)
    return found
