"""How many calls of a file are followed: loops and functions may expand without end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flopledger.frontend import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger_onnx.wire.messages import Function, Model, Node

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
        bodies = _bodies(model)
        self.most = MOST_CALLS + MOST_CALLS_PER_NODE * sum(map(len, bodies))
        self.calls = self.reserved = 0
        self._functions = {(f.domain, f.name, f.overload): f for f in model.functions}
        self._sizes: dict[int, int] = {id(nodes): len(nodes) for nodes in bodies}
        self._measure(bodies)

    def _measure(self, bodies: Sequence[Sequence[Node]]) -> None:
        """Find out what bodies expand to; a round for each call of a function that is nested in others."""
        for _ in range(DEEPEST):
            changed = False
            for nodes in reversed(bodies):
                size = min(sum(1 + self.inside(node) for node in nodes), self.most + 1)
                changed |= size != self._sizes[id(nodes)]
                self._sizes[id(nodes)] = size
            if not changed:
                return

    def size(self, nodes: Sequence[Node]) -> int:
        """Return what nodes expand to, each graph in them followed once."""
        return self._sizes[id(nodes)]

    def inside(self, node: Node) -> int:
        """Return what the graphs in a node, or the function that it calls, expand to."""
        function: Function | None = self._functions.get((node.domain, node.op_type, node.overload))
        if function is not None and node.domain:
            return self.size(function.node)
        return sum(map(self.size, _graphs(node)))

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


def _graphs(node: Node) -> Iterator[Sequence[Node]]:
    for attribute in node.attribute:
        yield from (graph.node for graph in (attribute.g, *attribute.graphs) if graph is not None)


def _bodies(model: Model) -> list[Sequence[Node]]:
    """Return the nodes of each graph and function of a file, those of graphs in nodes behind these."""
    found: list[Sequence[Node]] = [function.node for function in model.functions]
    if model.graph is not None:
        found.append(model.graph.node)
    for nodes in found:  # it grows
        for node in nodes:
            found += _graphs(node)
    return found
