"""The columns of a report for people, as data, and how they are laid out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flopledger.report import numbers as figures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report.rows import Node

WIDEST = 400
"""No column is wider, since each line takes the room of the longest cell: words are cut, figures are not."""
MOST_INDENTED = 30
"""Deeper lines of a tree are not indented further."""
NARROWEST = 16
"""The first column is not cut below this width."""
GAP = 2
NETWORK = "(network)"
"""The name of the network's own call, whose path is empty."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its header, its cell for a line, its alignment, and when it is dropped.

    ``yields``: columns with a larger figure are dropped first where the terminal is too narrow; 0
    never.
    """

    header: str
    value: Callable[[Node, Ledger], str]
    right: bool = False
    yields: int = 0


def _label(node: Node, _: Ledger) -> str:
    return "  " * min(node.depth, MOST_INDENTED) + (node.label or NETWORK)


def _kind(node: Node, _: Ledger) -> str:
    if node.row is None:
        return ""
    return node.row.source if node.row.status == "unknown" else node.row.kind


def _output(node: Node, _: Ledger) -> str:
    return "" if node.row is None else figures.shapes_text(node.row.outputs)


def _params(node: Node, _: Ledger) -> str:
    return figures.grouped(node.params)


def _count(node: Node, _: Ledger) -> str:
    if node.row is not None and node.row.status == "unknown" and not node.count:
        return "unknown"
    return figures.grouped(node.count)


def _share(node: Node, ledger: Ledger) -> str:
    return figures.percent(figures.share_of(node.count, ledger.listed))


def _bar(node: Node, ledger: Ledger) -> str:
    return figures.bar(figures.share_of(node.count, ledger.listed))


COLUMNS = (
    Column("layer", _label),
    Column("kind", _kind, yields=2),
    Column("output", _output, yields=1),
    Column("params", _params, right=True),
    Column("count", _count, right=True),
    Column("share", _share, right=True, yields=3),
    Column("", _bar, yields=4),
)


def fit(columns: Sequence[Column], widths: Sequence[int], room: int | None) -> tuple[list[int], int]:
    """Choose the columns that fit, and the width of the first, which is cut only if nothing else suffices."""
    kept = list(range(len(columns)))
    if room is None:
        return kept, widths[0]

    def needed() -> int:
        first = min(widths[0], NARROWEST)
        return first + sum(widths[i] for i in kept[1:]) + GAP * (len(kept) - 1)

    while needed() > room and any(columns[i].yields for i in kept):
        kept.remove(max(kept, key=lambda i: columns[i].yields))
    others = needed() - min(widths[0], NARROWEST)
    return kept, max(min(widths[0], room - others), min(widths[0], NARROWEST))


def padded(cell: str, width: int, *, right: bool) -> str:
    """Fill a cell up to its column's width, or cut it with an ellipsis unless it is a figure."""
    taken = figures.width_of(cell)
    if taken > width and right:
        return cell
    if taken > width:
        cell, taken = _cut(cell, width)
    fill = " " * (width - taken)
    return fill + cell if right else cell + fill


def _cut(cell: str, width: int) -> tuple[str, int]:
    cell = cell[:width]
    while figures.width_of(cell) > width - 1:
        cell = cell[:-1]
    return f"{cell}…", figures.width_of(cell) + 1
