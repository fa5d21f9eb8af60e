"""Views of a graph's tables: who is called below whom, what leads where, what weighs how much.

Everything here is a property of the graph alone, worked out once, when it is first asked for.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.dims import Dim, plain, total
from flopledger.errors import FlopledgerError
from flopledger.graph import CONTAINER, UNKNOWN
from flopledger.kinds import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.graph import Graph, Layer, Module, Parameter
    from flopledger.kinds import Kind


class Structure:
    """What the tables of one graph say together."""

    def __init__(self, graph: Graph, kinds: Mapping[str, Kind]) -> None:
        self.graph, self.kinds = graph, kinds

    @functools.cached_property
    def has_calls(self) -> list[bool]:
        """Whether each call has others below it."""
        below = [False] * len(self.graph.layers)
        for layer in self.graph.layers:
            if layer.parent is not None:
                below[layer.parent] = True
        return below

    @functools.cached_property
    def owners(self) -> list[int | None]:
        """The module that each call runs in: its own, or that of the nearest call around it."""
        owners: list[int | None] = []
        for layer in self.graph.layers:
            around = None if layer.parent is None else owners[layer.parent]
            owners.append(around if layer.module is None else layer.module)
        return owners

    @functools.cached_property
    def calls(self) -> dict[int, list[int]]:
        """The calls of each module, in order."""
        calls: dict[int, list[int]] = {}
        for layer in self.graph.layers:
            if layer.module is not None and layer.level == "layer":
                calls.setdefault(layer.module, []).append(layer.id)
        return calls

    @functools.cached_property
    def root(self) -> int | None:
        """The module that the network is: that of the first call."""
        return self.graph.layers[0].module if self.graph.layers else None

    @functools.cached_property
    def parents(self) -> list[list[int]]:
        """The modules that each module is registered in."""
        parents: list[list[int]] = [[] for _ in self.graph.modules]
        for module in self.graph.modules:
            for child in module.children:
                parents[child].append(module.id)
        return parents

    @functools.cached_property
    def _parents_first(self) -> list[int]:
        """The modules in an order in which parents come before their children."""
        missing = [len(p) for p in self.parents]
        order = [i for i, count in enumerate(missing) if count == 0]
        for module in order:
            for child in self.graph.modules[module].children:
                missing[child] -= 1
                if missing[child] == 0:
                    order.append(child)
        return order

    def ways(self, closed: Callable[[int], bool]) -> list[int]:
        """Count the ways from the root to each module that pass through no closed one."""
        ways = [0] * len(self.graph.modules)
        if self.root is not None:
            ways[self.root] = 1
        for module in self._parents_first:
            if not closed(module):
                for child in self.graph.modules[module].children:
                    ways[child] += ways[module]
        return ways

    @functools.cached_property
    def paths(self) -> list[int]:
        """Count the ways from the root to each module."""
        return self.ways(lambda _: False)

    def own(self, module: Module) -> Dim:
        """Count the elements of a module's own weights."""
        return total(p.numel for p in self._weights(module))

    def stored(self, module: Module) -> Dim:
        """Count the elements of a module's own weights and buffers."""
        return total(self.graph.parameters[i].numel for _, i in module.parameters)

    def _weights(self, module: Module) -> list[Parameter]:
        found = (self.graph.parameters[i] for _, i in module.parameters)
        return [p for p in found if not p.is_buffer]

    def below(self, module: int) -> list[int]:
        """Return a module and all that is registered in it, each once."""
        seen = {module: None}
        pending = [module]
        while pending:
            for child in self.graph.modules[pending.pop()].children:
                if child not in seen:
                    seen[child] = None
                    pending.append(child)
        return list(seen)

    @functools.cached_property
    def everything(self) -> dict[int, Dim]:
        """The elements of all weights below each module, filled as asked for."""
        return {}

    def all(self, module: int, *, trainable: bool = False) -> Dim:
        """Count the weights of a module and all below it, each parameter object once."""
        key = -module - 1 if trainable else module
        if key not in self.everything:
            objects = {
                p.object: p.numel
                for i in self.below(module)
                for p in self._weights(self.graph.modules[i])
                if p.trainable or not trainable
            }
            self.everything[key] = total(objects.values())
        return self.everything[key]

    def rest(self, module: int) -> Dim:
        """Count the weights of a module that no called module below it lists.

        A called leaf lists all of its own; a called container lists its own rest.
        """
        pending, rests = [module], dict[int, Dim]()
        while pending:
            current = pending[-1]
            below = [m for m in self.below(current) if m != current and m in self.calls]
            open_ones = [m for m in below if self.graph.modules[m].children and m not in rests]
            if open_ones:
                pending.extend(open_ones)
                continue
            listed = total(rests[m] if self.graph.modules[m].children else self.all(m) for m in below)
            rests[current] = self.all(current) - listed
            pending.pop()
        return rests[module]

    @functools.cached_property
    def root_batch(self) -> Dim:
        """The length of the first axis of the first input given by position, else 1."""
        for given in self.graph.inputs:
            if given.positional:
                shape = self.graph.shape(given.tensor)
                return shape[0] if shape else 1
        return 1

    def formula(self, layer: Layer) -> Kind | None:
        """Return the kind of a call if it has a formula and the call can be counted."""
        if layer.problem or layer.kind in (CONTAINER, UNKNOWN):
            return None
        kind = self.kinds.get(layer.kind)
        return kind if kind is not None and kind.parts is not None else None

    def call(self, layer: Layer, kind: Kind) -> Call:
        """Return what a kind's formula may look at."""
        shapes = [self.graph.tensors[i].shape for i in (*layer.inputs, *layer.outputs)]
        known = [s for s in shapes if s is not None]
        if len(known) < len(shapes):
            raise FlopledgerError(f"{layer.path}: the shape of an input or output is not known")
        inputs = tuple(known[: len(layer.inputs)])
        return Call(kind, layer.attrs, inputs, tuple(known[len(layer.inputs) :]), layer.path)

    def macs(self, layer: Layer) -> Dim:
        """Count a call's multiply-accumulates by its own kind; 0 where it has no formula."""
        kind = self.formula(layer)
        return plain(kind.facts(self.call(layer, kind)).get("macs", 0)) if kind else 0

    @functools.cached_property
    def covered(self) -> list[bool]:
        """Whether a call lies below one whose kind's formula covers all that it does."""
        covered: list[bool] = []
        for layer in self.graph.layers:
            up = layer.parent
            covered.append(
                up is not None and (covered[up] or self.formula(self.graph.layers[up]) is not None)
            )
        return covered

    @functools.cached_property
    def true_macs(self) -> list[Dim]:
        """The multiply-accumulates of each call that no other covers; 0 for the covered."""
        return [0 if self.covered[layer.id] else self.macs(layer) for layer in self.graph.layers]

    @functools.cached_property
    def disagreements(self) -> tuple[str, ...]:
        """The calls whose formula says another number of macs than the calls below it."""
        below: list[Dim] = [0] * len(self.graph.layers)
        known = [True] * len(self.graph.layers)
        found = []
        for layer in reversed(self.graph.layers):
            kind = self.formula(layer)
            told = self.macs(layer) if kind else below[layer.id]
            if kind and self.has_calls[layer.id] and known[layer.id] and told != below[layer.id]:
                found.append(
                    f"{layer.path} ({layer.source}): {told} macs by its kind {layer.kind!r}, "
                    f"{below[layer.id]} by the calls below it"
                )
            if layer.parent is not None:
                below[layer.parent] += told
                if not kind and not self.has_calls[layer.id] and layer.kind != CONTAINER:
                    known[layer.parent] = False
                known[layer.parent] &= bool(kind) or known[layer.id]
        return tuple(reversed(found))

    @functools.cached_property
    def params(self) -> tuple[Dim, Dim, Dim]:
        """Our own figures: all weights, the trainable ones, and the buffers; each storage once."""
        weights: dict[int, Dim] = {}
        trainable: dict[int, Dim] = {}
        buffers: dict[int, Dim] = {}
        for parameter in self.graph.parameters:
            if parameter.is_buffer:
                buffers[parameter.storage] = parameter.numel
            else:
                weights[parameter.storage] = parameter.numel
                if parameter.trainable:
                    trainable[parameter.storage] = parameter.numel
        return total(weights.values()), total(trainable.values()), total(buffers.values())
