"""A table of modules as tools print it: a row for each call, indented as the modules are registered.

A module that is registered in several places stands in the last of them. Where the containers around it
are not the ones that were listed last, they get rows of their own, as those that are never called do.
Each container's row has the weights that the rows below it don't list; a module's first row counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from flopledger.dims.arithmetic import is_dim, maximum, total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.analysis.analysis import Structure
    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Module, Parameter


class Row(NamedTuple):
    """One row: the module, how deep it stands, and whether it is there to show the place of others."""

    module: int
    depth: int
    inserted: bool


def kept(module: Module, parameters: tuple[Parameter, ...]) -> Iterator[tuple[str, Dim]]:
    """Yield a module's own weights: name, and elements without those that pruning masks out.

    A frontend says what is left by the native fact ``kept``, which maps names of pruned weights to it.
    """
    masks = module.native.get("kept")
    for name, i in module.parameters:
        if not parameters[i].is_buffer:
            left = masks.get(name) if isinstance(masks, Mapping) else None
            yield name, left if is_dim(left) else parameters[i].numel


def left(structure: Structure, module: int) -> Dim:
    """Count what pruning left of the weights of a module and all below it, each parameter object once."""
    parameters = structure.graph.parameters
    found: dict[int, Dim] = {}
    for below in structure.below(module):
        registered = structure.graph.modules[below]
        weights = [parameters[i].object for _, i in registered.parameters if not parameters[i].is_buffer]
        found.update(zip(weights, (value for _, value in kept(registered, parameters)), strict=True))
    return total(found.values())


def listed(structure: Structure) -> dict[int, Dim]:
    """Return the elements of the weights that each module's row has in such a table."""
    rows = _rows(structure)
    again = _again(structure, rows)
    ends = _ends(rows)
    below: list[Dim] = [0] * (len(rows) + 1)  # what the rows from here to the end list
    found: dict[int, Dim] = {}
    for place in range(len(rows) - 1, -1, -1):
        module = rows[place].module
        value = left(structure, module)
        if structure.graph.modules[module].children:
            value -= below[place + 1] - below[ends[place]]
        below[place] = below[place + 1] + (0 if again[place] else value)
        if not again[place]:
            found[module] = maximum(value, 0)
    return found


def _last_places(structure: Structure) -> dict[int, tuple[int, ...]]:
    """Return the modules above each one where it is registered last, the network first."""
    root = structure.root
    found: dict[int, tuple[int, ...]] = {}
    pending = [] if root is None else [(root, tuple[int, ...]())]
    while pending:
        module, above = pending.pop()
        if module not in found:
            found[module] = above
            pending += [(child, (*above, module)) for child in structure.graph.modules[module].children]
    return found


def _rows(structure: Structure) -> list[Row]:
    places = _last_places(structure)
    current: dict[int, int] = {}
    rows: list[Row] = []
    for layer in structure.graph.layers:
        module = layer.module
        if layer.level != "layer" or module is None or module not in places:
            continue
        above = places[module]
        for depth in range(1, len(above)):
            if current.get(depth) != above[depth]:
                rows.append(Row(above[depth], depth, inserted=True))
                current[depth] = above[depth]
        rows.append(Row(module, len(above), inserted=False))
        current = {depth: held for depth, held in current.items() if depth < len(above)}
        current[len(above)] = module
    return rows


def _again(structure: Structure, rows: list[Row]) -> list[bool]:
    """Tell which rows show a module that another row counts: a call's first row, or its only one."""
    seen: set[int] = set()
    times: dict[int, int] = {}
    again = []
    for row in rows:
        times[row.module] = times.get(row.module, 0) + row.inserted
        again.append(row.module in (structure.calls if row.inserted else seen))
        if not row.inserted:
            seen.add(row.module)
    return [old or (row.inserted and times[row.module] > 1) for old, row in zip(again, rows, strict=True)]


def _ends(rows: list[Row]) -> list[int]:
    """Return the first row after those that stand below each."""
    ends = [len(rows)] * len(rows)
    open_rows: list[int] = []
    for place, row in enumerate(rows):
        while open_rows and rows[open_rows[-1]].depth >= row.depth:
            ends[open_rows.pop()] = place
        open_rows.append(place)
    return ends
