"""Views of a graph's tables: who is called below whom, what leads where, what weighs how much.

Everything here is a property of the graph alone, worked out once, when it is first asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flopledger import functions
from flopledger.dims import Dim, Shape, equal, plain, total
from flopledger.errors import FlopledgerError, GraphError, Unbounded
from flopledger.graph import CONTAINER, OPTIMIZER, UNKNOWN, TensorRef
from flopledger.kinds import Call
from flopledger.listing import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flopledger.graph import Graph, Layer, Module, Parameter, Value
    from flopledger.kinds import Facts, Kind, Parts


MOST_WAYS = 2**63
"""The most ways that may lead to a module; the ways double where one is registered twice in its parent."""


class Structure:
    """What the tables of one graph say together."""

    def __init__(self, graph: Graph, kinds: Mapping[str, Kind]) -> None:
        self.graph, self.kinds = graph, kinds
        self._facts: dict[int, Facts] = {}
        self._parts: dict[int, Parts] = {}

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
    def depths(self) -> list[int]:
        """How many calls are around each call."""
        depths: list[int] = []
        for layer in self.graph.layers:
            depths.append(0 if layer.parent is None else depths[layer.parent] + 1)
        return depths

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
            if ways[module] > MOST_WAYS:
                raise GraphError(f"there are more than {MOST_WAYS} ways to the module {module}")
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

    def all_stored(self, module: int) -> Dim:
        """Count the weights and buffers of a module and all below it, each parameter object once."""
        parameters = self.graph.parameters
        held = (i for m in self.below(module) for _, i in self.graph.modules[m].parameters)
        return total({parameters[i].object: parameters[i].numel for i in held}.values())

    @functools.cached_property
    def listed(self) -> Mapping[int, Dim]:
        """The elements of the weights in each module's row of a table of calls."""
        return listed(self)

    @functools.cached_property
    def live(self) -> list[bool]:
        """Whether what each call computes reaches an output of the network.

        Followed backwards, from the outputs, through the innermost calls and all tensors among their
        arguments, weights that are computed too. A call that writes into memory that is needed later, or
        holds a call that is needed, is needed as well.
        """
        layers = self.graph.layers
        needed = {self._memory(tensor) for tensor in self.graph.outputs}
        live = [False] * len(layers)
        for layer in reversed(layers):
            if live[layer.id] or any(self._memory(tensor) in needed for tensor in layer.outputs):
                live[layer.id] = True
                if layer.parent is not None:
                    live[layer.parent] = True
                if not self.has_calls[layer.id]:
                    needed.update(map(self._memory, (*layer.inputs, *_tensors(layer.native.values()))))
        return live

    @functools.cached_property
    def _memories(self) -> list[int]:
        """The tensor whose memory each tensor shows; a view comes after what it shows."""
        memories: list[int] = []
        for tensor in self.graph.tensors:
            base = tensor.alias_of
            memories.append(tensor.id if base is None or base >= tensor.id else memories[base])
        return memories

    def _memory(self, tensor: int) -> int:
        """Return the tensor whose memory a tensor shows."""
        return self._memories[tensor]

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
        inputs, outputs = self._shapes(layer, layer.inputs), self._shapes(layer, layer.outputs)
        return Call(kind, layer.attrs, inputs, outputs, layer.path)

    def _shapes(self, layer: Layer, tensors: tuple[int, ...]) -> tuple[Shape, ...]:
        shapes = [self.graph.tensors[i].shape for i in tensors]
        known = tuple(shape for shape in shapes if shape is not None)
        if len(known) < len(shapes):
            raise FlopledgerError(f"{layer.path}: the shape of an input or output is not known")
        return known

    def facts(self, layer: Layer) -> Facts:
        """Return the facts of a call's kind; none where it has no formula."""
        kind = self.formula(layer)
        if kind is None:
            return {}
        if layer.id not in self._facts:
            self._facts[layer.id] = self._worked_out(kind.facts, kind, layer)
        return self._facts[layer.id]

    def parts(self, layer: Layer) -> Parts:
        """Return the arithmetic operations of a call; none where it has no formula."""
        kind = self.formula(layer)
        if kind is None or kind.parts is None:
            return {}
        if layer.id not in self._parts:
            self._parts[layer.id] = self._worked_out(kind.parts, kind, layer)
        return self._parts[layer.id]

    def _worked_out(
        self, formula: Callable[[Call], dict[str, Dim]], kind: Kind, layer: Layer
    ) -> dict[str, Dim]:
        """Apply a formula to a call; what it can't be applied to is an error in the graph."""
        call = self.call(layer, kind)
        try:
            found = formula(call)
            for value in found.values():
                functions.number(value)
        except GraphError:
            raise
        except (Unbounded, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
            reason = f"its attributes and shapes don't fit the kind {kind.name!r}: {error}"
            raise GraphError(f"{layer.path}: {reason}") from None
        return found

    def macs(self, layer: Layer) -> Dim:
        """Count a call's multiply-accumulates by its own kind; 0 where it has no formula."""
        return plain(self.facts(layer).get("macs", 0))

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
        layers = self.graph.layers
        if not any(self.has_calls[layer.id] and self.formula(layer) for layer in layers):
            return ()
        below: list[Dim] = [0] * len(layers)
        known = [True] * len(layers)
        found = []
        for layer in reversed(layers):
            kind = self.formula(layer)
            told = self.macs(layer) if kind else below[layer.id]
            if kind and self.has_calls[layer.id] and known[layer.id] and not equal(told, below[layer.id]):
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
        """Our own figures: weights, the trainable ones, buffers; each storage once, no optimizer's state."""
        weights: dict[int, Dim] = {}
        trainable: dict[int, Dim] = {}
        buffers: dict[int, Dim] = {}
        for parameter in self.graph.parameters:
            if parameter.role == OPTIMIZER:
                continue
            if parameter.is_buffer:
                buffers[parameter.storage] = parameter.numel
            else:
                weights[parameter.storage] = parameter.numel
                if parameter.trainable:
                    trainable[parameter.storage] = parameter.numel
        return total(weights.values()), total(trainable.values()), total(buffers.values())


def _tensors(values: Iterable[Value]) -> Iterator[int]:
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
