"""Counting a graph under a convention into a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.counting.count import Count
    from flopledger.counting.engine import evaluate
    from flopledger.counting.ledger import Ledger, Row, Total

__all__ = [
    "Count",
    "Ledger",
    "Row",
    "Total",
    "evaluate",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Count": "flopledger.counting.count",
        "Ledger": "flopledger.counting.ledger",
        "Row": "flopledger.counting.ledger",
        "Total": "flopledger.counting.ledger",
        "evaluate": "flopledger.counting.engine",
    },
)
