"""Conventions: how they are found, read, checked and changed, and the names in their expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.conventions.convention import Convention
    from flopledger.conventions.loader import load

__all__ = [
    "Convention",
    "load",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Convention": "flopledger.conventions.convention",
        "load": "flopledger.conventions.loader",
    },
)
