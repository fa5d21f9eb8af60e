"""Call signatures: numbers for calls, equal for calls that are the same but for their place in the network.

Published networks repeat a few blocks many times: the 852 calls of torchvision's ResNet-50, functions and
ops included, have 250 signatures, the 1,011 of ViT-B/16 have 80. A formula or a rule is evaluated once for
each signature instead of once for each call, which keeps counting a long network cheap.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from flopledger.graph.tables import TensorRef

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from flopledger.graph.tables import Layer, Module, Tables, Value

_NONE: Mapping[str, Value] = MappingProxyType({})
_MISSING = object()
"""Stands for an argument that is not there, which a rule can tell from one that is None."""
# Python's True equals 1 and 1.0 equals 1, but a rule may distinguish them (``native.bias is True``). Values
# of these types may be compared as they are; all others are compared together with their type.
_EXACT = frozenset((int, str, type(None)))


class Signatures:
    """The signatures of one graph's calls and modules."""

    def __init__(self, graph: Tables) -> None:
        self.graph = graph
        self._numbers: dict[Hashable, int] = {}

    @functools.cached_property
    def of(self) -> list[int]:
        """For each call, a number: equal for calls of equal kind, source, level, attributes and shapes."""
        shapes = [tensor.shape for tensor in self.graph.tensors]
        return [
            self._number(
                (
                    layer.kind,
                    layer.source,
                    layer.level,
                    layer.problem,
                    self._frozen(layer.attrs),
                    tuple([shapes[i] for i in layer.inputs]),
                    tuple([shapes[i] for i in layer.outputs]),
                )
            )
            for layer in self.graph.layers
        ]

    def native(self, layer: Layer, module: Module | None, keys: Iterable[str]) -> Hashable:
        """Return a value that is equal for calls of equal native arguments of these names.

        Args:
            layer: The call; its own arguments go before those of its module.
            module: The module that it calls, or whose rule is evaluated; None for a function.
            keys: The names of the arguments that a rule reads: most read few of many.
        """
        own, inherited = layer.native, _NONE if module is None else module.native
        found: list[Hashable] = []
        for key in keys:
            held = own if key in own else inherited
            found.append(self._frozen(held[key]) if key in held else _MISSING)
        return tuple(found)

    def _number(self, signature: Hashable) -> int:
        return self._numbers.setdefault(signature, len(self._numbers))

    def _frozen(self, value: Value) -> Hashable:
        """Return a hashable value that equals another's only if no expression can distinguish the two."""
        kind, frozen = type(value), self._frozen
        if kind in _EXACT:
            return cast("Hashable", value)
        if isinstance(value, tuple):
            return value if _EXACT.issuperset(map(type, value)) else tuple(map(frozen, value))
        if isinstance(value, TensorRef):
            return TensorRef, self.graph.tensors[value.id].shape
        if isinstance(value, (dict, Mapping)):  # nearly always a dict, which is quicker to ask
            items = value.values()
            held = items if _EXACT.issuperset(map(type, items)) else map(frozen, items)
            return Mapping, tuple(value), tuple(held)
        return kind, value
