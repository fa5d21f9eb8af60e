"""Call signatures: numbers for calls, equal for calls that are the same but for their place in the network.

Published networks repeat a few blocks many times: the 852 calls of torchvision's ResNet-50, functions and
ops included, have 250 signatures, the 1,011 of ViT-B/16 have 80. A formula or a rule is evaluated once for
each signature instead of once for each call, which keeps counting a long network cheap.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from flopledger.graph.tables import TensorRef

if TYPE_CHECKING:
    from collections.abc import Hashable

    from flopledger.graph.tables import Layer, Module, Tables, Value

# Python's True equals 1 and 1.0 equals 1, but a rule may distinguish them (``native.bias is True``). Values
# of these types may be compared as they are; all others are compared together with their type.
_EXACT = frozenset((int, str, type(None)))


class Signatures:
    """The signatures of one graph's calls and modules."""

    def __init__(self, graph: Tables) -> None:
        self.graph = graph
        self._numbers: dict[Hashable, int] = {}
        self._native: dict[int, int] = {}
        self._modules: dict[int, int] = {}

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

    def native(self, layer: Layer) -> int:
        """Return a number: equal for calls that also have equal native arguments, their modules' included."""
        found = self._native.get(layer.id)
        if found is None:
            module = None if layer.module is None else self.module(self.graph.modules[layer.module])
            signature = (self.of[layer.id], self._frozen(layer.native), module)
            found = self._native[layer.id] = self._number(signature)
        return found

    def module(self, module: Module) -> int:
        """Return a number that is equal for modules with equal native arguments."""
        found = self._modules.get(module.id)
        if found is None:
            found = self._modules[module.id] = self._number(("module", self._frozen(module.native)))
        return found

    def _number(self, signature: Hashable) -> int:
        return self._numbers.setdefault(signature, len(self._numbers))

    def _frozen(self, value: Value) -> Hashable:
        """Return a hashable value that equals another's only if no expression can distinguish the two."""
        kind = type(value)
        if kind in _EXACT:
            return cast("Hashable", value)
        if isinstance(value, tuple):
            return value if _EXACT.issuperset(map(type, value)) else tuple(map(self._frozen, value))
        if isinstance(value, TensorRef):
            return TensorRef, self.graph.tensors[value.id].shape
        if isinstance(value, (dict, Mapping)):  # nearly always a dict, which is quicker to ask
            return Mapping, tuple([(name, self._frozen(item)) for name, item in value.items()])
        return kind, value
