"""The data flow between the nodes that a page draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.graph.tables import tensors_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer


def edges(graph: Graph, places: Mapping[int, int], parents: Sequence[int]) -> list[int]:
    """Return the data flow between nodes, two numbers an edge, in one list; -1 is the network's input.

    The first is the node that reads, less the one of the edge before; the second how far before it the node
    is that it reads from. Both are small, and edges of alike blocks are alike.

    ``places`` has the node of a call, or the one that it is drawn in; ``parents`` that of each node.

    It is followed through the innermost calls, with the tensors among all of their arguments; a view that no
    call made is the tensor that it shows.
    """
    layers = graph.layers
    place = _places(layers, places, parents)
    has_children = {layer.parent for layer in layers}
    makers = {given.tensor: -1 for given in graph.inputs}
    found: dict[tuple[int, int], None] = {}
    for layer in layers:
        if layer.id in has_children:
            continue
        here = place[layer.id]
        for tensor in dict.fromkeys((*layer.inputs, *tensors_in(layer.native.values()))):
            maker = _maker(graph, makers, tensor)
            if maker is not None and maker != here:
                found[maker, here] = None
        makers.update((tensor, here) for tensor in layer.outputs)
    readers = [0, *(b for _, b in found)]
    return [step for (a, b), last in zip(found, readers, strict=False) for step in (b - last, b - a)]


def _places(layers: Sequence[Layer], places: Mapping[int, int], parents: Sequence[int]) -> list[int]:
    """Return the node that each call is in: its own if that is inside the node of the call around it.

    A module that is called twice has one path, so a function inside the second call has its node in the first
    one's; the data flow is that of the second.
    """
    found: list[int] = []
    for layer in layers:
        around = 0 if layer.parent is None else found[layer.parent]
        own = places.get(layer.id, around)
        up = own
        while up > around:
            up = parents[up]
        found.append(own if up == around else around)
    return found


def _maker(graph: Graph, makers: Mapping[int, int], tensor: int | None) -> int | None:
    while tensor is not None and tensor not in makers:
        base = graph.tensors[tensor].alias_of
        tensor = None if base is None or base >= tensor else base
    return None if tensor is None else makers[tensor]
