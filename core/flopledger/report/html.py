"""The writer of HTML for notebooks: no script, no style sheet, totals first, the rows as a tree that opens.

A notebook shows what a cell returns before anybody trusts it, and removes scripts then; ``<details>`` opens
and closes without one. Large networks are cut to :data:`MOST` lines, with a line that says so.
"""

from __future__ import annotations

import functools
import html
import itertools
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.report.blocks import Code, Grid, Heading, Line, Listing, Pairs, Rows, Small
from flopledger.report.columns import of_view
from flopledger.report.tree import grow, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.report.blocks import Block, Cell
    from flopledger.report.columns import Column

MOST = 3000
"""How many lines of a tree a page has."""
OPEN = 1
"""How many levels of the tree are open at first."""
WIDTHS = {"kind": 9, "output": 10, "params": 9, "count": 11, "share": 5}
"""The widths of the columns beside the tree, in em."""
WIDEST = 14
CELL = "flex:none;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding-left:1em"
ROW = "display:inline-flex;width:calc(100% - {}em);vertical-align:top"
BESIDE, BELOW, INDENT = 1.5, 0.55, 1.1
"""How much narrower than its place a row is beside a mark that opens it, and one without a mark, indented by
a mark's width: so that the columns of both end at one line."""


def render(blocks: Iterable[Block]) -> str:
    """Render blocks as HTML that carries no script and no style sheet, totals before rows."""
    ordered = sorted(blocks, key=lambda block: isinstance(block, Rows) - isinstance(block, (Heading, Pairs)))
    return "".join(piece for block in ordered for piece in _block(block))


@functools.singledispatch
def _block(block: Block) -> Iterator[str]:
    raise TypeError(f"no block: {block!r}")


@_block.register(Heading)
def _(block: Heading) -> Iterator[str]:
    yield f"<div><b>{_text(block.text)}</b></div>"
    if block.caption:
        yield f"<div>{_text(block.caption)}</div>"


@_block.register(Line)
def _(block: Line) -> Iterator[str]:
    yield f"<div>{_text(block.text)}</div>"


@_block.register(Small)
def _(block: Small) -> Iterator[str]:
    yield from (f"<div><small>{_text(text)}</small></div>" for text in block.lines)


@_block.register(Pairs)
def _(block: Pairs) -> Iterator[str]:
    yield from (f"<div><b>{_text(label)}</b> {_text(text)}</div>" for label, text in block.pairs)


@_block.register(Listing)
def _(block: Listing) -> Iterator[str]:
    if block.lines:
        title = f"<b>{_text(block.title)}</b>" if block.alarm else _text(block.title)
        yield f"<div>{title}</div><ul>{''.join(f'<li>{_text(text)}</li>' for text in block.lines)}</ul>"


@_block.register(Code)
def _(block: Code) -> Iterator[str]:
    if block.lines:
        lines = "\n".join(map(_text, block.lines))
        yield f"<details><summary>{_text(block.titles['plain'])}</summary><pre>{lines}</pre></details>"


@_block.register(Grid)
def _(block: Grid) -> Iterator[str]:
    if block.title:
        yield f"<div>{_text(block.title)}</div>"
    yield f"<table><thead>{_row('th', block.headers, block.right)}</thead><tbody>"
    yield from (_row("td", row, block.right) for row in block.rows)
    yield "</tbody></table>"
    if block.more:
        yield f"<div>{_text(block.more)}</div>"


def _row(tag: str, cells: Sequence[Cell], right: frozenset[int]) -> str:
    written = []
    for i, cell in enumerate(cells):
        parts = (cell,) if isinstance(cell, str) else cell
        side = "right" if i in right else "left"
        written.append(f'<{tag} style="text-align:{side}">{"<br>".join(map(_text, parts))}</{tag}>')
    return f"<tr>{''.join(written)}</tr>"


@_block.register(Rows)
def _(block: Rows) -> Iterator[str]:
    columns = of_view(block.ledgers, block.view, bars=False)
    yield '<div style="max-width:70em;font-variant-numeric:tabular-nums">'
    headers = _line([column.header for column in columns], columns, bold=True)
    yield f'<div style="padding-left:{INDENT}em">{headers}</div>'
    root = grow(block.ledgers)
    open_levels: list[int] = []
    for line in itertools.islice(walk(root), MOST):
        while open_levels and open_levels[-1] >= line.depth:
            open_levels.pop()
            yield "</div></details>"
        cells = [line.label or "(network)", *(column.value(line) for column in columns[1:])]
        if line.node.children:
            state = " open" if line.depth < OPEN - 1 else ""
            yield f"<details{state}><summary>{_line(cells, columns, BESIDE)}</summary>"
            yield '<div style="padding-left:1em">'
            open_levels.append(line.depth)
        else:
            yield f'<div style="padding-left:{INDENT}em">{_line(cells, columns)}</div>'
    yield "</div></details>" * len(open_levels)
    if root.calls > MOST:
        yield f"<div>The first {MOST:,} of {root.calls:,} calls; print(...) shows the sums of the rest.</div>"
    yield "</div>"


def _line(cells: Sequence[str], columns: Sequence[Column], less: float = BELOW, *, bold: bool = False) -> str:
    weight = ";font-weight:bold" if bold else ""
    name = f'<span style="flex:auto;overflow:hidden;text-overflow:ellipsis{weight}">{_text(cells[0])}</span>'
    others = (
        f'<span style="{CELL};width:{WIDTHS.get(column.name, WIDEST)}em;'
        f'text-align:{"right" if column.right else "left"}{weight}">{_text(cell)}</span>'
        for cell, column in zip(cells[1:], columns[1:], strict=True)
    )
    return f'<span style="{ROW.format(less)}">{name}{"".join(others)}</span>'


def _text(written: str) -> str:
    """Escape invisible characters, then the characters that are markup in HTML."""
    return html.escape(printable.line(written))
