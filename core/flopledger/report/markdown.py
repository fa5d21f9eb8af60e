"""Markdown: a table for each ledger, its totals, and what stands under them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.report import notes
from flopledger.report.columns import COLUMNS
from flopledger.report.numbers import plain_line
from flopledger.report.rows import Node, shown_rows
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View

SPECIAL = re.compile(r"([\\|*_`<>\[\]])")
SHOWN = COLUMNS[:-1]
"""Everything but the bar."""


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render a section for each ledger, and a summary under several."""
    sections = ["\n".join(_section(ledger, view)) for ledger in ledgers]
    if len(ledgers) > 1:
        header, *rows = notes.summary(ledgers)
        sections.append("\n".join(["### Summary", "", *table(header, "-" * len(header), rows)]))
    return "\n\n".join(sections) + "\n"


def _section(given: Ledger, view: View) -> Iterator[str]:
    ledger, names = with_names(given)
    yield f"### {escaped(notes.heading(ledger))}"
    yield ""
    headers = [ledger.total.unit if column.header == "count" else column.header for column in SHOWN]
    nodes = (Node(row.path, 0, row, {}, row.count, row.params) for row in shown_rows(ledger, view))
    rows = ([column.value(node, ledger) for column in SHOWN] for node in nodes)
    yield from table(headers, ["-:" if column.right else "-" for column in SHOWN], rows)
    yield ""
    for label, written in notes.totals(ledger):
        yield f"- **{escaped(label)}** {escaped(written)}"
    yield from _list("where", [f"{name} = {size}" for name, size in names.items()])
    yield from _list("In the total beside the rows:", notes.adjustments(ledger))
    yield from _list("Levels disagree:", notes.disagreements(ledger))
    yield from _list("Notes on the reading:", map(plain_line, ledger.graph.reading.notes))
    yield from _list("Unknown, so not in the total (no formula for them):", notes.unknowns(ledger))
    if stub := notes.stub(ledger):
        yield from ("", "To price them, save this as `mine.toml` and count with `-c ./mine.toml`:")
        yield from ("", "```toml", *stub, "```")
    yield from ("", f"<sub>{escaped(notes.provenance(ledger))}</sub>")


def table(headers: Sequence[str], rules: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; a rule is ``-`` for a column of words and ``-:`` for one of figures."""
    yield _row(headers)
    yield "|" + "|".join(f" {rule}-- " if rule == "-" else f" --{rule} " for rule in rules) + "|"
    for row in rows:
        yield _row(row)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(escaped, cells)) + " |"


def _list(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield from ("", title, "")
        yield f"- {escaped(line)}"


def escaped(written: str) -> str:
    """Escape what markdown would read as its own signs."""
    return SPECIAL.sub(r"\\\1", written)
