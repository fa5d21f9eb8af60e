"""The bytes that each row's calls read and write, if nothing is fused and nothing stays in a cache."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.counting.by_row import by_row
from flopledger.counting.ledger import Traffic
from flopledger.errors import UsageError
from flopledger.graph.tables import CONTAINER

if TYPE_CHECKING:
    from flopledger.analysis.analysis import Analysis
    from flopledger.counting.ledger import Ledger
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer


def with_traffic(ledger: Ledger, graph: Graph) -> Ledger:
    """Return a ledger with the bytes that the calls of each row read and write, and the whole network's.

    They are those of the innermost calls, as in the convention ``bytes``. Calls without a row of their own
    count to the row around them; the network has those too that no row is around.

    Raises:
        UsageError: The reading is of a training step, of which only the forward's tensors are known.
    """
    if graph.reading.trains:
        raise UsageError("reads and writes are those of a forward pass: what a backward moves is not counted")
    analysis = engine.analysis_of(graph)
    moved = ((leaf.id, _of_call(analysis, leaf)) for leaf in analysis.memory.leaves)
    whole, of_rows = by_row(ledger, graph, moved, Traffic())
    return replace(
        ledger,
        total=replace(ledger.total, traffic=whole),
        rows=tuple(replace(row, traffic=of_rows.get(row.id, Traffic())) for row in ledger.rows),
    )


def _of_call(analysis: Analysis, layer: Layer) -> Traffic:
    """Return the bytes that a call reads and writes; where not all its tensors are known, a lower bound."""
    reads, writes = analysis.memory.traffic(layer)
    formula = layer.kind == CONTAINER or analysis.formulas.kind_of[layer.id] is not None
    shapes = all(analysis.graph.shape(i) is not None for i in (*layer.inputs, *layer.outputs))
    return Traffic(reads, writes, not (formula and shapes))
