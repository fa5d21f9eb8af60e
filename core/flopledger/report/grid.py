"""Small tables of plain cells, for a terminal and for markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import markdown
from flopledger.report.columns import GAP, padded
from flopledger.report.numbers import plain_line, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BREAK = "\n"
"""Parts the lines of a cell that has several."""


def plain(headers: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> Iterator[str]:
    """Yield the lines of a table for a terminal; the columns ``right`` are flush right."""
    lines = [line for row in (headers, *rows) for line in _lines(row)]
    widths = [max(map(width_of, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [padded(cell, widths[i], right=i in right) for i, cell in enumerate(line)]
        yield (" " * GAP).join(cells).rstrip()


def _lines(row: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row's lines: as many as its longest cell has."""
    cells = [[plain_line(part) for part in cell.split(BREAK)] for cell in row]
    for i in range(max(map(len, cells))):
        yield [cell[i] if i < len(cell) else "" for cell in cells]


def marked(headers: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> Iterator[str]:
    """Yield the lines of a table in markdown."""
    rules = ["-:" if i in right else "-" for i in range(len(headers))]
    cells = [[_MARK.join(map(plain_line, cell.split(BREAK))) for cell in row] for row in rows]
    yield from (line.replace(_MARK, "<br>") for line in markdown.table(headers, rules, cells))


_MARK = "\ufdd0"
"""Stands for a line break while a cell is escaped; a noncharacter that no text holds."""
