"""The layout of a table in plain text: in columns where there is room for them, else a record for each row.

Columns of words are wrapped first, no narrower than their longest word; then the gaps are narrowed. What has
no room even then is written row by row, a cell a line, so that no figure is cut and no word is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from flopledger.report.columns import GAP, NARROWEST, padded
from flopledger.report.numbers import width_of
from flopledger.report.wrapping import longest_word, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Parts: TypeAlias = "tuple[str, ...]"
"""A cell: its lines."""

INDENT = " " * 4
WIDEST = 2_000
"""The widest column; a longer cell is written as it is, and the others are not filled up to it."""


def laid_out(
    rows: Sequence[Sequence[Parts]], right: frozenset[int], room: int | None
) -> Iterator[tuple[bool, str]]:
    """Yield the lines of a table, whose first row are its headers, and whether each stands out.

    Args:
        rows: The cells, their invisible characters escaped already.
        right: The columns that are flush right: figures, which are never wrapped.
        room: The columns of the terminal; None for no limit.
    """
    widths = [
        min(max(width_of(part) for cell in column for part in cell), WIDEST)
        for column in zip(*rows, strict=True)
    ]
    gap = GAP
    columns = [list(row) for row in rows]
    if room is not None:
        _narrow(columns, widths, right, room)
        gap = 1 if _taken(widths, GAP) > room and _apart(len(widths), right) else GAP
        if _taken(widths, gap) > room:
            yield from records(rows, right, room)
            return
    for number, row in enumerate(columns):
        for i in range(max(map(len, row))):
            cells = [cell[i] if i < len(cell) else "" for cell in row]
            written = [
                cell if len(cell) > WIDEST else padded(cell, widths[j], right=j in right)
                for j, cell in enumerate(cells)
            ]
            yield not number, (" " * gap).join(written)


def _taken(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _apart(columns: int, right: frozenset[int]) -> bool:
    """Return whether figures separate the columns of words, so that one blank between columns is enough."""
    return all(i in right or i + 1 in right for i in range(columns - 1))


def _narrow(rows: Sequence[list[Parts]], widths: list[int], right: frozenset[int], room: int) -> None:
    """Wrap the widest columns of words until the table fits, as far as words allow; change their widths."""
    left = [i for i in range(len(widths)) if i not in right]
    for i in sorted(left, key=lambda i: -widths[i]):
        over = _taken(widths, GAP) - room
        if over > 0:
            words = max(longest_word(part) for row in rows for part in row[i])
            target = max(widths[i] - over, words, min(NARROWEST, widths[i]))
            for row in rows:
                row[i] = tuple(line for part in row[i] for line in wrapped(part, target))
            widths[i] = max(width_of(part) for row in rows for part in row[i])


def records(rows: Sequence[Sequence[Parts]], right: frozenset[int], room: int) -> Iterator[tuple[bool, str]]:
    """Yield each row as a record: a line for each cell, after its header, the first with the row's indent."""
    headers, *others = rows
    for row in others:
        first = row[0][0]
        base = "" if 0 in right else first[: len(first) - len(first.lstrip(" "))]
        begun = not any(row[0]) and 0 not in right  # it goes on with the record above
        for i, cell in enumerate(row):
            label = " ".join(filter(None, headers[i]))
            parts = [part.strip(" ") for part in cell if part]
            for number, part in enumerate(parts):
                indent = base + (INDENT if begun else "")
                text = f"{label}: {part}" if label and not number else part
                deeper = INDENT if label and number else ""
                lines = wrapped(indent + deeper + text, room, indent + INDENT)
                yield from [(not begun, line) for line in lines]
            begun = begun or bool(parts)
