"""Which rows a report shows, in which order: the tree of the paths, or a sorted list."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import substitute, symbol_names, total, truncate
from flopledger.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flopledger.counting.ledger import Ledger, Row
    from flopledger.dims.types import Number
    from flopledger.report import View

BOUNDARY = re.compile(r"(?=[./])")
"""Where a path is split; each part keeps the separator before it, so that a.b and a/b stay two lines."""
SAMPLE = 1000
"""The value of every symbol when expressions are sorted."""


def magnitude(value: Number) -> int:
    """Return a whole number to sort a count by; expressions are compared with every symbol at 1000."""
    names = symbol_names(value)
    whole = truncate(value)
    sized = substitute(whole, dict.fromkeys(names, SAMPLE)) if names else whole
    return int(sized)


KEYS: Mapping[str, tuple[Callable[[Row], int | str], bool]] = {
    "count": (lambda row: magnitude(row.count), True),
    "macs": (lambda row: magnitude(row.macs), True),
    "params": (lambda row: magnitude(row.params), True),
    "path": (lambda row: row.path, False),
    "kind": (lambda row: row.kind, False),
    "source": (lambda row: row.source, False),
}
"""The sort keys of rows, and whether the largest comes first."""


@dataclass(slots=True)
class Node:
    """A line of the tree: a call, or the common prefix of several paths, with the sums below it."""

    label: str
    depth: int
    row: Row | None = None
    children: dict[str, Node] = field(default_factory=dict)
    count: Number = 0
    params: Number = 0


def check_sort(key: str | None) -> None:
    """Refuse a key that rows can't be sorted by."""
    if key is not None and key not in KEYS:
        raise UsageError(f"rows can't be sorted by {key!r}{nearest(key, KEYS)}; there are {', '.join(KEYS)}")


def shown_rows(ledger: Ledger, view: View) -> Sequence[Row]:
    """Return the rows that a flat report shows: sorted and cut where the view asks for it."""
    check_sort(view.sort)
    if view.sort is None and view.top is None:
        return ledger.rows
    key, descending = KEYS[view.sort or "count"]
    return sorted(ledger.rows, key=key, reverse=descending)[: view.top]


def shown_nodes(ledger: Ledger, view: View) -> list[Node]:
    """Return the lines of a table: the tree of the paths, or a flat list where rows are sorted."""
    if view.sort is None and view.top is None:
        return list(_walk(_grow(ledger.rows), view.depth))
    return [Node(row.path, 0, row, {}, row.count, row.params) for row in shown_rows(ledger, view)]


def _grow(rows: Sequence[Row]) -> Node:
    """Build the tree of the paths, each node after its parent, and sum from the last to the first."""
    root = Node("", -1)
    nodes = [root]
    for row in rows:
        if not row.path and row.status == "container" and not (row.count or row.params):
            continue  # the network itself, whose figures are the totals
        node = root
        for depth, label in enumerate(BOUNDARY.split(row.path)):
            child = node.children.get(label)
            if child is None:
                child = node.children[label] = Node(label.lstrip("./") or label, depth)
                nodes.append(child)
            node = child
        node.row = row
    for node in reversed(nodes):
        below = node.children.values()
        node.count = total([node.row.count if node.row else 0, *(child.count for child in below)])
        node.params = total([node.row.params if node.row else 0, *(child.params for child in below)])
    return root


def _walk(root: Node, depth: int | None) -> Iterator[Node]:
    """Yield the nodes below the root, parents first, down to a depth."""
    waiting = list(reversed(root.children.values()))
    while waiting:
        node = waiting.pop()
        if depth is not None and node.depth >= depth:
            continue
        yield node
        waiting.extend(reversed(node.children.values()))
