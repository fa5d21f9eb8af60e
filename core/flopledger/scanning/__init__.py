"""Counting many networks into a database: their choice, their processes, and the content of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.scanning.scan import scan
    from flopledger.scanning.store import Store

__all__ = ["Store", "scan"]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Store": "flopledger.scanning.store",
        "scan": "flopledger.scanning.scan",
    },
)
