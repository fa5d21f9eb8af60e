"""A table of modules as tools print it: a row for each call, indented as the modules are registered.

This imitates torchinfo 1.8 (``torchinfo.py: forward_pass``, ``add_missing_container_layers``;
``layer_info.py: leftover_params``), whose total of parameters is the sum of the rows that it prints and so
depends on which rows there are. A module that is registered in several containers is listed in the last of
them. Where the containers around it are not those that were listed last, they get rows of their own, as
those that are never called do. A container's row has the weights that the rows below it don't list; of
several rows of one module, the first counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from flopledger.dims.arithmetic import is_dim, maximum, total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.module_tree import ModuleTree
    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Module, Parameter, Tables


class ModuleRow(NamedTuple):
    """One row: the module, its indentation, and whether it only names the container of the next rows."""

    module: int
    depth: int
    inserted: bool


def unpruned(module: Module, parameters: tuple[Parameter, ...]) -> Iterator[tuple[str, Dim]]:
    """Yield a module's own weights: name, and elements without those that pruning masks out.

    A frontend states the number of remaining elements in the native fact ``kept``, by the names of pruned
    weights: torch.nn.utils.prune keeps the whole weight and a mask, and torchinfo counts the elements that
    the mask keeps.
    """
    masks = module.native.get("kept")
    for name, i in module.parameters:
        if not parameters[i].is_buffer:
            remaining = masks.get(name) if isinstance(masks, Mapping) else None
            yield name, remaining if is_dim(remaining) else parameters[i].numel


def _unpruned_below(graph: Tables, modules: ModuleTree, module: int) -> Dim:
    """Count the unpruned weights of a module and all below it, each parameter object once."""
    parameters = graph.parameters
    found: dict[int, Dim] = {}
    for below in modules.subtree(module):
        record = graph.modules[below]
        objects = [parameters[i].object for _, i in record.parameters if not parameters[i].is_buffer]
        found.update(zip(objects, (value for _, value in unpruned(record, parameters)), strict=True))
    return total(found.values())


def weights_by_row(graph: Tables, calls: CallTree, modules: ModuleTree) -> dict[int, Dim]:
    """Return the elements of the weights that each module's row lists in such a table."""
    rows = _rows(graph, calls)
    repeated = _repeated(rows, calls)
    ends = _ends(rows)
    listed_from: list[Dim] = [0] * (len(rows) + 1)  # by each row and all rows after it together
    found: dict[int, Dim] = {}
    for place in range(len(rows) - 1, -1, -1):
        module = rows[place].module
        value = _unpruned_below(graph, modules, module)
        if graph.modules[module].children:
            value -= listed_from[place + 1] - listed_from[ends[place]]
        listed_from[place] = listed_from[place + 1] + (0 if repeated[place] else value)
        if not repeated[place]:
            # The rows of a container may list more than it has: a module in two containers has a row in one
            # of them, and its weights are subtracted there only. torchinfo prints 0 for a negative number.
            found[module] = maximum(value, 0)
    return found


def _last_places(graph: Tables, calls: CallTree) -> dict[int, tuple[int, ...]]:
    """Return the modules above each one where it is registered last, the network first."""
    root = calls.root_module
    found: dict[int, tuple[int, ...]] = {}
    pending = [] if root is None else [(root, tuple[int, ...]())]
    while pending:
        module, above = pending.pop()
        if module not in found:
            found[module] = above
            pending += [(child, (*above, module)) for child in graph.modules[module].children]
    return found


def _rows(graph: Tables, calls: CallTree) -> list[ModuleRow]:
    places = _last_places(graph, calls)
    current: dict[int, int] = {}
    rows: list[ModuleRow] = []
    for layer in graph.layers:
        module = layer.module
        if layer.level != "layer" or module is None or module not in places:
            continue
        above = places[module]
        for depth in range(1, len(above)):
            if current.get(depth) != above[depth]:
                rows.append(ModuleRow(above[depth], depth, inserted=True))
                current[depth] = above[depth]
        rows.append(ModuleRow(module, len(above), inserted=False))
        current = {depth: held for depth, held in current.items() if depth < len(above)}
        current[len(above)] = module
    return rows


def _repeated(rows: list[ModuleRow], calls: CallTree) -> list[bool]:
    """Return which rows show a module that another row counts.

    The first row of a call counts. An inserted row counts if it is its module's only row: torchinfo gives
    weights to one that it needed once, and none to any if it needed it several times.
    """
    seen: set[int] = set()
    times: dict[int, int] = {}
    repeated = []
    for row in rows:
        times[row.module] = times.get(row.module, 0) + row.inserted
        repeated.append(row.module in (calls.of_module if row.inserted else seen))
        if not row.inserted:
            seen.add(row.module)
    return [
        other or (row.inserted and times[row.module] > 1) for other, row in zip(repeated, rows, strict=True)
    ]


def _ends(rows: list[ModuleRow]) -> list[int]:
    """Return for each row the next one that is not below it."""
    ends = [len(rows)] * len(rows)
    open_rows: list[int] = []
    for place, row in enumerate(rows):
        while open_rows and rows[open_rows[-1]].depth >= row.depth:
            ends[open_rows.pop()] = place
        open_rows.append(place)
    return ends
