"""Explaining, cause by cause, why two figures of one network differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.explaining.explanation import Cause, Explanation, explain

__all__ = [
    "Cause",
    "Explanation",
    "explain",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Cause": "flopledger.explaining.explanation",
        "Explanation": "flopledger.explaining.explanation",
        "explain": "flopledger.explaining.explanation",
    },
)
