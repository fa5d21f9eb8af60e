"""Costs of calls beside their operations, such as bytes or time, summed for the rows of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.counting.ledger import Ledger
    from flopledger.graph.graph import Graph


class Cost(Protocol):
    """A type whose values can be summed; made without arguments it is nothing."""

    def __add__(self, other: Self, /) -> Self: ...


C = TypeVar("C", bound=Cost)


def by_row(
    ledger: Ledger, graph: Graph, costs: Iterable[tuple[int, C]], nothing: C
) -> tuple[C, dict[int, C]]:
    """Return the sum of all costs, and the sum of each row that has some; a call counts at one row alone.

    A convention may listen to modules alone, so that a call without a row of its own belongs to the nearest
    row above it. One that has none is in the sum of all.
    """
    rows = {row.id for row in ledger.rows}
    whole, of_rows = nothing, dict[int, C]()
    for call, cost in costs:
        whole += cost
        at: int | None = call
        while at is not None and at not in rows:
            at = graph.layers[at].parent
        if at is not None:
            of_rows[at] = of_rows.get(at, nothing) + cost
    return whole, of_rows
