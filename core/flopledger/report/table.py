"""The table for people: a tree of the network, totals by name, and what stands under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims.arithmetic import total
from flopledger.report import notes
from flopledger.report.columns import COLUMNS, GAP, WIDEST, fit, padded
from flopledger.report.numbers import grouped, plain_line, width_of
from flopledger.report.rows import shown_nodes
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View
    from flopledger.report.rows import Node

Line: TypeAlias = "list[tuple[str, str]]"
"""A line in pieces, each with its style."""

PLAIN, STRONG, QUIET, ALARM, DRAWN = "", "bold", "dim", "bold yellow", "cyan"


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render a table for each ledger, and a summary under several."""
    lines: list[Line] = []
    for given in ledgers:
        ledger, names = with_names(given)
        lines += [[(notes.heading(ledger), STRONG)], [], *_table(ledger, view), *_notes(ledger, names), []]
    if len(ledgers) > 1:
        lines += [*_grid(notes.summary(ledgers)), []]
    return _styled(lines[:-1], view) if view.color else _text(lines[:-1])


def _text(lines: Sequence[Line]) -> str:
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines)


def _styled(lines: Sequence[Line], view: View) -> str:
    """Render with a terminal's styles."""
    from rich.console import Console  # noqa: PLC0415  (only a terminal needs it)
    from rich.text import Text  # noqa: PLC0415

    console = Console(force_terminal=True, width=view.width, highlight=False)
    with console.capture() as capture:
        for line in lines:
            console.print(Text.assemble(*line), soft_wrap=True)
    return capture.get()


def _table(ledger: Ledger, view: View) -> Iterator[Line]:
    nodes = shown_nodes(ledger, view)
    table = [[column.value(node, ledger) for column in COLUMNS] for node in nodes]
    headers = [ledger.total.unit if column.header == "count" else column.header for column in COLUMNS]
    widths = [min(max(map(width_of, column)), WIDEST) for column in zip(headers, *table, strict=True)]
    kept, first = fit(COLUMNS, widths, view.width)
    widths[0] = first
    yield _line(headers, kept, widths, [STRONG] * len(COLUMNS))
    for node, cells in zip(nodes, table, strict=True):
        yield _line(cells, kept, widths, _styles(node))
    yield from _left_out(ledger, nodes, view)


def _line(cells: Sequence[str], kept: Sequence[int], widths: Sequence[int], styles: Sequence[str]) -> Line:
    line: Line = []
    for i in kept:
        line += [(padded(cells[i], widths[i], right=COLUMNS[i].right), styles[i]), (" " * GAP, PLAIN)]
    return line[:-1]


def _styles(node: Node) -> list[str]:
    status = "container" if node.row is None else node.row.status
    style = {"container": STRONG, "unknown": ALARM, "counted": PLAIN}.get(status, QUIET)
    return [DRAWN if not column.header else style for column in COLUMNS]


def _left_out(ledger: Ledger, nodes: Sequence[Node], view: View) -> Iterator[Line]:
    """Say what a table cut by ``top`` does not show, so that it still adds up."""
    hidden = len(ledger.rows) - len(nodes)
    if view.top is None or hidden <= 0:
        return
    rest = ledger.listed - total(node.count for node in nodes)
    rows = "row" if hidden == 1 else "rows"
    yield [(f"... and {hidden:,} more {rows} with {grouped(rest)} {ledger.total.unit}", QUIET)]


def _notes(ledger: Ledger, names: Mapping[str, str]) -> Iterator[Line]:
    yield []
    for label, figure in notes.totals(ledger):
        yield [(f"{label:<10}  ", STRONG), (figure, PLAIN)]
    yield from _block("where", [f"{name} = {size}" for name, size in names.items()], PLAIN)
    adjustments = notes.adjustments(ledger)
    yield from _block("In the total beside the rows:", adjustments, PLAIN)
    yield from _block("Levels disagree:", notes.disagreements(ledger), ALARM)
    yield from _block("Notes on the reading:", map(plain_line, ledger.graph.reading.notes), PLAIN)
    unknown = notes.unknowns(ledger)
    title = "Unknown, so not in the total (no formula for them):"
    yield from _block(title, unknown, ALARM)
    title = "To price them, save this as mine.toml with the operations of one call, and use -c ./mine.toml:"
    yield from _block(title, notes.stub(ledger), PLAIN)
    yield []
    yield [(notes.provenance(ledger), QUIET)]


def _block(title: str, lines: Iterator[str] | Sequence[str] | map[str], style: str) -> Iterator[Line]:
    """Yield a titled block, or nothing where it has no lines."""
    for number, line in enumerate(lines):
        if number == 0:
            yield []
            yield [(title, style)]
        yield [(f"    {line}" if line else "", PLAIN)]


def _grid(rows: Sequence[Sequence[str]]) -> Iterator[Line]:
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = [padded(cell, width, right=False) for cell, width in zip(row, widths, strict=True)]
        yield [((" " * GAP).join(cells), PLAIN if number else STRONG)]
