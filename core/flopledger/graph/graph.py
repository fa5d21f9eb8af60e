"""The neutral graph of a network: tables that know their digest, and can be saved, loaded and counted."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import fields
from typing import TYPE_CHECKING

from flopledger import lazy
from flopledger.graph.load import load
from flopledger.graph.tables import Tables
from flopledger.graph.write import canonical, dump
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.lazy import Ledger


@dataclass(frozen=True, repr=False)
class Graph(lazy.Shown, Tables):
    """A network, read: its tables, with methods to identify, save and count them."""

    @functools.cached_property
    def digest(self) -> str:
        """A digest that identifies the network: equal for equal tables, wherever they were read."""
        return hashlib.sha256(canonical(self)).hexdigest()[:16]

    def to_json(self) -> str:
        """Write the graph as JSON; :meth:`from_json` reads it back without loss."""
        return dump(self)

    @classmethod
    def from_json(cls, text: str, where: str = "graph") -> Graph:
        """Read a saved graph.

        Raises:
            GraphError: It is not one, or its tables don't fit together.
        """
        tables = load(text, where)
        return cls(*(getattr(tables, field.name) for field in fields(tables)))

    def count(self, convention: object = "mac", **switches: object) -> Ledger:
        """Count this graph under a convention, by name, file or object; see :func:`flopledger.count`."""
        return lazy.count_graph(self, convention, switches)
