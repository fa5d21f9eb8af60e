"""A graph that a scan has kept, in place of a source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from flopledger.errors import UsageError, nearest
from flopledger.scanning.options import label
from flopledger.scanning.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flopledger.graph.graph import Graph

MOST = 5
"""How many sources are listed that share a name."""


def _options(text: str) -> dict[str, object]:
    """Return the options of a row; none where a foreign file holds something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class Kept:
    """The graph of one network of a database; it was read once, so that every profile gets that reading.

    Args:
        database: The database.
        name: The network's name or source; where several share it, with the options as a zoo's page has them.

    Raises:
        SourceError: There is no such database, or it is no database of a scan, or the graph is malformed.
        UsageError: No network has the name, several have, or its graph was not kept.
    """

    def __init__(self, database: str | Path, name: str) -> None:
        with Store(database, readonly=True) as store:
            rows = store.rows()
            labels = {row["id"]: label(row["name"], _options(row["options"])) for row in rows}
            found = [row for row in rows if name in (labels[row["id"]], row["source"])]
            found = found or [row for row in rows if name == row["name"]]
            if not found:
                near = nearest(name, [str(row["name"]) for row in rows])
                raise UsageError(f"{database} has no network called {name!r}{near}")
            if len(found) > 1:
                names = [labels[row["id"]] for row in found]
                other = [str(row["source"]) for row in found] if len(set(names)) == 1 else names
                known = ", ".join(other[:MOST])
                raise UsageError(
                    f"{database} has {len(found)} networks called {name!r}; give one of: {known}"
                )
            graph = store.graph(int(str(found[0]["id"])))
        if graph is None:
            status = found[0]["status"]
            raise UsageError(
                f"{database}, {name} ({status}): its graph was not kept; scan with --keep-graphs"
            )
        self._graph = graph

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def read(self, profile: Mapping[str, object]) -> Graph:  # noqa: ARG002  (a convention that needs another says so)
        """Return the graph."""
        return self._graph
