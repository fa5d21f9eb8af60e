"""The data flow between calls: tensors computed from given results, and calls that reach the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flopledger.graph.tables import Layer, Tables

MASK = "attention_mask"
"""The kind of a call that makes a mask of attention."""


def has_mask(graph: Tables) -> bool:
    """Return whether a call makes a mask of attention, or is an attention with a mask of its own."""
    return any(layer.kind == MASK or layer.attrs.get("causal") is True for layer in graph.layers)


def downstream(
    layers: Iterable[Layer], begins: Callable[[Layer], bool], ends: Callable[[Layer], bool]
) -> frozenset[int]:
    """Return the calls that have an input from a call where the flow begins, past none where it ends.

    TensorFlow's profiler needs it: it counts nothing for ops whose shapes its frozen graph does not know,
    which are those after a grouped convolution (a compiled call) up to a reshape to constants. Its ``[flow]``
    states at which calls that begins (``from``) and ends (``until``). Containers are left out: their results
    are made by the calls inside them.
    """
    tensors: set[int] = set()
    calls: set[int] = set()
    for layer in layers:
        if layer.kind == CONTAINER:
            continue
        reached = not tensors.isdisjoint(layer.inputs)
        if reached:
            calls.add(layer.id)
        if begins(layer) or (reached and not ends(layer)):
            tensors.update(layer.outputs)
    return frozenset(calls)


def live(graph: Tables, has_children: Sequence[bool]) -> list[bool]:
    """Return whether the result of each call reaches an output of the network.

    Followed backwards, from the outputs, through the innermost calls and all tensors among their arguments,
    computed weights included. A call that writes into memory that is needed later is needed as well, and so
    is one that contains a needed call; one that only shows such memory in another form is not.
    """
    memory = memories(graph)
    made = {tensor for layer in graph.layers if not has_children[layer.id] for tensor in layer.outputs}
    needed: set[int] = set()
    read: set[int] = set()

    def need(tensor: int | None) -> None:
        """Note that a tensor is needed; if it is a view that no call made, the tensor that it shows too."""
        while tensor is not None:
            needed.add(tensor)
            read.add(memory[tensor])
            base = graph.tensors[tensor].alias_of
            tensor = None if tensor in made or base is None or base >= tensor else base

    for tensor in graph.outputs:
        need(tensor)
    found = [False] * len(graph.layers)
    for layer in reversed(graph.layers):
        given = () if has_children[layer.id] else (*layer.inputs, *tensors_in(layer.native.values()))
        if found[layer.id] or any(
            tensor in needed or (memory[tensor] in read and tensor in given) for tensor in layer.outputs
        ):
            found[layer.id] = True
            if layer.parent is not None:
                found[layer.parent] = True
            for tensor in given:
                need(tensor)
    return found


def memories(graph: Tables) -> list[int]:
    """Return the tensor whose memory each tensor shows; a view comes after the tensor that it shows."""
    found: list[int] = []
    for tensor in graph.tensors:
        base = tensor.alias_of
        found.append(tensor.id if base is None or base >= tensor.id else found[base])
    return found


def tensors_read(layer: Layer) -> set[int]:
    """Return the tensors that a call reads: its inputs, and those among its native arguments."""
    return {*layer.inputs, *tensors_in(layer.native.values())}
