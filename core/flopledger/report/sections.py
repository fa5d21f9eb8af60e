"""The blocks of a report on ledgers: a section for each network, and a summary under several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import notes
from flopledger.report.blocks import Code, Grid, Heading, Listing, Pairs, Rows, Small
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View
    from flopledger.report.blocks import Block

STUB_TITLES = {
    "plain": "To price them, save this as mine.toml with the operations of one call, and use -c ./mine.toml:",
    "markdown": "To price them, save this as `mine.toml` and count with `-c ./mine.toml`:",
}


def of_ledgers(ledgers: Sequence[Ledger], view: View) -> Iterator[Block]:
    """Yield the blocks of several ledgers."""
    found = networks(ledgers)
    for members in found:
        yield from _section(members, view)
    if len(found) > 1:
        header, *rows = notes.summary(found)
        yield from (
            Heading("Summary", (), " ".join(notes.caption(found))),
            Grid(header, rows, frozenset(range(1, len(header)))),
        )


def networks(ledgers: Sequence[Ledger]) -> list[list[Ledger]]:
    """Put neighbouring ledgers of one network together: they are columns of one table.

    A network that is named twice is counted twice: a convention that comes again begins another table.
    """
    found: list[list[Ledger]] = []
    for ledger in ledgers:
        last = found[-1] if found else []
        alike = bool(last) and _network(last[0]) == _network(ledger)
        if alike and all(one.convention != ledger.convention for one in last):
            last.append(ledger)
        else:
            found.append([ledger])
    return found


def _network(ledger: Ledger) -> object:
    return ledger.graph.reading.source, ledger.graph.reading.frontend, repr(ledger.graph.inputs)


def _section(given: Sequence[Ledger], view: View) -> Iterator[Block]:
    ledgers, names = with_names(given)
    first, several = ledgers[0], len(ledgers) > 1
    yield Heading(notes.headings(ledgers))
    yield Rows(ledgers, view)
    if several:
        header, *rows = notes.side_by_side(ledgers)
        yield Grid(header, rows, frozenset(range(1, len(header))))
    else:
        yield Pairs(notes.totals(first))
    yield Listing("where", [f"{name} = {size}" for name, size in names.items()])
    yield Listing("In the total beside the rows:", _each(ledgers, notes.adjustments))
    yield Listing("Levels disagree:", _each(ledgers, lambda one: one.disagreements), alarm=True)
    yield Listing(
        "Notes on the reading:", list(dict.fromkeys(n for one in ledgers for n in one.graph.reading.notes))
    )
    yield Listing("Notes on the convention:", _each(ledgers, notes.unmatched))
    title = "Unknown, so not in the total (no formula for them):"
    yield Listing(title, _each(ledgers, notes.unknowns), alarm=True)
    stub = next(filter(None, map(notes.stub, ledgers)), [])
    yield Code(STUB_TITLES, stub, "toml")
    yield Small(tuple(notes.provenance(one) for one in ledgers))


def _each(ledgers: Sequence[Ledger], lines: Callable[[Ledger], Sequence[str]]) -> list[str]:
    """Return the lines about each ledger; those that are about all of them once, the others by convention."""
    found = [(notes.titled(one.convention), lines(one)) for one in ledgers]
    if all(each == found[0][1] for _, each in found):
        return list(found[0][1])
    return [f"{name}: {line}" for name, each in found for line in each]
