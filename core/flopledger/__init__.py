"""flopledger: counts a network under a convention you name, and explains why two figures differ.

import flopledger as fl

ledger = fl.count("deploy.prototxt", convention="2mac")
print(ledger.total.count, ledger.total.params)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.api import compare, count, explain, read
    from flopledger.conventions.convention import Convention
    from flopledger.conventions.loader import load
    from flopledger.counting.ledger import Ledger
    from flopledger.errors import FlopledgerError
    from flopledger.frontend.hookspecs import hookimpl
    from flopledger.graph.graph import Graph

__all__ = [
    "Convention",
    "FlopledgerError",
    "Graph",
    "Ledger",
    "compare",
    "count",
    "explain",
    "hookimpl",
    "load",
    "read",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Convention": "flopledger.conventions.convention",
        "FlopledgerError": "flopledger.errors",
        "Graph": "flopledger.graph.graph",
        "Ledger": "flopledger.counting.ledger",
        "compare": "flopledger.api",
        "count": "flopledger.api",
        "explain": "flopledger.api",
        "hookimpl": "flopledger.frontend.hookspecs",
        "load": "flopledger.conventions.loader",
        "read": "flopledger.api",
    },
)
