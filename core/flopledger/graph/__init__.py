"""The neutral graph of a network: its tables, how they are saved and loaded, and their checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import (
        Input,
        Layer,
        Level,
        Module,
        Parameter,
        Reading,
        Tables,
        Tensor,
        TensorRef,
        Value,
    )

__all__ = [
    "Graph",
    "Input",
    "Layer",
    "Level",
    "Module",
    "Parameter",
    "Reading",
    "Tables",
    "Tensor",
    "TensorRef",
    "Value",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Graph": "flopledger.graph.graph",
        "Input": "flopledger.graph.tables",
        "Layer": "flopledger.graph.tables",
        "Level": "flopledger.graph.tables",
        "Module": "flopledger.graph.tables",
        "Parameter": "flopledger.graph.tables",
        "Reading": "flopledger.graph.tables",
        "Tables": "flopledger.graph.tables",
        "Tensor": "flopledger.graph.tables",
        "TensorRef": "flopledger.graph.tables",
        "Value": "flopledger.graph.tables",
    },
)
