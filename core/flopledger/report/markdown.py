"""The writer of markdown, as GitHub and most others read it."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.report import sections
from flopledger.report.blocks import Code, Grid, Heading, Line, Listing, Pairs, Rows, Small
from flopledger.report.columns import NETWORK, of_view
from flopledger.report.rows import shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View
    from flopledger.report.blocks import Block, Cell

_SPECIAL = re.compile(r"([\\|*_`<>\[\]&~$])")
"""Characters that start markup anywhere in a line: emphasis, code, links, HTML, cells, formulas;
and ``&``, since ``&#x202e;`` would restore a character that was escaped before."""
_START = re.compile(r"(?:#{1,6}|[-+=]+)(?= |\Z)|[0-9]{1,9}(?=[.)](?: |\Z))")
"""Text that is markup only at the start of a line: a heading, a list, a rule, an underlining."""


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render a section for each ledger, and a summary under several."""
    return write(sections.of_ledgers(ledgers, view))


def write(blocks: Iterable[Block]) -> str:
    """Write blocks as markdown, an empty line between them."""
    written = (list(_block(block)) for block in blocks)
    return "\n\n".join("\n".join(lines) for lines in written if lines) + "\n"


@functools.singledispatch
def _block(block: Block) -> Iterator[str]:
    raise TypeError(f"no block: {block!r}")


@_block.register(Heading)
def _(block: Heading) -> Iterator[str]:
    yield f"### {inline(block.text)}"
    if block.caption:
        yield from ("", line(block.caption))


@_block.register(Line)
def _(block: Line) -> Iterator[str]:
    yield line(block.text)


@_block.register(Small)
def _(block: Small) -> Iterator[str]:
    yield from (f"<sub>{inline(text)}</sub>" for text in block.lines)


@_block.register(Pairs)
def _(block: Pairs) -> Iterator[str]:
    yield from (f"- **{inline(label)}** {inline(text)}" for label, text in block.pairs)


@_block.register(Listing)
def _(block: Listing) -> Iterator[str]:
    if block.lines:
        yield from (line(block.title), "", *(f"- {line(text)}" for text in block.lines))


@_block.register(Code)
def _(block: Code) -> Iterator[str]:
    if block.lines:
        lines = map(printable.line, block.lines)
        yield from (block.titles["markdown"], "", f"```{block.language}", *lines, "```")


@_block.register(Grid)
def _(block: Grid) -> Iterator[str]:
    if block.title:
        yield from (line(block.title), "")
    yield from _table(block.headers, block.right, block.rows)
    if block.more:
        yield from ("", line(block.more))


@_block.register(Rows)
def _(block: Rows) -> Iterator[str]:
    shown = shown_lines(block.ledgers, block.view)
    first, *columns = of_view(block.ledgers, block.view, bars=False)
    rows = ([each.path or NETWORK, *(column.value(each) for column in columns)] for each in shown.lines)
    right = frozenset(i for i, column in enumerate(columns, 1) if column.right)
    yield from _table([first.header, *(column.header for column in columns)], right, rows)
    for note in shown.notes:
        yield from ("", line(note))


def _table(headers: Sequence[str], right: frozenset[int], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    yield _row(headers)
    yield "|" + "|".join(" ---: " if i in right else " --- " for i in range(len(headers))) + "|"
    for row in rows:
        yield _row(row)


def _row(cells: Iterable[Cell]) -> str:
    parts = ((cell,) if isinstance(cell, str) else cell for cell in cells)
    return "| " + " | ".join("<br>".join(map(inline, cell)) for cell in parts) + " |"


def inline(text: str) -> str:
    """Escape invisible characters, and the characters that are markup within a line."""
    return _SPECIAL.sub(r"\\\1", printable.line(text))


def line(text: str) -> str:
    """Escape a text that starts a line, where more signs have a meaning."""
    written = inline(text.lstrip(" "))
    found = _START.match(written)
    if found is None:
        return written
    sign = 0 if not found[0].isdigit() else found.end()  # of a number, its point makes the list
    return f"{written[:sign]}\\{written[sign:]}"
