"""Views of a graph's tables: who is called below whom, what leads where, what weighs how much.

Everything here is a property of the graph alone, worked out once, when it is first asked for.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.analysis import flow
from flopledger.analysis.likeness import Likeness
from flopledger.analysis.module_rows import listed
from flopledger.dims.arithmetic import equal, plain, total
from flopledger.dims.bounds import number
from flopledger.errors import FlopledgerError, GraphError, Unbounded
from flopledger.graph.tables import CONTAINER, OPTIMIZER, UNKNOWN
from flopledger.kinds import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.counting.ledger import Experts
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer, Module, Parameter
    from flopledger.kinds import Facts, Kind, Parts

    Shapes = tuple[Shape | None, ...]

MOST_WAYS = 2**63
"""The most ways that may lead to a module; the ways double where one is registered twice in its parent."""


class Structure:
    """What the tables of one graph say together."""

    graph: Graph
    kinds: Mapping[str, Kind]

    def __init__(self, graph: Graph, kinds: Mapping[str, Kind]) -> None:
        self.graph, self.kinds = graph, kinds
        self.likeness = Likeness(graph)
        self._facts: dict[int, Facts] = {}
        self._parts: dict[int, Parts] = {}
        self._shown: dict[int, tuple[Shapes, Shapes, Mapping[str, Dim]]] = {}
        self._stated: dict[int, tuple[tuple[Shape, ...], str]] = {}

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
    def parents_first(self) -> list[int]:
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
        for module in self.parents_first:
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

    @functools.cached_property
    def paths_around(self) -> list[int]:
        """Count for each call the ways to the nearest module around it that any leads to."""
        found: list[int] = []
        for layer in self.graph.layers:
            ways = 0 if layer.module is None else self.paths[layer.module]
            found.append(ways or (1 if layer.parent is None else found[layer.parent]))
        return found

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
        """Whether what each call computes reaches an output of the network."""
        return flow.live(self.graph, self.has_calls)

    @functools.cached_property
    def root_batch(self) -> Dim:
        """The length of the first axis of the first input given by position, else 1."""
        for given in self.graph.inputs:
            if given.positional:
                shape = self.graph.shape(given.tensor)
                return shape[0] if shape else 1
        return 1

    @functools.cached_property
    def formulas(self) -> list[Kind | None]:
        """The kind of each call that has a formula and can be counted."""
        return [self.formula(layer) for layer in self.graph.layers]

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
        look = self.likeness.of[layer.id]
        found = self._facts.get(look)
        if found is None:
            found = self._facts[look] = self._worked_out(kind.facts, kind, layer)
        return found

    def parts(self, layer: Layer) -> Parts:
        """Return the arithmetic operations of a call; none where it has no formula."""
        kind = self.formula(layer)
        if kind is None or kind.parts is None:
            return {}
        look = self.likeness.of[layer.id]
        found = self._parts.get(look)
        if found is None:
            found = self._parts[look] = self._worked_out(kind.parts, kind, layer)
        return found

    def _worked_out(
        self, formula: Callable[[Call], dict[str, Dim]], kind: Kind, layer: Layer
    ) -> dict[str, Dim]:
        """Apply a formula to a call; what it can't be applied to is an error in the graph."""
        call = self.call(layer, kind)
        try:
            found = formula(call)
            for value in found.values():
                number(value)
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
    def parameter_facts(self) -> list[tuple[int | None, Mapping[str, object]]]:
        """For each parameter, the first module that has it, and what :data:`facts.PARAMETER_FACTS` names."""
        owners: dict[int, int] = {}
        registered: set[int] = set()
        reached = () if self.root is None else set(self.below(self.root))
        for module in self.graph.modules:
            for _, i in module.parameters:
                owners.setdefault(i, module.id)
                if module.id in reached:
                    registered.add(i)
        storages: set[int] = set()
        objects: set[int] = set()
        found: list[tuple[int | None, Mapping[str, object]]] = []
        for p in self.graph.parameters:
            known: dict[str, object] = {
                "numel": p.numel,
                "param_shape": p.shape,
                "role": p.role,
                "trainable": p.trainable,
                "buffer": p.is_buffer,
                "again": p.storage in storages,
                "repeated": p.object in objects,
                "registered": p.id in registered or p.id not in owners,
                "name": p.names[0] if p.names else "",
            }
            storages.add(p.storage)
            objects.add(p.object)
            found.append((owners.get(p.id), known))
        return found

    def shown(self, layer: Layer) -> tuple[Shapes, Shapes, Mapping[str, Dim]]:
        """Return the shapes of a call's inputs and outputs, and the operations that it has any of."""
        look = self.likeness.of[layer.id]
        found = self._shown.get(look)
        if found is None:
            shape = self.graph.shape
            parts = {name: plain(value) for name, value in self.parts(layer).items() if value != 0}
            inputs, outputs = tuple(map(shape, layer.inputs)), tuple(map(shape, layer.outputs))
            found = self._shown[look] = inputs, outputs, parts
        return found

    def stated(self, module: int) -> tuple[tuple[Shape, ...], str]:
        """Return the shapes of a module's own parameters, and the framework's name of it, ``label``."""
        found = self._stated.get(module)
        if found is None:
            one = self.graph.modules[module]
            label = one.native.get("label")
            weights = tuple(self.graph.parameters[i].shape for _, i in one.parameters)
            found = self._stated[module] = weights, label if isinstance(label, str) else ""
        return found

    @functools.cached_property
    def unformulated(self) -> list[Layer]:
        """The innermost calls that neither have a formula nor lie below one that has."""
        return [
            layer
            for layer, kind in zip(self.graph.layers, self.formulas, strict=True)
            if kind is None
            and layer.kind != CONTAINER
            and not self.has_calls[layer.id]
            and not self.covered[layer.id]
        ]

    @functools.cached_property
    def covered(self) -> list[bool]:
        """Whether a call lies below one whose kind's formula covers all that it does."""
        covered: list[bool] = []
        for layer in self.graph.layers:
            up = layer.parent
            covered.append(up is not None and (covered[up] or self.formulas[up] is not None))
        return covered

    @functools.cached_property
    def true_macs(self) -> list[Dim]:
        """The multiply-accumulates of each call that no other covers; 0 for the covered."""
        return [0 if self.covered[layer.id] else self.macs(layer) for layer in self.graph.layers]

    @functools.cached_property
    def disagreements(self) -> tuple[str, ...]:
        """The calls whose formula says another number of macs than the calls below it."""
        layers = self.graph.layers
        if not any(self.has_calls[i] and kind for i, kind in enumerate(self.formulas)):
            return ()
        below: list[Dim] = [0] * len(layers)
        known = [True] * len(layers)
        found = []
        for layer in reversed(layers):
            kind = self.formulas[layer.id]
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

    @functools.cached_property
    def experts(self) -> tuple[Experts, ...]:
        """The experts that routers pick some of for each token."""
        from flopledger.analysis.experts import groups as routing  # noqa: PLC0415  (routing asks this class)

        return routing.experts(self)

    @property
    def active_params(self) -> Dim:
        """Our own figure of the weights that one token's forward uses: of experts, those picked for it."""
        return total((self.params[0], *(group.active_params - group.params for group in self.experts)))
