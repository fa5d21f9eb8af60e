"""The writer of plain text, for files and terminals, with a terminal's styles if requested."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

from flopledger import printable
from flopledger.dims.arithmetic import total
from flopledger.report.blocks import Code, Grid, Heading, Line, Listing, Pairs, Rows, Small
from flopledger.report.columns import COLUMNS, GAP, WIDEST, fit, padded
from flopledger.report.numbers import grouped, width_of
from flopledger.report.rows import shown_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View
    from flopledger.report.blocks import Block, Cell
    from flopledger.report.rows import Node

Pieces: TypeAlias = "list[tuple[str, str]]"
"""A line in pieces, each with its style."""

PLAIN, STRONG, QUIET, ALARM, DRAWN = "", "bold", "dim", "bold yellow", "cyan"
LABEL = 10
"""The width of the labels of totals."""
INDENT = " " * 4


def write(blocks: Iterable[Block]) -> str:
    """Write blocks as text, an empty line between them."""
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in _lines(blocks))


def write_styled(blocks: Iterable[Block], width: int | None) -> str:
    """Write blocks with a terminal's styles: the only text with escape sequences, and they are rich's."""
    from rich.console import Console  # noqa: PLC0415  (only a terminal needs it)
    from rich.text import Text  # noqa: PLC0415

    console = Console(force_terminal=True, width=width, highlight=False)
    with console.capture() as capture:
        for line in _lines(blocks):
            console.print(Text.assemble(*line), soft_wrap=True)
    return capture.get()


def _lines(blocks: Iterable[Block]) -> Iterator[Pieces]:
    """Yield every line; the text of a block is escaped here, or before it is measured for a column."""
    started = False
    for block in blocks:
        written = list(_block(block))
        if written and started:
            yield []
        started = started or bool(written)
        yield from written


@functools.singledispatch
def _block(block: Block) -> Iterator[Pieces]:
    raise TypeError(f"no block: {block!r}")


@_block.register(Heading)
def _(block: Heading) -> Iterator[Pieces]:
    lines = (block.text,) if block.lines is None else block.lines
    yield from ([(printable.line(text), STRONG)] for text in lines)


@_block.register(Line)
def _(block: Line) -> Iterator[Pieces]:
    yield [(printable.line(block.text), PLAIN)]


@_block.register(Small)
def _(block: Small) -> Iterator[Pieces]:
    yield from ([(printable.line(text), QUIET)] for text in block.lines)


@_block.register(Pairs)
def _(block: Pairs) -> Iterator[Pieces]:
    for label, text in block.pairs:
        yield [(f"{printable.line(label):<{LABEL}}  ", STRONG), (printable.line(text), PLAIN)]


@_block.register(Listing)
def _(block: Listing) -> Iterator[Pieces]:
    return _titled(block.title, block.lines, ALARM if block.alarm else PLAIN)


@_block.register(Code)
def _(block: Code) -> Iterator[Pieces]:
    return _titled(block.titles["plain"], block.lines, PLAIN)


def _titled(title: str, lines: Sequence[str], style: str) -> Iterator[Pieces]:
    """Yield a title and indented lines, or nothing where there are no lines."""
    if lines:
        yield [(printable.line(title), style)]
    for line in lines:
        yield [(f"{INDENT}{printable.line(line)}" if line else "", PLAIN)]


@_block.register(Grid)
def _(block: Grid) -> Iterator[Pieces]:
    if block.title:
        yield [(printable.line(block.title), PLAIN)]
    lines = [line for row in (block.headers, *block.rows) for line in _cells(row)]
    widths = [max(map(width_of, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [padded(cell, widths[i], right=i in block.right) for i, cell in enumerate(line)]
        yield [((" " * GAP).join(cells), PLAIN if number else STRONG)]
    if block.more:
        yield [(printable.line(block.more), PLAIN)]


def _cells(row: Sequence[Cell]) -> Iterator[list[str]]:
    """Yield a row's lines: as many as its longest cell has."""
    cells = [[printable.line(part) for part in ((cell,) if isinstance(cell, str) else cell)] for cell in row]
    for i in range(max(map(len, cells))):
        yield [cell[i] if i < len(cell) else "" for cell in cells]


@_block.register(Rows)
def _(block: Rows) -> Iterator[Pieces]:
    ledger, view = block.ledger, block.view
    nodes = shown_nodes(ledger, view)
    table = [[printable.line(column.value(node, ledger)) for column in COLUMNS] for node in nodes]
    headers = [ledger.total.unit if column.header == "count" else column.header for column in COLUMNS]
    widths = [min(max(map(width_of, column)), WIDEST) for column in zip(headers, *table, strict=True)]
    kept, first = fit(COLUMNS, widths, view.width)
    widths[0] = first
    yield _row(headers, kept, widths, [STRONG] * len(COLUMNS))
    for node, cells in zip(nodes, table, strict=True):
        yield _row(cells, kept, widths, _styles(node))
    yield from _left_out(ledger, nodes, view)


def _row(cells: Sequence[str], kept: Sequence[int], widths: Sequence[int], styles: Sequence[str]) -> Pieces:
    line: Pieces = []
    for i in kept:
        line += [(padded(cells[i], widths[i], right=COLUMNS[i].right), styles[i]), (" " * GAP, PLAIN)]
    return line[:-1]


def _styles(node: Node) -> list[str]:
    status = "container" if node.row is None else node.row.status
    style = {"container": STRONG, "unknown": ALARM, "counted": PLAIN}.get(status, QUIET)
    return [DRAWN if not column.header else style for column in COLUMNS]


def _left_out(ledger: Ledger, nodes: Sequence[Node], view: View) -> Iterator[Pieces]:
    """Return the line that sums the rows hidden by ``top``, so that the table still adds up."""
    hidden = len(ledger.rows) - len(nodes)
    if view.top is None or hidden <= 0:
        return
    rest = ledger.listed - total(node.count for node in nodes)
    rows = "row" if hidden == 1 else "rows"
    yield [(f"... and {hidden:,} more {rows} with {grouped(rest)} {ledger.total.unit}", QUIET)]
