"""A network under every convention that applies, with the causes of each difference from the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.report import answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Line, Small
from flopledger.report.explanation import bounded, cause_document, signed
from flopledger.report.numbers import grouped, scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.explaining.explanation import Explanation
    from flopledger.explaining.survey import Entry
    from flopledger.report.blocks import Block, Cell

SCHEMA = "flopledger.explain-all/1"
RIGHT = frozenset({1, 4})
WIDE = 110
"""The columns from which a table has room for causes beside its figures."""
SHOWN = 4
"""How many causes a table shows of each convention, the largest first."""


def render(entries: Sequence[Entry], form: str = "table", width: int | None = None) -> str:
    """Render a survey in a format, as a text that ends with a line break."""
    narrow = width is not None and width < WIDE
    return answers.render(form, blocks(entries, narrow=narrow), lambda: document(entries), width)


def blocks(entries: Sequence[Entry], *, narrow: bool = False) -> Iterator[Block]:
    """Yield a survey as people read it; a narrow one has the causes beneath the figures, not beside them."""
    explained, headers = _explained(entries), _headers(entries)
    rows = [_row(*one) for one in explained]
    yield Heading(_heading(entries))
    yield Grid(headers[:-1] if narrow else headers, [row[:-1] for row in rows] if narrow else rows, RIGHT)
    if narrow and (causes := [line for _, one in explained for line in _cause_rows(one)]):
        yield Grid((headers[0], "change", "cause"), causes, frozenset({1}), f"The {headers[-1]}:")
    yield from map(Line, _left_out(entries))
    yield Small((_provenance(entries),))


def _explained(entries: Sequence[Entry]) -> list[tuple[Entry, Explanation]]:
    return [(entry, entry.explanation) for entry in entries if entry.explanation is not None]


def _heading(entries: Sequence[Entry]) -> str:
    explained = _explained(entries)
    source = explained[0][1].source if explained else "the network"
    return f"{source}: under every convention that applies"


def _headers(entries: Sequence[Entry]) -> tuple[str, ...]:
    explained = _explained(entries)
    base = explained[0][1].a if explained else None
    against = f"difference from {notes.titled(base.convention)}, by cause" if base else "why"
    return ("convention", "count", "unit", "in short", "params", against)


def _row(entry: Entry, explanation: Explanation) -> list[Cell]:
    side = explanation.b
    params = "" if entry.params is None else grouped(entry.params)
    short = scaled(side.figure, side.unit)
    name = notes.titled(side.convention)
    return [name, bounded(side), side.unit, short, params, tuple(map(" ".join, _causes(explanation)))]


def _causes(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Yield the largest causes, each with its change, and the sum of the others."""
    causes = explanation.causes
    shown = len(causes) if len(causes) == SHOWN + 1 else SHOWN
    yield from ((signed(cause.count), cause.cause) for cause in causes[:shown])
    if len(causes) > shown:
        rest = number(total(cause.count for cause in causes[shown:]))
        yield signed(rest), f"by {len(causes) - shown} smaller causes"


def _cause_rows(explanation: Explanation) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each cause; the convention is named in the first."""
    name = notes.titled(explanation.b.convention)
    for i, (change, cause) in enumerate(_causes(explanation)):
        yield ("" if i else name, change, cause)


def _left_out(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        if entry.explanation is None:
            yield f"{entry.convention} gives no figure here: {entry.reason}"


def _provenance(entries: Sequence[Entry]) -> str:
    graphs = [one.b.graph for _, one in _explained(entries)]
    return "; ".join([*notes.origin(graphs[0]), *notes.signed(*graphs)]) if graphs else ""


def document(entries: Sequence[Entry]) -> dict[str, object]:
    """Return the JSON document that ``explain-all.schema.json`` describes."""
    explained = _explained(entries)
    return {
        "schema": SCHEMA,
        "base": jsonfile.convention_document(explained[0][1].a.convention) if explained else None,
        "graph": jsonfile.graph_document(explained[0][1].a.graph) if explained else None,
        "conventions": [_entry(*one) for one in explained],
        "left_out": [
            {"convention": entry.convention, "reason": entry.reason}
            for entry in entries
            if entry.explanation is None
        ],
    }


def _entry(entry: Entry, explanation: Explanation) -> dict[str, object]:
    return {
        "convention": entry.convention,
        "set": dict(explanation.b.convention.switches),
        "unit": explanation.b.unit,
        "figure": figure(explanation.b.figure),
        "unknown_calls": explanation.b.unknown_calls,
        "params": None if entry.params is None else figure(entry.params),
        "gap": figure(explanation.gap),
        "causes": [cause_document(cause) for cause in explanation.causes],
    }
