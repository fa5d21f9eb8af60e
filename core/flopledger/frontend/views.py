"""Which results are in the memory of an operand, where a framework's functions settle that by their kind.

A frontend that can't see memory states the kinds whose results its framework makes without copying.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flopledger.graph.tables import Layer, Tensor

_REGROUPS = frozenset(("reshape", "flatten"))
"""Kinds that need elements next to each other; a part, or another order of the axes, is copied for them."""


@dataclass(frozen=True, slots=True)
class Views:
    """The kinds that copy nothing.

    Attributes:
        whole: Kinds that show all of their operand, in its order.
        strided: Kinds that show a part of it, or its axes in another order.
    """

    whole: frozenset[str] = frozenset()
    strided: frozenset[str] = frozenset()

    def marked(self, layers: Iterable[Layer], tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the tensors, each with the one whose memory it shows."""
        found, strided = list(tensors), set[int]()
        for layer in layers:
            if layer.kind not in self.whole | self.strided or not layer.inputs:
                continue
            operand = layer.inputs[0]
            copied = operand in strided and layer.kind in _REGROUPS
            for result in layer.outputs:
                later = result > operand and found[result].alias_of is None
                if copied or not later or found[result].dtype != found[operand].dtype:
                    continue
                found[result] = replace(found[result], alias_of=operand)
                if layer.kind in self.strided or operand in strided:
                    strided.add(result)
        return tuple(found)
