"""A network as a page draws it: the tree of its calls with their own figures, and the data flow between them.

The page sums the figures itself, exactly, since a slider may change a symbol in them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias, cast

from flopledger import kinds
from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import total
from flopledger.dims.phrases import by, joined
from flopledger.graph.tables import CONTAINER
from flopledger.lazy import attribute
from flopledger.records import dataclass
from flopledger.report import notes
from flopledger.report.numbers import shape_text
from flopledger.report.tree import grow, together
from flopledger.report.view.edges import edges
from flopledger.report.view.lists import Cells, Strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from flopledger.counting.ledger import Ledger, Row
    from flopledger.dims.phrases import Phrase
    from flopledger.dims.types import Number, Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer
    from flopledger.report.tree import Node
    from flopledger.report.view.lists import Figures

Value: TypeAlias = "Number | tuple[Number, ...]"
"""A figure of a row, or those that it has under each convention."""
PICOSECONDS = 10**12
MOST = 4000
"""How many nodes a page has: deeper ones are in their parents' figures."""
COLORS = {
    "conv": "conv", "deform": "conv", "linear": "linear", "attention": "attention",
    "contraction": "attention", "recurrent": "recurrent", "scan": "recurrent", "norm": "norm",
    "activation": "activation", "pool": "pool", "resample": "pool", "move": "move", "rearrange": "move",
}  # fmt: skip
"""The families of kinds that have a colour of their own, and the colour; the others share one."""
STATUSES = ("counted", "free", "ignored", "unknown", "container")


@functools.cache
def families() -> Mapping[str, str]:
    """Return the colour of each of our own kinds."""
    return {
        kind.name: COLORS.get(family, "other")
        for family in kinds.FAMILIES
        for kind in attribute(f"{kinds.__name__}.{family}:KINDS")
    }


@dataclass(slots=True)
class Drawn:
    """A node that is drawn, the number of its parent, and the part of its path that is its own."""

    node: Node
    parent: int
    label: str
    below: list[Node]
    """The nodes directly below it that are drawn, too; the figures of others are in its own."""


def network(graph: Graph, ledgers: Sequence[Ledger], figures: Figures) -> dict[str, object]:
    """Return a network with its counts under some conventions.

    Its ``rows`` are numbers of ``heads``: how deep a row is, the part of its path that is its own, and the
    number of its ``cells``. Rows are in the order of the calls, parents first, so that the depths say which
    is in which. Cells end with the figures, by their numbers in ``figures``.
    """
    first = ledgers[0]
    root = grow(ledgers)
    if first.total.roofline is not None:
        root.roofline = first.total.roofline  # with the calls that are in no row
    drawn, rest, within = _drawn(root)
    places = {
        row.id: place
        for node, place in within
        for row in node.rows
        if row is not None and _layer(graph, row) is not None
    }
    strings, cells, heads = Strings(), Cells(), Cells()
    ties = _ties(graph)
    tools = _with_params(ledgers)
    listed = [(one.node.depth + 1, one.label, _cells(one, graph, strings, ties, tools)) for one in drawn]
    parents = [one.parent for one in drawn]
    if rest:
        listed.append((1, f".... {sum(node.calls for node in rest):,} more calls", _rest(rest, tools)))
        parents.append(0)
    rows = [
        heads.number((depth, label, cells.number((*texts, *_numbers(values, figures)))))
        for depth, label, (texts, values) in listed
    ]
    bounds = [_bound(one.node.row) for one in drawn]
    kinds_used = {one.node.row.kind for one in drawn if one.node.row is not None}
    return {
        "source": graph.reading.source,
        "framework": f"{graph.reading.framework} {graph.reading.framework_version}".strip(),
        "inputs": [f"{given.name} {shape_text(shape)}".strip() for given, shape, _ in first.graph.inputs],
        "notes": list(graph.reading.notes),
        "conventions": [*map(_convention, ledgers), *_times(first)],
        "colors": {kind: families().get(kind, "other") for kind in sorted(kinds_used)},
        "strings": list(strings.found),
        "rows": rows,
        "heads": list(map(list, heads.found)),
        "cells": [_trimmed(each) for each in cells.found],
        "bounds": bounds if any(bounds) else [],
        "edges": edges(graph, places, parents),
        "cut": _cut(root, drawn, len(rows)),
    }


def places(drawn: Mapping[str, object]) -> dict[str, int]:
    """Return the number of the row that is drawn for each path."""
    heads = cast("list[tuple[int, str, int]]", drawn["heads"])
    around: list[str] = []
    paths: list[str] = []
    for head in cast("list[int]", drawn["rows"]):
        depth, part, _ = heads[head]
        del around[depth:]
        paths.append("".join([*around[-1:], part]))
        around.append(paths[-1])
    return {path: number for number, path in reversed(list(enumerate(paths)))}


def _convention(ledger: Ledger) -> dict[str, object]:
    total_of = ledger.total
    return {
        "name": notes.titled(ledger.convention),
        "title": ledger.convention.title,
        "unit": total_of.unit,
        "count": figure(total_of.count),
        "params": None if total_of.params is None else figure(total_of.params),
        "complete": total_of.complete,
        "unknown_calls": total_of.unknown_calls,
        "adjustments": [[figure(one.count), one.what] for one in ledger.adjustments],
    }


def _times(ledger: Ledger) -> Iterator[dict[str, object]]:
    """Yield the time on a device as one figure more to switch to, in whole picoseconds."""
    bound = ledger.total.roofline
    if bound is not None and ledger.device is not None:
        yield {
            "name": f"time on {ledger.device.title}",
            "title": "a lower bound, call by call: neither arithmetic nor memory is faster",
            "unit": "ps",
            "count": _picoseconds(bound.seconds),
            "params": None,
            "complete": False,
            "unknown_calls": ledger.total.unknown_calls,
            "adjustments": [],
        }


def _picoseconds(seconds: Fraction) -> int:
    return int(seconds * PICOSECONDS)


def _with_params(ledgers: Sequence[Ledger]) -> list[int]:
    """Return whose parameters are shown under each convention: its own, those of the first that has any."""
    having = [which for which, ledger in enumerate(ledgers) if ledger.total.params is not None] or [0]
    return [which if which in having else having[0] for which in range(len(ledgers))]


def _cut(root: Node, drawn: Sequence[Drawn], rows: int) -> list[int] | None:
    """Return how many rows a page has, for how many calls, and how many have none; None if all have one."""
    found = list(_all(root))
    if rows >= len(found):
        return None
    calls = sum(node.row is not None for node in found)
    return [rows, root.calls, calls - sum(one.node.row is not None for one in drawn)]


def _all(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_children(node))


def _children(node: Node) -> list[Node]:
    """Return the nodes below a node; of a call that computes, the silent ones are how it does so."""
    row = node.row
    inside = row is not None and CONTAINER not in (row.kind, row.status)
    return [child for child in node.children.values() if not (inside and child.silent)]


def _drawn(root: Node) -> tuple[list[Drawn], list[Node], list[tuple[Node, int]]]:
    """Choose the calls that are drawn: as many levels as there is room for.

    Returns:
        The nodes, parents first and in the order of the calls; the outermost nodes that there is no room
        for, if a single level has too many; and every node with the number of the one that it is drawn in.
    """
    sizes: dict[int, int] = {}
    for node in _all(root):
        sizes[node.depth] = sizes.get(node.depth, 0) + 1
    depth, room = -1, MOST - sizes.pop(-1)
    while depth + 1 in sizes and sizes[depth + 1] <= room:
        depth += 1
        room -= sizes[depth]
    outermost = _children(root)
    rest = outermost[MOST - 2 :] if depth < 0 else []
    cut = {id(node) for node in rest}
    depth = max(depth, 0)
    drawn: list[Drawn] = []
    within: list[tuple[Node, int]] = []
    waiting = [(root, -1, "", True)]
    while waiting:
        node, place, label, visible = waiting.pop()
        below: list[Node] = []
        if visible:
            below = _children(node) if node.depth < depth else []
            drawn.append(Drawn(node, place, label, below))
            place = len(drawn) - 1
        elif id(node) in cut:
            place = MOST - 1  # the row of the rest, behind those of the first MOST - 2 and the network's own
        within.append((node, place))
        inside = {id(child) for child in below} - cut
        waiting.extend(
            (child, place, part, id(child) in inside) for part, child in reversed(node.children.items())
        )
    return drawn, rest, within


def _cells(
    drawn: Drawn, graph: Graph, strings: Strings, ties: Mapping[int, str], tools: Sequence[int]
) -> tuple[list[int], list[Value]]:
    """Return a row's kind, source, output, input, attributes, status, note and likeness; and its figures."""
    node, row = drawn.node, drawn.node.row
    statuses = [each.status for each in node.rows if each is not None]
    status = "container" if row is None else "unknown" if "unknown" in statuses else row.status
    texts: tuple[Phrase, ...] = ("", "", "", "", "")
    note = ""
    if row is not None:
        layer = _layer(graph, row)
        texts = (
            row.kind, row.source, _shapes(row.outputs), _shapes(row.inputs),
            _attributes(layer, row.kernel) if layer is not None else "",
        )  # fmt: skip
        note = "; ".join(filter(None, [row.why, ties.get(-1 if row.module is None else row.module, "")]))
    alike = node.alike if drawn.below else 0
    cells = [*map(strings.number, texts), STATUSES.index(status), strings.number(note), alike]
    return cells, [
        _params([node], drawn.below, tools),
        *(total([c, *(-child.counts[k] for child in drawn.below)]) for k, c in enumerate(node.counts)),
        *_own_time(drawn),
    ]


def _numbers(values: Iterable[Value], figures: Figures) -> Iterator[object]:
    """Yield the numbers of figures; of several that a row has in place of one, the list of theirs."""
    for value in values:
        yield tuple(map(figures.number, value)) if isinstance(value, tuple) else figures.number(value)


def _trimmed(cells: Sequence[object]) -> list[object]:
    """Leave out the zeros at the end, which the page adds again."""
    found = list(cells)
    while found and found[-1] == 0:
        found.pop()
    return found


def _params(nodes: Sequence[Node], below: Sequence[Node], tools: Sequence[int]) -> Value:
    """Return the parameters of nodes without those below: once if all conventions agree, else for each."""
    found = tuple(
        total([*(node.all_params[which] for node in nodes), *(-child.all_params[which] for child in below)])
        for which in tools
    )
    return found[0] if all(each == found[0] for each in found) else found


def _own_time(drawn: Drawn) -> Iterator[int]:
    """Yield the time of a node without those that are drawn below it; nothing without a device."""
    if drawn.node.roofline is not None:
        below = (_picoseconds(child.roofline.seconds) for child in drawn.below if child.roofline is not None)
        yield _picoseconds(drawn.node.roofline.seconds) - sum(below)


def _bound(row: Row | None) -> str:
    """Name the bound of a row's time; nothing without a device."""
    bound = None if row is None else row.roofline
    if bound is None or bound.intensity is None:
        return ""
    return f"{bound.bound}, {float(bound.intensity):,.4g} FLOP/B"


def _layer(graph: Graph, row: Row) -> Layer | None:
    """Return the call of a row; None for a row of another reading that has a call of its own."""
    layer = graph.layers[row.id] if row.id < len(graph.layers) else None
    return layer if layer is not None and layer.path == row.path else None


def _rest(nodes: Sequence[Node], tools: Sequence[int]) -> tuple[list[int], list[Value]]:
    """Return the cells of a row with the sums of nodes that there is no room for."""
    counts = [total(each) for each in zip(*(node.counts for node in nodes), strict=True)]
    times = [_picoseconds(bound.seconds)] if (bound := together(node.roofline for node in nodes)) else []
    status = STATUSES.index("unknown" if any(node.unknown for node in nodes) else "counted")
    return [0, 0, 0, 0, 0, status, 0, 0], [_params(nodes, (), tools), *counts, *times]


def _shapes(shapes: Iterable[Shape | None]) -> Phrase:
    return joined(", ", ("?" if shape is None else by(shape) if shape else "scalar" for shape in shapes))


def _attributes(layer: Layer, kernel: Shape) -> Phrase:
    """Write the attributes of a window in short: ``3x3 /2 dilated 2 32 groups``."""
    found: list[Phrase] = []
    if kernel:
        found.append(by(kernel))
    for name, word in (("stride", "/"), ("dilation", "dilated ")):
        value = layer.attrs.get(name)
        if isinstance(value, tuple) and any(each != 1 for each in value):
            same = len(set(map(repr, value))) == 1
            found.append((word, *by(cast("Shape", value[:1] if same else value))))
    groups = layer.attrs.get("groups", 1)
    if groups != 1:
        found.append(f"{groups} groups")
    return joined(" ", found)


def _ties(graph: Graph) -> dict[int, str]:
    """Say of each module whose weight is another's, too, whose it is: its row counts no parameters."""
    owners: dict[int, int] = {}
    found: dict[int, str] = {}
    for module in graph.modules:
        for name, i in module.parameters:
            parameter = graph.parameters[i]
            owner = owners.setdefault(parameter.storage, module.id)
            if owner != module.id and not parameter.is_buffer:
                path = graph.modules[owner].paths[0] if graph.modules[owner].paths else "another module"
                found.setdefault(module.id, f"{name} is tied with that of {path}")
    return found
