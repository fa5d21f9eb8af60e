"""The weights that a network holds in memory, and those of which a step reads a few rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.graph.tables import CONTAINER

if TYPE_CHECKING:
    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Parameter, Tables


def weights(graph: Tables) -> dict[int, Parameter]:
    """Return the weights by their storage, each storage once; buffers are none."""
    return {p.storage: p for p in reversed(graph.parameters) if not p.is_buffer}


def vocabulary(graph: Tables) -> Dim:
    """Return the rows of the largest table of words; 0 if there is none."""
    rows = [layer.attrs.get("num_embeddings", 0) for layer in graph.layers if layer.kind == "embedding"]
    return max((size for size in rows if isinstance(size, int)), default=0)


def tokens(graph: Tables) -> Dim | None:
    """Return the elements of the first input of whole numbers; None if there is none."""
    tensors = (graph.tensors[given.tensor] for given in graph.inputs)
    shapes = (one.shape for one in tensors if one.dtype.startswith(("int", "uint")) and one.shape is not None)
    return next((product(shape) for shape in shapes), None)


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
