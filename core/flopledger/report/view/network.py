"""A network as a page draws it: the tree of its calls with their own figures, and the data flow between them.

The page sums the figures itself, exactly, since a slider may change a symbol in them. Texts that repeat are
in one list, and rows refer to them by number, as to what else they have in common with others.
"""

from __future__ import annotations

import functools
from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from flopledger import kinds
from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import is_symbolic, text, total
from flopledger.dims.phrases import alternating, by, joined
from flopledger.graph.tables import CONTAINER
from flopledger.lazy import attribute
from flopledger.records import dataclass
from flopledger.report import notes
from flopledger.report.numbers import shape_text
from flopledger.report.tree import grow, together
from flopledger.report.view.edges import edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flopledger.counting.ledger import Ledger, Row
    from flopledger.dims.phrases import Phrase
    from flopledger.dims.types import Number, Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer
    from flopledger.report.tree import Node

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
class Strings:
    """Texts, each once, by number; 0 is the empty one."""

    found: dict[str | tuple[str, ...], int] = field(default_factory=lambda: {"": 0})

    def number(self, phrase: Phrase) -> int:
        """Return the number of a text; one with formulas has them at its odd places."""
        parts = alternating(phrase)
        return self.found.setdefault(parts if isinstance(parts, str) else tuple(parts), len(self.found))


@dataclass(slots=True)
class Cells:
    """Lists that repeat, each once, by number: what rows have beside their name, or the layers of a cause."""

    found: dict[tuple[object, ...], int] = field(default_factory=dict)

    def number(self, cells: Sequence[object]) -> int:
        """Return the number of a list."""
        return self.found.setdefault(tuple(map(_written, cells)), len(self.found))


@dataclass(slots=True)
class Drawn:
    """A node that is drawn, the number of its parent, and the part of its path that is its own."""

    node: Node
    parent: int
    label: str
    below: list[Node]
    """The nodes directly below it that are drawn, too; the figures of others are in its own."""


def network(graph: Graph, ledgers: Sequence[Ledger]) -> dict[str, object]:
    """Return a network with its counts under some conventions."""
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
    strings, cells = Strings(), Cells()
    ties = _ties(graph)
    tools = _with_params(ledgers)
    rows = [_row(one, graph, strings, ties, tools) for one in drawn]
    parents = [one.parent for one in drawn]
    if rest:
        rows.append(_rest(rest, strings, tools))
        parents.append(0)
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
        "rows": [[row[0], row[1], cells.number(row[2:])] for row in rows],
        "cells": list(map(list, cells.found)),
        "bounds": bounds if any(bounds) else [],
        "edges": edges(graph, places, parents),
        "cut": _cut(root, drawn, len(rows)),
    }


def places(drawn: Mapping[str, object]) -> dict[str, int]:
    """Return the number of the row that is drawn for each path."""
    paths: list[str] = []
    for parent, part, _ in cast("list[tuple[int, str, int]]", drawn["rows"]):
        paths.append("" if parent < 0 else paths[parent] + part)
    return {path: number for number, path in reversed(list(enumerate(paths)))}


def _written(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_written, value))
    return text(value) if isinstance(value, Fraction) or is_symbolic(value) else value


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
    """Return whose parameters are shown under each convention: its own, the first one's if it has none."""
    return [0 if ledger.total.params is None else which for which, ledger in enumerate(ledgers)]


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


def _row(
    drawn: Drawn, graph: Graph, strings: Strings, ties: Mapping[int, str], tools: Sequence[int]
) -> list[object]:
    """Return a row: parent, label, kind, source, output, input, attributes, status, note, alike, figures."""
    node, row = drawn.node, drawn.node.row
    statuses = [each.status for each in node.rows if each is not None]
    status = "container" if row is None else "unknown" if "unknown" in statuses else row.status
    texts: tuple[Phrase, ...] = ("", "", "", "", "")
    note = ""
    if row is not None:
        layer = _layer(graph, row)
        texts = (
            row.kind, row.source, _shapes(row.outputs), _shapes(row.inputs),
            _attributes(layer) if layer is not None else "",
        )  # fmt: skip
        note = "; ".join(filter(None, [row.why, ties.get(-1 if row.module is None else row.module, "")]))
    figures: list[Number | tuple[Number, ...]] = [
        _params([node], drawn.below, tools),
        *(total([c, *(-child.counts[k] for child in drawn.below)]) for k, c in enumerate(node.counts)),
        *_own_time(drawn),
    ]
    alike = node.alike if drawn.below else 0
    numbers = [strings.number(each) for each in texts]
    found: list[object] = [
        drawn.parent,
        drawn.label,
        *numbers,
        STATUSES.index(status),
        strings.number(note),
        alike,
        *figures,
    ]
    while found and found[-1] == 0:
        found.pop()
    return found


def _params(
    nodes: Sequence[Node], below: Sequence[Node], tools: Sequence[int]
) -> Number | tuple[Number, ...]:
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
    """Say what bounds a row's time; nothing without a device."""
    bound = None if row is None else row.roofline
    if bound is None or bound.intensity is None:
        return ""
    return f"{bound.bound}, {float(bound.intensity):,.4g} FLOP/B"


def _layer(graph: Graph, row: Row) -> Layer | None:
    """Return the call of a row; None for a row of another reading that has a call of its own."""
    layer = graph.layers[row.id] if row.id < len(graph.layers) else None
    return layer if layer is not None and layer.path == row.path else None


def _rest(nodes: Sequence[Node], strings: Strings, tools: Sequence[int]) -> list[object]:
    """Return a row with the sums of nodes that there is no room for."""
    calls = sum(node.calls for node in nodes)
    counts = [total(each) for each in zip(*(node.counts for node in nodes), strict=True)]
    params = _params(nodes, (), tools)
    times = [_picoseconds(bound.seconds)] if (bound := together(node.roofline for node in nodes)) else []
    status = STATUSES.index("unknown" if any(node.unknown for node in nodes) else "counted")
    return [
        0,
        f".... {calls:,} more calls",
        0,
        0,
        0,
        0,
        0,
        status,
        strings.number(""),
        0,
        params,
        *counts,
        *times,
    ]


def _shapes(shapes: Iterable[Shape | None]) -> Phrase:
    return joined(", ", ("?" if shape is None else by(shape) if shape else "scalar" for shape in shapes))


def _attributes(layer: Layer) -> Phrase:
    """Write the attributes of a window in short: ``3x3 /2 dilated 2 32 groups``."""
    found: list[Phrase] = []
    for name, word in (("kernel", ""), ("stride", "/"), ("dilation", "dilated ")):
        value = layer.attrs.get(name)
        if isinstance(value, tuple) and (name == "kernel" or any(each != 1 for each in value)):
            same = len(set(map(repr, value))) == 1 and name != "kernel"
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
