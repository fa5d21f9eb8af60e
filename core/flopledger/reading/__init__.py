"""Reading a source: its name, the frontend that reads it, and the process in which it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.reading.read import read_source
    from flopledger.reading.source import locate

__all__ = [
    "locate",
    "read_source",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "locate": "flopledger.reading.source",
        "read_source": "flopledger.reading.read",
    },
)
