"""What flows on from certain calls: for conventions of tools that lose sight of shapes.

A convention's ``[flow]`` says at which calls that begins (``from``) and at which it ends (``until``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.graph import CONTAINER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flopledger.graph import Layer


def downstream(
    layers: Iterable[Layer], begins: Callable[[Layer], bool], ends: Callable[[Layer], bool]
) -> frozenset[int]:
    """Return the calls that have an input from a call where it begins, past none where it ends.

    A container hands on what the calls below it make.
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
