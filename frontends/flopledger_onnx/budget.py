"""A bound on the calls of a file that are followed: loops and functions may expand without end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flopledger.frontend import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger_onnx.wire.messages import Model, Node

DEEPEST = 100
"""The maximum nesting of graphs and functions; files of exporters have at most about ten."""
MOST_CALLS = 15_000
MOST_CALLS_PER_NODE = 4
"""The maximum number of calls of a file, plus this number for each of its nodes: functions that call each
other twice, and loops in loops, grow without end. A block of a language model is a function that is called
some dozens of times."""


class Budget:
    """The calls that may still be followed, and those that are reserved for the nodes to come."""

    def __init__(self, model: Model) -> None:
        functions = {(f.domain, f.name, f.overload): f.node for f in model.functions}
        bodies, self._inside = _bodies(model, functions)
        self.most = MOST_CALLS + MOST_CALLS_PER_NODE * sum(map(len, bodies))
        self.calls = self.reserved = 0
        self._sizes: dict[int, int] = {id(nodes): len(nodes) for nodes in bodies}
        self._measure(bodies)

    def _measure(self, bodies: Sequence[Sequence[Node]]) -> None:
        """Find the expansions of bodies; a round for each call of a function that is nested in others."""
        nesting = [(nodes, [n for n in nodes if id(n) in self._inside]) for nodes in reversed(bodies)]
        for _ in range(DEEPEST):
            changed = False
            for nodes, with_bodies in nesting:
                size = min(len(nodes) + sum(map(self.inside, with_bodies)), self.most + 1)
                changed |= size != self._sizes[id(nodes)]
                self._sizes[id(nodes)] = size
            if not changed:
                return

    def size(self, nodes: Sequence[Node]) -> int:
        """Return the calls that nodes expand to, each graph in them followed once."""
        return self._sizes[id(nodes)]

    def inside(self, node: Node) -> int:
        """Return the calls of the graphs in a node, or of the function that it calls."""
        return sum(map(self.size, self._inside.get(id(node), ())))

    def affords(self, calls: int) -> bool:
        """Return whether this number of calls may be followed besides those that are reserved."""
        return self.calls + self.reserved + calls <= self.most

    def take(self) -> None:
        """Note that a call is followed.

        Raises:
            SourceError: It is one too many.
        """
        self.calls += 1
        if self.calls > self.most:
            raise SourceError(
                f"it expands to more than {self.most:,} calls: its functions or loops are too many"
            )

    @contextlib.contextmanager
    def reserve(self, calls: int) -> Iterator[None]:
        """Reserve calls for as long as something before them is followed."""
        self.reserved += calls
        try:
            yield
        finally:
            self.reserved -= calls


def _bodies(
    model: Model, functions: Mapping[tuple[str, str, str], Sequence[Node]]
) -> tuple[list[Sequence[Node]], dict[int, list[Sequence[Node]]]]:
    """Return the nodes of each graph and function of a file, those of graphs in nodes behind these.

    Returns with them, by the nodes that are more than one call, the bodies that each of these stands for.
    """
    found: list[Sequence[Node]] = list(functions.values())
    inside: dict[int, list[Sequence[Node]]] = {}
    if model.graph is not None:
        found.append(model.graph.node)
    for nodes in found:  # it grows
        for node in nodes:
            graphs = [
                graph.node
                for attribute in node.attribute
                if attribute.g is not None or attribute.graphs
                for graph in (attribute.g, *attribute.graphs)
                if graph is not None
            ]
            found += graphs
            called = functions.get((node.domain, node.op_type, node.overload)) if node.domain else None
            if called is not None or graphs:
                inside[id(node)] = graphs if called is None else [called]
    return found, inside
