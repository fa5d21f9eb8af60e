"""Whether a network stays within limits, or within those of an earlier count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.checking.limits import check

__all__ = [
    "check",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "check": "flopledger.checking.limits",
    },
)
