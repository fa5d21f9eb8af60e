"""Finding the installed frontends, with their kinds and conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.plugins.discovery import discover, registry
    from flopledger.plugins.registry import Plugin, Registry

__all__ = [
    "Plugin",
    "Registry",
    "discover",
    "registry",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Plugin": "flopledger.plugins.registry",
        "Registry": "flopledger.plugins.registry",
        "discover": "flopledger.plugins.discovery",
        "registry": "flopledger.plugins.discovery",
    },
)
