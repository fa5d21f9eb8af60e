"""A network under every convention, each explained from one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.errors import ConventionError
from flopledger.explaining.explanation import explain_counts, on_other_reading
from flopledger.explaining.work import Evaluated
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.conventions.convention import Convention
    from flopledger.dims.types import Number
    from flopledger.explaining.explanation import Explanation
    from flopledger.graph.graph import Graph


@dataclass(frozen=True, slots=True)
class Entry:
    """A network under one convention, and how its figure differs from that of another; see :func:`survey`.

    ``params`` is None for a tool that prints no parameter figure. ``explanation`` is None if the convention
    has no figure for this network; ``reason`` then states why.
    """

    convention: str
    unit: str
    params: Number | None = None
    explanation: Explanation | None = None
    reason: str = ""


def survey(graphs: Iterable[tuple[Graph, Iterable[Convention]]], base: Convention) -> list[Entry]:
    """Count a network under every convention that applies, and explain each figure from that of a base.

    Each convention is evaluated once over its reading, the base once over every reading.

    Args:
        graphs: The network under each profile, with the conventions that take that reading; ``base`` counts
            the first.
        base: The convention that the others are explained from.

    Returns:
        The base first, then the others by name, whichever reading they take.
    """
    entries: list[Entry] = []
    start: Evaluated | None = None
    for graph, conventions in graphs:
        if start is None:
            start = Evaluated(engine.evaluate(graph, base))
        on_graph = start if graph is start.count.graph else on_other_reading(base, graph)
        entries += [_entry(start, on_graph, graph, convention) for convention in conventions]
    return sorted(entries, key=lambda entry: (entry.convention != base.name, entry.convention))


def _entry(start: Evaluated, on_graph: Evaluated, graph: Graph, convention: Convention) -> Entry:
    try:
        same = graph is start.count.graph and convention == start.convention
        side = start if same else Evaluated(engine.evaluate(graph, convention))
        found = explain_counts(start, side, on_b=on_graph)
        return Entry(convention.name, convention.unit, side.count.params.count, found)
    except ConventionError as error:
        return Entry(convention.name, convention.unit, reason=str(error))
