"""The table: which built-in operator is which kind, by its name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger_tflite.tables import (
    elements,
    made,
    movement,
    products,
    reductions,
    slices,
    stablehlo,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Row

    from flopledger_tflite.node import Call

TABLE: Mapping[str, Row[Call]] = MappingProxyType(
    {
        **windows.ROWS,
        **products.ROWS,
        **elements.ROWS,
        **reductions.ROWS,
        **movement.ROWS,
        **made.ROWS,
        **slices.ROWS,
        **stablehlo.ROWS,
    }
)

PLACES = frozenset({"BATCH_MATMUL", "GATHER", "STABLEHLO_DOT_GENERAL"})
"""Operators whose constant operands are weights: projections and tables."""
