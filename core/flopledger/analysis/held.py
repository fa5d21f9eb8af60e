"""The weights that a network holds in memory, and those of which a step reads a few rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER

if TYPE_CHECKING:
    from flopledger.graph.tables import Parameter, Tables


def weights(graph: Tables) -> dict[int, Parameter]:
    """Return the weights by their storage, each storage once; buffers are none."""
    return {p.storage: p for p in reversed(graph.parameters) if not p.is_buffer}


def tables(graph: Tables) -> dict[int, int]:
    """Return the rows of each table of words by its storage, where nothing else uses that weight.

    A table that is the weight of the last layer too (tied) is read as a whole there.
    """
    found: dict[int, int] = {}
    elsewhere: set[int] = set()
    for layer in graph.layers:
        if layer.module is None or layer.kind == CONTAINER:
            continue
        for _, i in graph.modules[layer.module].parameters:
            parameter = graph.parameters[i]
            if layer.kind == "embedding" and isinstance(parameter.shape[0], int):
                found[parameter.storage] = parameter.shape[0]
            else:
                elsewhere.add(parameter.storage)
    return {storage: rows for storage, rows in found.items() if storage not in elsewhere}
