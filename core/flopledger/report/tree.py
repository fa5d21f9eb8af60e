"""The tree of a network's calls, with the sums of each part, under one convention or several side by side."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, TypeVar

from flopledger.counting.ledger import Roofline, Shares, Traffic
from flopledger.dims.arithmetic import total
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger, Row
    from flopledger.dims.types import Dim, Number

Summed = TypeVar("Summed", Roofline, Shares, Traffic)
"""Costs of calls that can be summed."""
_BOUNDARY = re.compile(r"(?=[./])")
"""Where a path is split; each part keeps the separator before it, so that a.b and a/b stay two nodes."""
DEEPEST = 200
"""The most levels of a path; what remains of it is one name. A name of 40 kB may be all boundaries."""
_NUMBERED = re.compile(r"(.*?)([0-9]+)\Z", re.DOTALL)


@dataclass(slots=True)
class Node:
    """A call, or the common prefix of several paths, with the sums of everything below it.

    Attributes:
        label: The last part of the path.
        path: The whole path; "" for the network.
        depth: The number of nodes between it and the network.
        rows: Its own row under each convention; None where a convention does not list it.
        children: The nodes below it, by the part of their path that is their own.
        counts: The sum of the counts under each convention.
        macs: The sum of our own multiply-accumulates.
        params: The sum of the parameters under the first convention.
        all_params: The sum of the parameters under each convention.
        missing: How many of the calls are unknown under each convention.
        trainable: The sum of our own trainable parameters.
        calls: How many rows there are, its own among them.
        unknown: How many of these are unknown under any of the conventions.
        roofline: The bound of the time on a device, if one is given, under the first convention.
        traffic: The bytes read and written, if they are asked for, under the first convention.
        training: The shares of a training step, if it is one, under the first convention.
        alike: Equal for two nodes whose rows, figures and children are the same but for their names.
    """

    label: str
    path: str
    depth: int
    rows: list[Row | None]
    children: dict[str, Node] = field(default_factory=dict)
    counts: tuple[Number, ...] = ()
    macs: Dim = 0
    params: Number = 0
    trainable: Number = 0
    calls: int = 0
    unknown: int = 0
    all_params: tuple[Number, ...] = ()
    missing: tuple[int, ...] = ()
    alike: int = -1
    roofline: Roofline | None = None
    traffic: Traffic | None = None
    training: Shares | None = None

    @property
    def row(self) -> Row | None:
        """The row under the first convention that lists it."""
        for row in self.rows:  # a plain loop: pages of 100,000 calls ask for each of them several times
            if row is not None:
                return row
        return None

    @property
    def silent(self) -> bool:
        """Whether nothing in it counts, has parameters or is unknown."""
        return not (self.unknown or self.params or any(self.counts))


def grow(ledgers: Sequence[Ledger]) -> Node:
    """Build the tree of the paths of ledgers of one network; the root is the network itself."""
    root = Node("", "", -1, [None] * len(ledgers))
    nodes = [root]
    tops = [root_row(ledger) for ledger in ledgers]
    for which, row in _in_order(ledgers):
        node = root
        parts = () if row is tops[which] else parts_of(row.path)
        end = 0
        for depth, part in enumerate(parts):
            end += len(part)
            child = node.children.get(part)
            if child is None:
                label = part.lstrip("./") or part
                child = node.children[part] = Node(label, row.path[:end], depth, [None] * len(ledgers))
                nodes.append(child)
            node = child
        node.rows[which] = row
    _sum(nodes)
    _compare(nodes)
    root.all_params = tuple(  # with those that are in no row
        of_rows if ledger.total.params is None else ledger.total.params
        for ledger, of_rows in zip(ledgers, root.all_params, strict=True)
    )
    root.params = root.all_params[0]
    return root


def parts_of(path: str) -> list[str]:
    """Return the names of the modules around a call, outermost first, each with the sign before it."""
    return _BOUNDARY.split(path, maxsplit=DEEPEST)


def root_row(ledger: Ledger) -> Row | None:
    """Return the row of the network's own call, in which all others are; None where a file has none."""
    first, *others = ledger.rows or (None,)
    if first is None or first.parent is not None:
        return None
    around = others and all(row.parent is not None for row in others)
    return first if around or not first.path else None


def _in_order(ledgers: Sequence[Ledger]) -> Iterator[tuple[int, Row]]:
    """Yield every row with the number of its ledger, in the order of the calls."""
    if len(ledgers) == 1:
        yield from ((0, row) for row in ledgers[0].rows)
        return
    rows = [(which, row) for which, ledger in enumerate(ledgers) for row in ledger.rows]
    yield from sorted(rows, key=lambda pair: pair[1].id)


def _sum(nodes: Sequence[Node]) -> None:
    """Sum from the last node to the first; a parent is always before its children."""
    for node in reversed(nodes):
        _own_figures(node)
        below = node.children.values()
        if not below:
            continue
        node.counts, node.all_params = (
            tuple(map(total, zip(*figures, strict=True)))
            for figures in (
                [node.counts, *(child.counts for child in below)],
                [node.all_params, *(child.all_params for child in below)],
            )
        )
        node.params = node.all_params[0]
        node.missing = tuple(map(sum, zip(node.missing, *(child.missing for child in below), strict=True)))
        node.trainable = total([node.trainable, *(child.trainable for child in below)])
        node.macs = total([node.macs, *(child.macs for child in below)])
        node.roofline = together([node.roofline, *(child.roofline for child in below)])
        node.traffic = together([node.traffic, *(child.traffic for child in below)])
        node.training = together([node.training, *(child.training for child in below)])
        node.calls += sum(child.calls for child in below)
        node.unknown += sum(child.unknown for child in below)


def _own_figures(node: Node) -> None:
    """Set the figures of a node to those of its own rows."""
    rows, own, first = node.rows, node.row, node.rows[0]
    node.counts = tuple([row.count if row else 0 for row in rows])
    node.all_params = tuple([row.params if row else 0 for row in rows])
    node.params = node.all_params[0]
    unknown = [row is not None and row.status == "unknown" for row in rows]
    node.missing = tuple(map(int, unknown))
    node.unknown = int(any(unknown))
    if own is not None:
        node.trainable, node.macs, node.calls = own.trainable, own.macs, 1
    if first is not None:
        node.roofline, node.traffic, node.training = first.roofline, first.traffic, first.training


def together(several: Iterable[Summed | None]) -> Summed | None:
    """Return the summed costs of several calls; None where nobody asked for them."""
    found: Summed | None = None
    for one in several:
        found = found if one is None else one if found is None else found + one
    return found


def _compare(nodes: Sequence[Node]) -> None:
    """Number the nodes so that those that are alike have one number."""
    numbers: dict[object, int] = {}
    for node in reversed(nodes):
        row = node.row
        shapes = None if row is None else (row.kind, row.source, row.status, row.outputs, row.weights)
        below = tuple((part, child.alike) for part, child in node.children.items())
        node.alike = numbers.setdefault((shapes, node.counts, node.all_params, below), len(numbers))


@dataclass(slots=True)
class Line:
    """A line of a table: a node, or equal neighbours; its figures are the sums over all of them."""

    node: Node
    label: str
    path: str
    depth: int
    times: int = 1

    @property
    def row(self) -> Row | None:
        """The row of the node, the first one of several."""
        return self.node.row

    @property
    def counts(self) -> tuple[Number, ...]:
        """The counts under each convention."""
        return tuple(count * self.times for count in self.node.counts)

    @property
    def params(self) -> Number:
        """The parameters."""
        return self.node.params * self.times

    @property
    def trainable(self) -> Number:
        """The trainable parameters."""
        return self.node.trainable * self.times

    @property
    def macs(self) -> Dim:
        """Our own multiply-accumulates."""
        return self.node.macs * self.times

    @property
    def roofline(self) -> Roofline | None:
        """The bound of the time on a device."""
        return None if self.node.roofline is None else self.node.roofline.times(self.times)

    @property
    def traffic(self) -> Traffic | None:
        """The bytes read and written."""
        return None if self.node.traffic is None else self.node.traffic.times(self.times)

    @property
    def training(self) -> Shares | None:
        """The shares of a training step."""
        return None if self.node.training is None else self.node.training.times(self.times)


def walk(root: Node, depth: int | None = None, *, fold: bool = False) -> Iterator[Line]:
    """Yield the lines of a tree, the network first and parents before their children.

    Args:
        root: The network.
        depth: How many levels below the network are shown; None for all.
        fold: Whether neighbours that are alike become one line, and silent ones are left out.
    """
    waiting = [Line(root, "", "", root.depth)]
    while waiting:
        line = waiting.pop()
        yield line
        deeper = line.depth + 1
        if depth is None or deeper < depth:
            waiting.extend(reversed(list(_below(line, deeper, fold=fold))))


def _below(line: Line, depth: int, *, fold: bool) -> Iterator[Line]:
    """Yield the lines directly below a line."""
    prefix = f"{line.times:,} x " if line.times > 1 else ""
    for members in _runs(line.node, fold=fold):
        first, last = members[0], members[-1]
        if len(members) == 1:
            only = list(_runs(first, fold=fold)) if fold and first.children and not _own(first) else []
            if len(only) == 1 and len(only[0]) > 1:  # "12 x blocks.0-11" says what "blocks" would
                inner = only[0]
                times = line.times * len(inner)
                joint = inner[0].path[len(first.path) : len(first.path) + 1]
                label = f"{times:,} x {first.label}{joint}{span(inner[0].label, inner[-1].label)}"
                yield Line(inner[0], label, spanned(inner[0], inner[-1], times), depth, times)
                continue
            yield Line(first, prefix + first.label, prefix + first.path, depth, line.times)
        else:
            times = line.times * len(members)
            label = f"{times:,} x {span(first.label, last.label)}"
            yield Line(first, label, spanned(first, last, times), depth, times)


def _runs(node: Node, *, fold: bool) -> Iterator[list[Node]]:
    """Yield the children of a node in runs of neighbours that are alike; each by itself unless folded."""
    run: list[Node] = []
    for child in node.children.values():
        if fold and child.silent:
            continue
        if run and not (fold and child.alike == run[0].alike and _stem(child) == _stem(run[0])):
            yield run
            run = []
        run.append(child)
    if run:
        yield run


def _own(node: Node) -> bool:
    return any(row is not None and (row.count or row.params or row.status == "unknown") for row in node.rows)


def _stem(node: Node) -> str:
    """Return the stem of a numbered name; another name has a stem of its own, and is in no run."""
    numbered = _NUMBERED.match(node.label)
    return numbered[1] if numbered else node.path


def span(first: str, last: str) -> str:
    """Name a run of numbered neighbours: ``0-11`` or ``block0-11``."""
    numbered = _NUMBERED.match(last)
    return f"{first}-{numbered[2]}" if numbered else first


def spanned(first: Node, last: Node, times: int) -> str:
    """Name a run of neighbours by their paths."""
    before = first.path[: len(first.path) - len(first.label)]
    return f"{times:,} x {before}{span(first.label, last.label)}"
