"""The parameters of a network: the number of elements of each module, and facts about each parameter."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import total
from flopledger.errors import ExpressionError, UsageError
from flopledger.graph.dtypes import bytes_each
from flopledger.graph.tables import OPTIMIZER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.module_tree import ModuleTree
    from flopledger.dims.types import Dim, Number, Shape
    from flopledger.graph.tables import Module, Parameter, Tables


class Weights:
    """The parameters of one graph. Weights are all parameters except buffers, whether trained or frozen."""

    def __init__(self, graph: Tables, calls: CallTree, modules: ModuleTree) -> None:
        self.graph, self._calls, self._modules = graph, calls, modules
        self._below: dict[tuple[int, bool], Dim] = {}
        self.by_rule: dict[tuple[str, str, str], list[tuple[int | None, Number]]] = {}
        """What rules over parameters or modules gave, kept by those who evaluate them: tools share rules."""
        self._described: dict[int, tuple[tuple[Shape, ...], str]] = {}

    def of(self, module: int) -> list[Parameter]:
        """Return a module's own weights, without those of its children."""
        found = (self.graph.parameters[i] for _, i in self.graph.modules[module].parameters)
        return [p for p in found if not p.is_buffer]

    def own(self, module: Module) -> Dim:
        """Count the elements of a module's own weights."""
        return total(p.numel for p in self.of(module.id))

    def own_and_buffers(self, module: Module) -> Dim:
        """Count the elements of a module's own weights and buffers."""
        return total(self.graph.parameters[i].numel for _, i in module.parameters)

    def below(self, module: int, *, trainable: bool = False) -> Dim:
        """Count the weights of a module and all modules below it, each parameter object once."""
        found = self._below.get((module, trainable))
        if found is None:
            objects = {
                p.object: p.numel
                for i in self._modules.subtree(module)
                for p in self.of(i)
                if p.trainable or not trainable
            }
            found = self._below[module, trainable] = total(objects.values())
        return found

    def below_and_buffers(self, module: int) -> Dim:
        """Count the weights and buffers of a module and all modules below it, each parameter object once."""
        parameters, modules = self.graph.parameters, self.graph.modules
        held = (i for m in self._modules.subtree(module) for _, i in modules[m].parameters)
        return total({parameters[i].object: parameters[i].numel for i in held}.values())

    @functools.cached_property
    def totals(self) -> tuple[Dim, Dim, Dim]:
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
    def trained(self) -> list[tuple[int | None, Number]]:
        """The elements of each trainable parameter, each storage once, with the first module that has it."""
        owners, _ = self._owners()
        found: dict[int, tuple[int | None, Number]] = {}
        for p in self.graph.parameters:
            if p.trainable and not p.is_buffer:
                found.setdefault(p.storage, (owners.get(p.id), p.numel))
        return list(found.values())

    @functools.cached_property
    def first_owners(self) -> dict[int, tuple[int, int]]:
        """For each storage, the first module that has it, and the id of the parameter there."""
        found: dict[int, tuple[int, int]] = {}
        for module in self.graph.modules:
            for _, i in module.parameters:
                found.setdefault(self.graph.parameters[i].storage, (module.id, i))
        return found

    @functools.cached_property
    def facts(self) -> list[tuple[int | None, Mapping[str, object]]]:
        """For each parameter, the first module that has it, and the facts for rules over parameters.

        The names are those of :data:`flopledger.conventions.facts.PARAMETER_FACTS`.
        """
        owners, registered = self._owners()
        storages: set[int] = set()
        objects: set[int] = set()
        found: list[tuple[int | None, Mapping[str, object]]] = []
        embeddings, holders = self._embeddings(), self._holders()
        for p in self.graph.parameters:
            known: dict[str, object] = {
                "numel": p.numel,
                "itemsize": _itemsize(p.dtype),
                "param_shape": p.shape,
                "role": p.role,
                "trainable": p.trainable,
                "buffer": p.is_buffer,
                "again": p.storage in storages,
                "repeated": p.object in objects,
                "registered": p.id in registered or p.id not in owners,
                "embedding": p.id in embeddings,
                "tied": holders.get(p.storage, 0) > 1,
                "name": p.names[0] if p.names else "",
            }
            storages.add(p.storage)
            objects.add(p.object)
            found.append((owners.get(p.id), known))
        return found

    def _embeddings(self) -> set[int]:
        """Return the parameters of modules that look words up."""
        calls = (layer for layer in self.graph.layers if layer.kind == "embedding" and layer.level == "layer")
        modules = {layer.module for layer in calls if layer.module is not None}
        return {i for module in modules for _, i in self.graph.modules[module].parameters}

    def _holders(self) -> dict[int, int]:
        """Return how many modules have each storage."""
        held = [{self.graph.parameters[i].storage for _, i in m.parameters} for m in self.graph.modules]
        return Counter(storage for storages in held for storage in storages)

    def _owners(self) -> tuple[dict[int, int], set[int]]:
        """Return the first module that has each parameter, and the parameters that the root reaches."""
        owners: dict[int, int] = {}
        registered: set[int] = set()
        root = self._calls.root_module
        reached = () if root is None else set(self._modules.subtree(root))
        for module in self.graph.modules:
            for _, i in module.parameters:
                owners.setdefault(i, module.id)
                if module.id in reached:
                    registered.add(i)
        return owners, registered

    def described(self, module: int) -> tuple[tuple[Shape, ...], str]:
        """Return the shapes of a module's own parameters, and its native fact ``label`` or ""."""
        found = self._described.get(module)
        if found is None:
            record = self.graph.modules[module]
            label = record.native.get("label")
            shapes = tuple(self.graph.parameters[i].shape for _, i in record.parameters)
            found = self._described[module] = shapes, label if isinstance(label, str) else ""
        return found


def _itemsize(dtype: str) -> Fraction | ExpressionError:
    """Return the bytes of an element; of a type without a size the error, for a rule that asks for it.

    A saved graph may name any type, and few conventions count bytes.
    """
    try:
        return bytes_each(dtype)
    except UsageError as error:
        return ExpressionError(str(error))
