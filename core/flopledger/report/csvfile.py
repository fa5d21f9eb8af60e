"""CSV: one line for each row of each ledger, its adjustments, and a line of totals.

The column ``record`` distinguishes them (``row``, ``adjustment``, ``total``): the counts of the rows
and adjustments sum to the total's, whose ``status`` says how many calls are unknown, if any. A last column
``active_params`` is there only if a router picks experts, columns of a bound of the time only with a
device, and those of the bytes moved only if they are asked for.

A spreadsheet calculates a cell that begins with ``=``, ``+``, ``-`` or ``@``, and a formula can send a file's
content away. A name that begins so gets an apostrophe before it, which spreadsheets read as "this is text".
Figures are left as they are, negative ones too: no name is among them.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, TypeAlias

from flopledger import printable
from flopledger.counting.ledger import figure
from flopledger.report import TRAFFIC, jsonfile
from flopledger.report.numbers import calls_text, shapes_text
from flopledger.report.rows import shown_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.counting.ledger import Figure, Ledger, Roofline, Row, Traffic
    from flopledger.dims.types import Number
    from flopledger.report import View

Record: TypeAlias = "dict[str, Figure | float | None]"

COLUMNS = (
    "record", "graph", "convention", "path", "call", "kind", "source", "level", "status", "inputs", "outputs",
    "params", "count", "unit", "macs",
)  # fmt: skip
ACTIVE = "active_params"
ROOFLINE = ("flop", "bytes", "bound", "seconds_at_least")
FIGURES = frozenset({"params", "count", "macs", ACTIVE, *ROOFLINE, *TRAFFIC})
_FORMULA = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""Characters that start a formula in a spreadsheet; the wide forms do so in Japanese and Chinese."""


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render all ledgers as one table."""
    written = io.StringIO()
    routed = any(ledger.experts for ledger in ledgers)
    bounded = any(ledger.device for ledger in ledgers)
    moved = TRAFFIC if any(ledger.total.traffic for ledger in ledgers) else ()
    columns = (*COLUMNS, *((ACTIVE,) if routed else ()), *(ROOFLINE if bounded else ()), *moved)
    writer = csv.DictWriter(written, columns, lineterminator="\n")
    writer.writeheader()
    for ledger in ledgers:
        name = ledger.convention.name + "".join(f" {k}={v}" for k, v in ledger.convention.switches.items())
        same: Record = {"graph": ledger.graph.reading.source, "convention": name, "unit": ledger.total.unit}
        records = ({**same, **record} for record in _records(ledger, view, routed=routed))
        writer.writerows(
            {k: v if k in FIGURES else safe_cell(v) for k, v in record.items()} for record in records
        )
    return written.getvalue()


def safe_cell(value: Figure | float | None) -> Figure | float | None:
    """Write a name so that it can be seen, and that no spreadsheet calculates it."""
    if not isinstance(value, str):
        return value
    return ("'" if _FORMULA.match(value) else "") + printable.line(value)


def _records(ledger: Ledger, view: View, *, routed: bool) -> Iterator[Record]:
    for row in shown_rows(ledger, view):
        yield _record(row)
    for adjustment in ledger.adjustments:
        yield {"record": "adjustment", "path": adjustment.what, "count": figure(adjustment.count)}
    total = ledger.total
    active = {ACTIVE: _figure(total.active_params)} if routed else {}
    yield {
        "record": "total",
        "status": "" if total.complete else f"at least ({calls_text(total.unknown_calls)} unknown)",
        "params": _figure(total.params),
        "count": figure(total.count),
        "macs": figure(total.macs),
        **active,
        **_roofline(total.roofline),
        **_traffic(total.traffic),
    }


def _roofline(bound: Roofline | None) -> Record:
    if bound is None:
        return {}
    return dict(zip(ROOFLINE, (bound.flop, bound.bytes, bound.bound, float(bound.seconds)), strict=True))


def _traffic(moved: Traffic | None) -> Record:
    """Return the bytes moved; nothing where they are not all known."""
    return {} if moved is None else dict(jsonfile.traffic_document(moved))


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
        **_roofline(row.roofline),
        **_traffic(row.traffic),
    }
