"""What leads where: what flows on from certain calls, and what reaches the outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER, TensorRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer, Value


def downstream(
    layers: Iterable[Layer], begins: Callable[[Layer], bool], ends: Callable[[Layer], bool]
) -> frozenset[int]:
    """Return the calls that have an input from a call where it begins, past none where it ends.

    For conventions of tools that lose sight of shapes: their ``[flow]`` says at which calls that begins
    (``from``) and at which it ends (``until``). A container hands on what the calls below it make.
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


def live(graph: Graph, has_calls: Sequence[bool]) -> list[bool]:
    """Return whether what each call computes reaches an output of the network.

    Followed backwards, from the outputs, through the innermost calls and all tensors among their
    arguments, weights that are computed too. A call that writes into memory that is needed later, or
    holds a call that is needed, is needed as well; one that only shows such memory in another form is not.
    """
    memory = memories(graph)
    made = {tensor for layer in graph.layers if not has_calls[layer.id] for tensor in layer.outputs}
    needed: set[int] = set()
    read: set[int] = set()

    def need(tensor: int | None) -> None:
        """Note that a tensor is needed; of a view that no call made, what it shows."""
        while tensor is not None:
            needed.add(tensor)
            read.add(memory[tensor])
            base = graph.tensors[tensor].alias_of
            tensor = None if tensor in made or base is None or base >= tensor else base

    for tensor in graph.outputs:
        need(tensor)
    found = [False] * len(graph.layers)
    for layer in reversed(graph.layers):
        given = () if has_calls[layer.id] else (*layer.inputs, *tensors_among(layer.native.values()))
        if found[layer.id] or any(
            tensor in needed or (memory[tensor] in read and tensor in given) for tensor in layer.outputs
        ):
            found[layer.id] = True
            if layer.parent is not None:
                found[layer.parent] = True
            for tensor in given:
                need(tensor)
    return found


def memories(graph: Graph) -> list[int]:
    """Return the tensor whose memory each tensor shows; a view comes after what it shows."""
    found: list[int] = []
    for tensor in graph.tensors:
        base = tensor.alias_of
        found.append(tensor.id if base is None or base >= tensor.id else found[base])
    return found


def tensors_among(values: Iterable[Value]) -> Iterator[int]:
    """Yield the tensors among native arguments, however they are nested."""
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, TensorRef):
            yield value.id
        elif isinstance(value, tuple):
            pending.extend(value)
        elif isinstance(value, Mapping):
            pending.extend(value.values())
