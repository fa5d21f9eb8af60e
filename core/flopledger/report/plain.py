"""The writer of plain text, for files and terminals, with a terminal's styles if requested."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flopledger import printable
from flopledger.records import dataclass
from flopledger.report.blocks import Code, Grid, Heading, Line, Listing, Pairs, Rows, Small
from flopledger.report.columns import GAP, WIDEST, fit, of_view, padded
from flopledger.report.grids import INDENT, laid_out, records
from flopledger.report.numbers import width_of
from flopledger.report.rows import shown_lines
from flopledger.report.wrapping import NARROWEST, wrapped

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


def write(blocks: Iterable[Block], width: int | None = None) -> str:
    """Write blocks as text, an empty line between them; no line is wider than ``width``, but for code."""
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
    room = None if width is None else max(width, NARROWEST)
    started = False
    for block in blocks:
        written = list(_block(block, room))
        if written and started:
            yield []
        started = started or bool(written)
        yield from written


def _wrapped(text: str, style: str, width: int | None, indent: str = "") -> Iterator[Pieces]:
    """Yield a text in lines that are no wider than there is room for, broken between words only."""
    yield from ([(line, style)] for line in wrapped(indent + printable.line(text), width, indent))


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
    for stands_out, line in laid_out(rows, block.right, width):
        yield [(line, STRONG if stands_out else PLAIN)]
    if block.more:
        yield from _wrapped(block.more, PLAIN, width)


def _escaped(row: Sequence[Cell]) -> list[tuple[str, ...]]:
    return [tuple(map(printable.line, (cell,) if isinstance(cell, str) else cell)) for cell in row]


@_block.register(Rows)
def _(block: Rows, width: int | None) -> Iterator[Pieces]:
    view = replace(block.view, width=width)
    shown = shown_lines(block.ledgers, view)
    layout = whole = _layout(block.ledgers, shown.lines, view)
    if not layout.fits:  # figures are never cut: with many conventions they are written in short instead
        layout = _layout(block.ledgers, shown.lines, replace(view, units="auto"))
    if not layout.fits:
        layout = layout.with_high_headers()
    notes = [*shown.notes]
    if layout.fits:
        yield from layout.lines(shown.lines)
        notes += _left_out(layout.dropped, short=layout is not whole and view.units == "raw")
    else:
        yield from whole.records()
    for note in notes:
        yield from _wrapped(note, QUIET, width)


@dataclass(frozen=True, slots=True)
class _Layout:
    """A table of a network on a terminal: its columns, headers and cells, and which of them have room."""

    columns: Sequence[Column]
    headers: Sequence[tuple[str, ...]]
    table: Sequence[Sequence[str]]
    widths: Sequence[int]
    kept: Sequence[int]
    room: int | None

    @property
    def fits(self) -> bool:
        taken = sum(self.widths[i] for i in self.kept) + GAP * (len(self.kept) - 1)
        return self.room is None or taken <= self.room

    @property
    def dropped(self) -> list[str]:
        """The headers of the columns that have no room."""
        return [one.header for i, one in enumerate(self.columns) if i not in self.kept and one.header]

    def with_high_headers(self) -> _Layout:
        """Put each word of a header on a line of its own."""
        headers = [tuple(column.header.split(" ")) for column in self.columns]
        cells = zip(*self.table, strict=True)
        widths = [max(map(width_of, (*high, *low))) for high, low in zip(headers, cells, strict=True)]
        return replace(self, headers=headers, widths=[self.widths[0], *widths[1:]])

    def lines(self, lines: Sequence[TableLine]) -> Iterator[Pieces]:
        """Yield the headers, and a line for each row, below its name where that is too long."""
        for number in range(max(map(len, self.headers))):
            words = [header[number] if number < len(header) else "" for header in self.headers]
            yield self._line(words, [STRONG] * len(self.columns))
        for line, cells in zip(lines, self.table, strict=True):
            styles = _styles(line, self.columns)
            if self.room is not None and width_of(cells[0]) > self.widths[0]:
                indent = cells[0][: len(cells[0]) - len(cells[0].lstrip(" "))]
                yield from ([(name, styles[0])] for name in wrapped(cells[0], self.room, indent))
                yield self._line(["", *cells[1:]], styles)
            else:
                yield self._line(cells, styles)

    def records(self) -> Iterator[Pieces]:
        """Yield a record for each row: a line for each cell beneath its name, and none of the bars."""
        named = [i for i, column in enumerate(self.columns) if column.header]
        rows = [[(row[i],) for i in named] for row in ([one.header for one in self.columns], *self.table)]
        for title, line in records(rows, frozenset(), self.room or NARROWEST):
            yield [(line, STRONG if title else PLAIN)]

    def _line(self, cells: Sequence[str], styles: Sequence[str]) -> Pieces:
        line: Pieces = []
        for i in self.kept:
            cell = padded(cells[i], self.widths[i], right=self.columns[i].right)
            line += [(cell, styles[i]), (" " * GAP, PLAIN)]
        return line[:-1]


def _layout(ledgers: Sequence[Ledger], lines: Sequence[TableLine], view: View) -> _Layout:
    columns = [replace(one, header=printable.line(one.header)) for one in of_view(ledgers, view)]
    table = [[printable.line(column.value(line)) for column in columns] for line in lines]
    headers = [column.header for column in columns]
    widths = [min(max(map(width_of, cells)), WIDEST) for cells in zip(headers, *table, strict=True)]
    kept, first = fit(columns, widths, view.width)
    return _Layout(columns, [(one,) for one in headers], table, [first, *widths[1:]], kept, view.width)


def _left_out(dropped: Sequence[str], *, short: bool) -> Iterator[str]:
    """Yield the notes on columns that the terminal's width left out or cut."""
    if dropped:
        yield f"No room for {', '.join(dropped)}: choose with --columns, or write to a file."
    if short:
        yield "No room for figures in full: fewer columns or conventions, or write to a file."


def _styles(line: TableLine, columns: Sequence[Column]) -> list[str]:
    status = "container" if line.row is None else line.row.status
    style = {"container": STRONG, "unknown": ALARM, "counted": PLAIN}.get(status, QUIET)
    return [DRAWN if not column.header else style for column in columns]
