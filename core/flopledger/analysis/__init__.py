"""Views of one graph: its calls, modules, weights, formulas and data flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.analysis.analysis import Analysis

__all__ = [
    "Analysis",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Analysis": "flopledger.analysis.analysis",
    },
)
