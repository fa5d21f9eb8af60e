"""Comparing two networks layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.comparing.comparison import Comparison, Pair, compare

__all__ = [
    "Comparison",
    "Pair",
    "compare",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Comparison": "flopledger.comparing.comparison",
        "Pair": "flopledger.comparing.comparison",
        "compare": "flopledger.comparing.comparison",
    },
)
