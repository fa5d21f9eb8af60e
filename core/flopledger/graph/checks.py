"""Whether the tables of a graph that somebody else wrote fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.errors import GraphError, shown
from flopledger.graph.tables import tensors_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.graph.tables import Tables

DEEPEST_TREE = 500
"""How deep calls and modules may be nested: no framework can call deeper."""


def check(graph: Tables, where: str) -> None:
    """Check that the tables fit together.

    Raises:
        GraphError: An id differs from its position in the table, or refers to no entry; a call precedes its
        parent, or a tensor precedes the one whose memory it shares; two calls have one path; modules
            contain themselves; calls or modules are nested too deeply.
    """
    for name in ("modules", "layers", "tensors", "parameters"):
        for number, record in enumerate(getattr(graph, name)):
            if record.id != number:
                raise GraphError(f"{where}: {name}[{number}]: its id is {record.id}, expected {number}")
    for place, index, limit in _references(graph):
        if not 0 <= index < limit:
            raise GraphError(f"{where}: {place}: there is no id {index} (there are {limit})")
    for tensor in graph.tensors:
        if tensor.alias_of is not None and tensor.alias_of >= tensor.id:
            message = f"tensors[{tensor.id}]: the tensor {tensor.alias_of} that it shares comes after it"
            raise GraphError(f"{where}: {message}")
    _check_layers(graph, where)
    _check_modules(graph, where)


def _check_layers(graph: Tables, where: str) -> None:
    paths: set[str] = set()
    depths: list[int] = []
    for layer in graph.layers:
        place = f"{where}: layers[{layer.id}]"
        if layer.parent is not None and layer.parent >= layer.id:
            raise GraphError(f"{place}: its parent {layer.parent} comes after it")
        depths.append(0 if layer.parent is None else depths[layer.parent] + 1)
        if depths[-1] > DEEPEST_TREE:
            raise GraphError(f"{place}: it is nested in more than {DEEPEST_TREE} calls")
        if layer.path in paths:
            raise GraphError(f"{place}: the path {shown(layer.path)} is taken")
        paths.add(layer.path)


def _references(graph: Tables) -> Iterator[tuple[str, int, int]]:
    """Yield every reference by id, with the size of the table that it points into."""
    tensors, modules, parameters = len(graph.tensors), len(graph.modules), len(graph.parameters)
    for output in graph.outputs:
        yield "outputs", output, tensors
    for given in graph.inputs:
        yield f"inputs {given.name!r}", given.tensor, tensors
    for tensor in graph.tensors:
        if tensor.alias_of is not None:
            yield f"tensors[{tensor.id}]", tensor.alias_of, tensors
        if tensor.parameter is not None:
            yield f"tensors[{tensor.id}]", tensor.parameter, parameters
    for module in graph.modules:
        for child in module.children:
            yield f"modules[{module.id}]", child, modules
        for _, parameter in module.parameters:
            yield f"modules[{module.id}]", parameter, parameters
    for layer in graph.layers:
        place = f"layers[{layer.id}]"
        for used in (*layer.inputs, *layer.outputs, *tensors_in((layer.native, layer.attrs))):
            yield place, used, tensors
        if layer.parent is not None:
            yield place, layer.parent, len(graph.layers)
        if layer.module is not None:
            yield place, layer.module, modules


def _check_modules(graph: Tables, where: str) -> None:
    """Refuse modules that contain themselves, by taking away those without parents one by one."""
    parents = [0] * len(graph.modules)
    for module in graph.modules:
        for child in module.children:
            parents[child] += 1
    free = [i for i, count in enumerate(parents) if count == 0]
    depths = [0] * len(graph.modules)
    left = len(graph.modules)
    while free:
        left -= 1
        above = free.pop()
        if depths[above] > DEEPEST_TREE:
            raise GraphError(f"{where}: modules[{above}]: it is nested in more than {DEEPEST_TREE} modules")
        for child in graph.modules[above].children:
            depths[child] = max(depths[child], depths[above] + 1)
            parents[child] -= 1
            if parents[child] == 0:
                free.append(child)
    if left:
        raise GraphError(f"{where}: {left} modules contain themselves")
