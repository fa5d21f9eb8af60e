"""Sizes and counts: whole numbers, or exact expressions over named symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.dims.arithmetic import (
        ceildiv,
        equal,
        floordiv,
        is_dim,
        is_symbolic,
        maximum,
        minimum,
        product,
        substitute,
        symbol,
        symbol_names,
        text,
        total,
        truncate,
    )
    from flopledger.dims.types import Dim, Number, Shape, Symbolic

__all__ = [
    "Dim",
    "Number",
    "Shape",
    "Symbolic",
    "ceildiv",
    "equal",
    "floordiv",
    "is_dim",
    "is_symbolic",
    "maximum",
    "minimum",
    "product",
    "substitute",
    "symbol",
    "symbol_names",
    "text",
    "total",
    "truncate",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Dim": "flopledger.dims.types",
        "Number": "flopledger.dims.types",
        "Shape": "flopledger.dims.types",
        "Symbolic": "flopledger.dims.types",
        "ceildiv": "flopledger.dims.arithmetic",
        "equal": "flopledger.dims.arithmetic",
        "floordiv": "flopledger.dims.arithmetic",
        "is_dim": "flopledger.dims.arithmetic",
        "is_symbolic": "flopledger.dims.arithmetic",
        "maximum": "flopledger.dims.arithmetic",
        "minimum": "flopledger.dims.arithmetic",
        "product": "flopledger.dims.arithmetic",
        "substitute": "flopledger.dims.arithmetic",
        "symbol": "flopledger.dims.arithmetic",
        "symbol_names": "flopledger.dims.arithmetic",
        "text": "flopledger.dims.arithmetic",
        "total": "flopledger.dims.arithmetic",
        "truncate": "flopledger.dims.arithmetic",
    },
)
