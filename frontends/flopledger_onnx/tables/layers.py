"""The table: which operator is which kind, by its name, with its domain where that is not ONNX's own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger_onnx.tables import (
    classical,
    constants,
    elements,
    movement,
    norms,
    products,
    quantised,
    reductions,
    sequences,
    signals,
    transformers,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Row

    from flopledger_onnx.node import Call


TABLE: Mapping[str, Row[Call]] = MappingProxyType(
    {
        **windows.ROWS,
        **products.ROWS,
        **norms.ROWS,
        **elements.ROWS,
        **reductions.ROWS,
        **signals.ROWS,
        **movement.ROWS,
        **constants.ROWS,
        **sequences.ROWS,
        **quantised.ROWS,
        **transformers.ROWS,
        **classical.ROWS,
    }
)

CONTROL = frozenset({"If", "Loop", "Scan"})
"""Operators that hold graphs; :mod:`flopledger_onnx.control` reads them."""

PLACES = frozenset({"MatMul", "Gemm", "Einsum", "Gather", "FusedMatMul", "PRelu"})
"""Operators whose constant operands are weights: projections and tables."""

CLASSICAL = "ai.onnx.ml"
"""The domain of models that are no networks."""

STANDARD = frozenset({"", "ai.onnx"})
"""The names of ONNX's own domain."""


def source_name(domain: str, op_type: str) -> str:
    """Return the name of an operator: ``Conv``, ``com.microsoft.FusedMatMul``."""
    return op_type if domain in STANDARD else f"{domain}.{op_type}"
