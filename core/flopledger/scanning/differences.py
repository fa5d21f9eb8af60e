"""Why a network's figures changed between two zoos, where both keep its graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.comparing import comparison
from flopledger.conventions import loader
from flopledger.errors import FlopledgerError
from flopledger.scanning.outcome import OWN
from flopledger.scanning.table import Change, changes, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.scanning.store import Store
    from flopledger.scanning.table import ZooRow

MOST = 3
"""How many causes are given for each network."""
_EXPLAINED = ("macs", "params", OWN)
"""The figures that a comparison of two graphs explains."""


def explained(before: Store, after: Store, rows: Sequence[ZooRow]) -> Iterator[Change]:
    """Yield the changes between two zoos, with the layers that differ where both graphs are kept.

    Args:
        before: The earlier database.
        after: The later one.
        rows: The rows of the later one that are asked about.
    """
    known: dict[tuple[int, int], tuple[str, ...]] = {}
    for change in changes(rows_of(before), rows):
        pair = (change.earlier, change.number)
        if change.what not in _EXPLAINED or pair[0] is None or pair[1] is None:
            yield change
            continue
        both = (pair[0], pair[1])
        if both not in known:
            known[both] = tuple(_causes(before, after, *both))
        yield replace(change, causes=known[both])


def _causes(before: Store, after: Store, a: int, b: int) -> Iterator[str]:
    old, new = before.graph(a), after.graph(b)
    if old is None or new is None:
        return
    try:
        found = comparison.compare(old, new, loader.load(OWN))
    except FlopledgerError as error:
        yield str(error)
        return
    differing = [row for row in found.pairs if row.status != "same"]
    for row in differing[:MOST]:
        layer = row.b or row.a
        path = layer.path if layer is not None else ""
        yield f"{path}: {row.status.replace('_', ' ')}" + (f", {row.why}" if row.why else "")
    if len(differing) > MOST:
        yield f"and {len(differing) - MOST} more layers"
