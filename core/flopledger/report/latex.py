r"""LaTeX tables with booktabs: the layers of one network, or several networks with a row each.

The caption names the networks, their inputs, the conventions and the units, so that a figure in a paper is
never a bare number. The document needs ``\usepackage{booktabs}``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.report import notes, sections
from flopledger.report.columns import NETWORK, of_view
from flopledger.report.numbers import in_words
from flopledger.report.rows import shown_lines
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View

_SPECIAL = re.compile(r"[\\{}$&#^_%~<>|\"'`*\[≥-]")
_WORDS = {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\texttt{\char34}", "'": "{'}", "`": "{`}",
    "-": "-{}", "*": "{*}", "[": "{[}", "≥": r"$\geq$",
}  # fmt: skip
"""Characters that are commands, or that LaTeX would draw as others: two hyphens become one dash, a ``[``
at the start of a row is taken for an option of the row before. What stands for them is in every encoding of
fonts and asks for no package: the commands for straight quotes are missing in OT1, or were before 2020."""


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render one table: of the layers of one network, or of the totals of several."""
    found = sections.networks(ledgers)
    lines = _layers(found[0], view) if len(found) == 1 else _networks(found)
    return "\n".join(lines) + "\n"


def _layers(given: Sequence[Ledger], view: View) -> Iterator[str]:
    """Yield the table of one network, with a column for each convention."""
    ledgers, names = with_names(given)
    shown = shown_lines(ledgers, view)
    first, *columns = of_view(ledgers, view, bars=False)
    whole, *parts = shown.lines
    body = [[line.path, *(column.value(line) for column in columns)] for line in parts]
    total = [NETWORK, *(column.value(whole) for column in columns)]
    where = [f"{name} = {size}" for name, size in names.items()]
    totals = [f"{notes.titled(one.convention)}: {_total(one)}" for one in ledgers]
    caption = [
        f"{notes.at_input(ledgers[0])}. {'; '.join(totals)}.",
        *(f"{note.rstrip('.')}." for note in shown.notes),
    ]
    if where:
        caption.append(f"Where {', '.join(where)}.")
    sides = ["l", *("r" if column.right else "l" for column in columns)]
    headers = [first.header, *(column.header for column in columns)]
    yield from table(sides, headers, [*body, total], caption)


def _networks(networks: Sequence[Sequence[Ledger]]) -> Iterator[str]:
    """Yield the table of several networks, with a row each."""
    header, *rows = notes.summary(networks)
    caption = [notes.caption(networks)]
    yield from table(["l", *"r" * (len(header) - 1)], header, rows, caption)


def _total(ledger: Ledger) -> str:
    return notes.bounded(in_words(ledger.total.count, ledger.total.unit), ledger.total)


def table(
    sides: Sequence[str], headers: Sequence[str], rows: Iterable[Sequence[str]], caption: Iterable[str]
) -> Iterator[str]:
    """Yield the lines of a table, all of its texts escaped; ``sides`` is ``l`` or ``r`` for each column."""
    yield "% needs \\usepackage{booktabs}"
    yield "\\begin{table}"
    yield "  \\centering"
    yield f"  \\caption{{{' '.join(map(escaped, caption))}}}"
    yield f"  \\begin{{tabular}}{{{''.join(sides)}}}"
    yield "    \\toprule"
    yield f"    {_row(headers)}"
    yield "    \\midrule"
    yield from (f"    {_row(row)}" for row in rows)
    yield "    \\bottomrule"
    yield "  \\end{tabular}"
    yield "\\end{table}"


def _row(cells: Iterable[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def escaped(text: str) -> str:
    """Escape invisible characters, then the characters that are commands in LaTeX."""
    return _SPECIAL.sub(lambda found: _WORDS.get(found[0], f"\\{found[0]}"), printable.line(text))
