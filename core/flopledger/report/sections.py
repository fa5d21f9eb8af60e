"""The blocks of a report on ledgers: a section for each, and a summary under several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import notes
from flopledger.report.blocks import Code, Grid, Heading, Listing, Pairs, Rows, Small
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View
    from flopledger.report.blocks import Block

STUB_TITLES = {
    "plain": "To price them, save this as mine.toml with the operations of one call, and use -c ./mine.toml:",
    "markdown": "To price them, save this as `mine.toml` and count with `-c ./mine.toml`:",
}


def of_ledgers(ledgers: Sequence[Ledger], view: View) -> Iterator[Block]:
    """Yield the blocks of several ledgers."""
    for ledger in ledgers:
        yield from _section(ledger, view)
    if len(ledgers) > 1:
        header, *rows = notes.summary(ledgers)
        yield from (Heading("Summary", ()), Grid(header, rows))


def _section(given: Ledger, view: View) -> Iterator[Block]:
    ledger, names = with_names(given)
    yield Heading(notes.heading(ledger))
    yield Rows(ledger, view)
    yield Pairs(notes.totals(ledger))
    yield Listing("where", [f"{name} = {size}" for name, size in names.items()])
    yield Listing("In the total beside the rows:", notes.adjustments(ledger))
    yield Listing("Levels disagree:", ledger.disagreements, alarm=True)
    yield Listing("Notes on the reading:", ledger.graph.reading.notes)
    title = "Unknown, so not in the total (no formula for them):"
    yield Listing(title, notes.unknowns(ledger), alarm=True)
    yield Code(STUB_TITLES, notes.stub(ledger), "toml")
    yield Small((notes.provenance(ledger),))
