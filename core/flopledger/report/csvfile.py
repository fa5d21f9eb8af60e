"""CSV: one line for each row of each ledger, its adjustments, and a line of totals.

The column ``record`` tells them apart (``row``, ``adjustment``, ``total``): the counts of the rows
and adjustments sum to the total's. A last column ``active_params`` is there only if a router picks experts.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TypeAlias

from flopledger.counting.ledger import figure
from flopledger.report.numbers import shapes_text
from flopledger.report.rows import shown_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.counting.ledger import Figure, Ledger, Row
    from flopledger.dims.types import Number
    from flopledger.report import View

Record: TypeAlias = "dict[str, Figure | None]"

COLUMNS = (
    "record", "graph", "convention", "path", "call", "kind", "source", "level", "status", "inputs", "outputs",
    "params", "count", "unit", "macs",
)  # fmt: skip
ACTIVE = "active_params"


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render all ledgers as one table."""
    written = io.StringIO()
    routed = any(ledger.experts for ledger in ledgers)
    columns = (*COLUMNS, ACTIVE) if routed else COLUMNS
    writer = csv.DictWriter(written, columns, lineterminator="\n")
    writer.writeheader()
    for ledger in ledgers:
        name = ledger.convention.name + "".join(f" {k}={v}" for k, v in ledger.convention.switches.items())
        same: Record = {"graph": ledger.graph.reading.source, "convention": name, "unit": ledger.total.unit}
        writer.writerows({**same, **record} for record in _records(ledger, view, routed=routed))
    return written.getvalue()


def _records(ledger: Ledger, view: View, *, routed: bool) -> Iterator[Record]:
    for row in shown_rows(ledger, view):
        yield _record(row)
    for adjustment in ledger.adjustments:
        yield {"record": "adjustment", "path": adjustment.what, "count": figure(adjustment.count)}
    total = ledger.total
    active = {ACTIVE: _figure(total.active_params)} if routed else {}
    yield {
        "record": "total",
        "params": _figure(total.params),
        "count": figure(total.count),
        "macs": figure(total.macs),
        **active,
    }


def _figure(value: Number | None) -> Figure | None:
    return None if value is None else figure(value)


def _record(row: Row) -> Record:
    return {
        "record": "row",
        "path": row.path,
        "call": row.call,
        "kind": row.kind,
        "source": row.source,
        "level": row.level,
        "status": row.status,
        "inputs": shapes_text(row.inputs),
        "outputs": shapes_text(row.outputs),
        "params": figure(row.params),
        "count": figure(row.count),
        "macs": figure(row.macs),
    }
