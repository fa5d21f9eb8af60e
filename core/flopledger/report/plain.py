"""The writer of plain text, for files and terminals, with a terminal's styles if requested."""

from __future__ import annotations

import functools
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flopledger import printable
from flopledger.report.blocks import Code, Grid, Heading, Line, Listing, Pairs, Rows, Small
from flopledger.report.columns import GAP, NARROWEST, WIDEST, fit, of_view, padded
from flopledger.report.numbers import width_of
from flopledger.report.rows import shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View
    from flopledger.report.blocks import Block, Cell
    from flopledger.report.columns import Column
    from flopledger.report.tree import Line as TableLine

Pieces: TypeAlias = "list[tuple[str, str]]"
"""A line in pieces, each with its style."""

PLAIN, STRONG, QUIET, ALARM, DRAWN = "", "bold", "dim", "bold yellow", "cyan"
LABEL = 10
"""The width of the labels of totals."""
INDENT = " " * 4


def write(blocks: Iterable[Block], width: int | None = None) -> str:
    """Write blocks as text, an empty line between them; no line is wider unless a word or a figure is."""
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in _lines(blocks, width))


def write_styled(blocks: Iterable[Block], width: int | None) -> str:
    """Write blocks with a terminal's styles: the only text with escape sequences, and they are rich's."""
    from rich.console import Console  # noqa: PLC0415  (only a terminal needs it)
    from rich.text import Text  # noqa: PLC0415

    console = Console(force_terminal=True, width=width, highlight=False)
    with console.capture() as capture:
        for line in _lines(blocks, width):
            console.print(Text.assemble(*line), soft_wrap=True)
    return capture.get()


def _lines(blocks: Iterable[Block], width: int | None) -> Iterator[Pieces]:
    """Yield every line; the text of a block is escaped here, or before it is measured for a column."""
    started = False
    for block in blocks:
        written = list(_block(block, width))
        if written and started:
            yield []
        started = started or bool(written)
        yield from written


def _wrapped(text: str, style: str, width: int | None, indent: str = "") -> Iterator[Pieces]:
    """Yield a text in lines that are no wider than there is room for, broken between words only."""
    written = printable.line(text)
    if width is None or width_of(indent + written) <= width:
        yield [(indent + written, style)]
        return
    lines = textwrap.wrap(
        written, max(width - len(indent), 1), break_long_words=False, break_on_hyphens=False
    )
    yield from ([(indent + line, style)] for line in lines)


@functools.singledispatch
def _block(block: Block, _: int | None) -> Iterator[Pieces]:
    raise TypeError(f"no block: {block!r}")


@_block.register(Heading)
def _(block: Heading, width: int | None) -> Iterator[Pieces]:
    for text in (block.text,) if block.lines is None else block.lines:
        yield from _wrapped(text, STRONG, width)


@_block.register(Line)
def _(block: Line, width: int | None) -> Iterator[Pieces]:
    yield from _wrapped(block.text, PLAIN, width)


@_block.register(Small)
def _(block: Small, width: int | None) -> Iterator[Pieces]:
    for text in block.lines:
        yield from _wrapped(text, QUIET, width)


@_block.register(Pairs)
def _(block: Pairs, width: int | None) -> Iterator[Pieces]:
    for label, text in block.pairs:
        room = None if width is None else width - LABEL - GAP
        first, *more = _wrapped(text, PLAIN, room)
        yield [(f"{printable.line(label):<{LABEL}}  ", STRONG), *first]
        yield from ([(" " * (LABEL + GAP), PLAIN), *line] for line in more)


@_block.register(Listing)
def _(block: Listing, width: int | None) -> Iterator[Pieces]:
    if block.lines:
        yield from _wrapped(block.title, ALARM if block.alarm else PLAIN, width)
    for line in block.lines:
        yield from _wrapped(line, PLAIN, width, INDENT)


@_block.register(Code)
def _(block: Code, width: int | None) -> Iterator[Pieces]:
    """Yield a title and indented lines, which are not wrapped: they are copied into a file."""
    if block.lines:
        yield from _wrapped(block.titles["plain"], PLAIN, width)
    for line in block.lines:
        yield [(f"{INDENT}{printable.line(line)}" if line else "", PLAIN)]


@_block.register(Grid)
def _(block: Grid, width: int | None) -> Iterator[Pieces]:
    if block.title:
        yield from _wrapped(block.title, PLAIN, width)
    rows = [_escaped(row) for row in (block.headers, *block.rows)]
    widths = [max(width_of(part) for cell in column for part in cell) for column in zip(*rows, strict=True)]
    if width is not None:
        rows = _narrowed(rows, widths, block.right, width)
    tight = width is not None and sum(widths) + GAP * (len(widths) - 1) > width
    if width is not None and block.right and sum(widths) + len(widths) - 1 > width:
        yield from _records(rows, width)
        rows = []
    for number, row in enumerate(rows):
        for i in range(max(map(len, row))):
            line = [cell[i] if i < len(cell) else "" for cell in row]
            cells = [padded(cell, widths[j], right=j in block.right) for j, cell in enumerate(line)]
            yield [((" " if tight else " " * GAP).join(cells), PLAIN if number else STRONG)]
    if block.more:
        yield from _wrapped(block.more, PLAIN, width)


def _records(rows: Sequence[list[tuple[str, ...]]], width: int) -> Iterator[Pieces]:
    """Yield each row under its first cell, a figure a line: figures are never cut, and lines end in time."""
    headers, *others = rows
    for first, *cells in others:
        yield from (line for part in first for line in _wrapped(part, STRONG, width))
        for header, cell in zip(headers[1:], cells, strict=True):
            for part in filter(None, cell):
                yield from _wrapped(f"{' '.join(header)}: {part}", PLAIN, width, INDENT)


def _escaped(row: Sequence[Cell]) -> list[tuple[str, ...]]:
    return [tuple(map(printable.line, (cell,) if isinstance(cell, str) else cell)) for cell in row]


def _narrowed(
    rows: Sequence[list[tuple[str, ...]]], widths: list[int], right: frozenset[int], room: int
) -> list[list[tuple[str, ...]]]:
    """Wrap the widest columns of words until the table fits, as far as words allow; change their widths."""
    narrowed = [list(row) for row in rows]
    left = [i for i in range(len(widths)) if i not in right]
    for i in sorted(left, key=lambda i: -widths[i]):
        over = sum(widths) + GAP * (len(widths) - 1) - room
        if over > 0:
            target = max(widths[i] - over, NARROWEST)
            for row in narrowed:
                row[i] = tuple(_broken(row[i], target))
            widths[i] = max(width_of(part) for row in narrowed for part in row[i])
    return narrowed


def _broken(cell: Sequence[str], width: int) -> Iterator[str]:
    for part in cell:
        if width_of(part) <= width:
            yield part
        else:
            yield from textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False)


@_block.register(Rows)
def _(block: Rows, width: int | None) -> Iterator[Pieces]:
    view = replace(block.view, width=width)
    shown = shown_lines(block.ledgers, view)
    columns, table, widths = _table(block.ledgers, shown.lines, view)
    kept, first = fit(columns, widths, width)
    short = view.units == "raw" and width is not None and _taken(widths, kept, first) > width
    if short:  # figures are never cut: with many conventions they are written in short instead
        columns, table, widths = _table(block.ledgers, shown.lines, replace(view, units="auto"))
        kept, first = fit(columns, widths, width)
    widths[0] = first
    headers: list[tuple[str, ...]] = [(column.header,) for column in columns]
    if width is not None and _taken(widths, kept, first) > width:  # each word of a header on its own line
        headers = [tuple(column.header.split(" ")) for column in columns]
        for i in kept[1:]:
            widths[i] = max(map(width_of, (*headers[i], *(cells[i] for cells in table))))
    for number in range(max(map(len, headers))):
        words = [header[number] if number < len(header) else "" for header in headers]
        yield _row(words, kept, widths, columns, [STRONG] * len(columns))
    for line, cells in zip(shown.lines, table, strict=True):
        yield _row(cells, kept, widths, columns, _styles(line, columns))
    dropped = [column.header for i, column in enumerate(columns) if i not in kept and column.header]
    for note in (*shown.notes, *_left_out(dropped, short=short)):
        yield from _wrapped(note, QUIET, width)


def _table(
    ledgers: Sequence[Ledger], lines: Sequence[TableLine], view: View
) -> tuple[list[Column], list[list[str]], list[int]]:
    """Return the columns of a table, its cells, and the width of each column."""
    columns = [replace(one, header=printable.line(one.header)) for one in of_view(ledgers, view)]
    table = [[printable.line(column.value(line)) for column in columns] for line in lines]
    headers = [column.header for column in columns]
    return columns, table, [min(max(map(width_of, c)), WIDEST) for c in zip(headers, *table, strict=True)]


def _taken(widths: Sequence[int], kept: Sequence[int], first: int) -> int:
    return first + sum(widths[i] + GAP for i in kept[1:])


def _left_out(dropped: Sequence[str], *, short: bool) -> Iterator[str]:
    """Yield the notes on columns that the terminal's width left out or cut."""
    if dropped:
        yield f"No room for {', '.join(dropped)}: choose with --columns, or write to a file."
    if short:
        yield "No room for figures in full: fewer conventions, or write to a file."


def _row(
    cells: Sequence[str],
    kept: Sequence[int],
    widths: Sequence[int],
    columns: Sequence[Column],
    styles: Sequence[str],
) -> Pieces:
    line: Pieces = []
    for i in kept:
        line += [(padded(cells[i], widths[i], right=columns[i].right), styles[i]), (" " * GAP, PLAIN)]
    return line[:-1]


def _styles(line: TableLine, columns: Sequence[Column]) -> list[str]:
    status = "container" if line.row is None else line.row.status
    style = {"container": STRONG, "unknown": ALARM, "counted": PLAIN}.get(status, QUIET)
    return [DRAWN if not column.header else style for column in columns]
