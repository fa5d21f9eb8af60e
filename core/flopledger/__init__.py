"""flopledger: counts a network under a convention you name, and explains why two figures differ.

import flopledger as fl

ledger = fl.count("deploy.prototxt", convention="2mac")
print(ledger.total.count, ledger.total.params)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

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

_HOME = {
    "Convention": "conventions.convention",
    "FlopledgerError": "errors",
    "Graph": "graph.graph",
    "Ledger": "counting.ledger",
    "compare": "api",
    "count": "api",
    "explain": "api",
    "hookimpl": "frontend.hookspecs",
    "load": "conventions.convention",
    "read": "api",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'flopledger' has no attribute {name!r}")
    return getattr(importlib.import_module(f"flopledger.{_HOME[name]}"), name)
