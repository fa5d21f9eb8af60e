"""Branches of a file that are compared or not taken: their work, and the weights that only they read.

Which branch runs may depend on data. Two branches that do the same work are counted all the same: exporters
write the two ways of a condition that only checks something so. The weights of a branch that is not taken are
in the file, and are kept as those of modules that are never called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import equal, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.dims.types import Dim
    from flopledger.frontend.exported.records import Record


def same_work(a: Mapping[str, Dim], b: Mapping[str, Dim]) -> bool:
    """Return whether two graphs have as many operations of each sort."""
    return all(equal(a.get(name, 0), b.get(name, 0)) for name in {*a, *b})


def shown_work(found: Mapping[str, Dim] | None) -> str:
    """Write the work of a graph for a message; None is that of a graph with unknown calls."""
    return "unknown" if found is None else f"{text(found['macs'])} MAC"


def with_weights(records: Iterable[Record], path: str) -> Iterator[Record]:
    """Yield those of the calls that are not made that hold weights, named by their place below a path."""
    for record in records:
        if record.parameters:
            record.name = f"{path}/{record.name}"
            yield record
