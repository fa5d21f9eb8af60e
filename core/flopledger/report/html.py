"""The table that a notebook shows for a ledger."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.report import EVERYTHING, notes
from flopledger.report.columns import COLUMNS
from flopledger.report.rows import Node, shown_rows
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.counting.ledger import Ledger


def render(ledger: Ledger) -> str:
    """Render a ledger as HTML that carries no script and no style sheet."""
    return "".join(_pieces(ledger))


def _pieces(given: Ledger) -> Iterator[str]:
    ledger, names = with_names(given)
    headers = [ledger.total.unit if column.header == "count" else column.header for column in COLUMNS]
    yield ("<table><thead><tr>" + "".join(f"<th>{_text(h)}</th>" for h in headers) + "</tr></thead><tbody>")
    for row in shown_rows(ledger, EVERYTHING):
        node = Node(row.path, 0, row, {}, row.count, row.params)
        yield "<tr>"
        for column in COLUMNS:
            side = "right" if column.right else "left"
            cell = _text(column.value(node, ledger))
            yield f'<td style="text-align: {side}">{cell}</td>'
        yield "</tr>"
    yield "</tbody></table>"
    for label, written in notes.totals(ledger):
        yield f"<div><b>{_text(label)}</b> {_text(written)}</div>"
    for name, size in names.items():
        yield f"<div>{_text(f'{name} = {size}')}</div>"
    for line in (*notes.adjustments(ledger), *ledger.disagreements):
        yield f"<div>{_text(line)}</div>"
    for line in notes.unknowns(ledger):
        yield f"<div><b>unknown</b> {_text(line)}</div>"
    yield f"<small>{_text(notes.provenance(ledger))}</small>"


def _text(written: str) -> str:
    """Escape invisible characters, then the characters that are markup in HTML."""
    return html.escape(printable.line(written))
