"""Writes a trace into a graph: calls, the containers around them, modules and tensors."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from flopledger.frontend.exported.places import places_of
from flopledger.graph.tables import CONTAINER, Module

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from flopledger.frontend.builder import GraphBuilder
    from flopledger.frontend.exported.operands import Operand
    from flopledger.frontend.exported.records import Record
    from flopledger.graph.tables import Value

Parameters: TypeAlias = "tuple[tuple[str, int], ...]"


class Writer:
    """Puts records into a graph, in order.

    Args:
        network: The type of the module, and the source of the call, that is the whole network.
    """

    def __init__(self, builder: GraphBuilder, records: Sequence[Record], network: str) -> None:
        self.builder, self.records, self.network = builder, records, network
        self.layer_of: dict[int, int] = {}
        self.scope_layers: dict[int, int] = {}
        self.paths: dict[int, str] = {}
        self.modules: dict[Hashable, int] = {}
        self.turns: Counter[int] = Counter()
        self.children: dict[int, list[int]] = {0: []}
        self.chains: dict[int, tuple[int, ...]] = {0: (0,)}
        self.made_by: dict[int, int] = {}
        self.places = places_of(records)

    def write(
        self, inputs: Sequence[Operand], outputs: Sequence[Operand], native: Mapping[str, Value]
    ) -> tuple[int, ...]:
        """Write all records and return the network's outputs."""
        builder = self.builder
        builder.modules.append(Module(0, ("",), self.network, native=native))
        builder.layer("", CONTAINER, self.network, module=0)
        for number, record in enumerate(self.records):
            self._record(number, record)
        ids = tuple(self.tensor(value) for value in outputs)
        self._containers([self.tensor(value) for value in inputs], ids)
        for number, children in self.children.items():
            module = builder.modules[number]
            builder.modules[number] = replace(module, children=tuple(dict.fromkeys(children)))
        return ids

    def tensor(self, value: Operand) -> int:
        """Return a value's id; that of one that shares another's memory comes after the other's."""
        pending = [value]
        while pending:
            one = pending[-1]
            if one.tensor is None and one.owner is not None and one.owner.tensor is None:
                pending.append(one.owner)
                continue
            pending.pop()
            if one.tensor is None:
                owner = None if one.owner is None else one.owner.tensor
                if owner is not None:
                    root = self.builder.tensors[owner].alias_of
                    owner = owner if root is None else root
                one.tensor = self.builder.tensor(one.shape, one.dtype, owner)
        assert value.tensor is not None  # noqa: S101  (the loop gives it one)
        return value.tensor

    def _record(self, number: int, record: Record) -> None:
        if record.level == "function":
            self._part(number, record)
            return
        parent, place = self._around(number, record), self.places[number]
        path = f"{self._prefix(record)}{place.path}"
        # A module that is called again is one module, though each call is a node of its own.
        key = ("scope", record.parent, place.path) if place.again else record.key
        module, index = self._new_module(key, path, record.source, parent, record.parameters, record.native)
        inputs = [self.tensor(value) for value in record.inputs if value.items is None]
        outputs = [self.tensor(value) for value in record.outputs]
        layer = self.builder.layer(
            path, record.kind, record.source, parent=parent, module=module, index=index, inputs=inputs,
            outputs=outputs, attrs=record.attrs, native=record.native, problem=record.problem,
        )  # fmt: skip
        self._placed(number, layer, parent, outputs, path)

    def _placed(self, number: int, layer: int, parent: int, outputs: Sequence[int], path: str) -> None:
        self.layer_of[number], self.paths[number] = layer, path
        self.chains[layer] = (*self.chains[parent], layer)
        for tensor in outputs:
            self.made_by.setdefault(tensor, layer)

    def _part(self, number: int, record: Record) -> None:
        """Write one of the computations of an operator that does several."""
        above = record.parent or 0
        parent = self.layer_of[above]
        around = self.builder.layers[parent]
        path = f"{self.paths[above]}/{record.name}"
        inputs = [self.tensor(value) for value in record.inputs]
        outputs = [self.tensor(value) for value in record.outputs]
        layer = self.builder.layer(
            path, record.kind, record.source, level="function", parent=parent, module=around.module,
            index=around.index, inputs=inputs, outputs=outputs, attrs=record.attrs,
        )  # fmt: skip
        self._placed(number, layer, parent, outputs, path)

    def _around(self, number: int, record: Record) -> int:
        """Return the call that contains a record, after making those of its scopes."""
        parent = 0 if record.parent is None else self.layer_of[record.parent]
        for scope in self.places[number].containers:
            if scope.id not in self.scope_layers:
                path = f"{self._prefix(record)}{scope.path}"
                module, index = self._new_module(
                    ("scope", record.parent, scope.path), path, scope.type, parent
                )
                layer = self.builder.layer(
                    path, CONTAINER, scope.type, parent=parent, module=module, index=index
                )
                self.scope_layers[scope.id] = layer
                self.chains[layer] = (*self.chains[parent], layer)
            parent = self.scope_layers[scope.id]
        return parent

    def _prefix(self, record: Record) -> str:
        return "" if record.parent is None else f"{self.paths[record.parent]}/"

    def _module_of(self, layer: int) -> int:
        module = self.builder.layers[layer].module
        return 0 if module is None else module

    def _new_module(  # noqa: PLR0913, PLR0917  (what a module is)
        self,
        key: Hashable,
        path: str,
        cls: str,
        parent: int,
        parameters: Parameters = (),
        native: Mapping[str, Value] = MappingProxyType({}),
    ) -> tuple[int, int]:
        """Return a module, registered at its first call, and which call of it this is."""
        number = self.modules.get(key)
        if number is None:
            number = self.modules[key] = len(self.builder.modules)
            self.builder.modules.append(Module(number, (path,), cls, parameters=parameters, native=native))
            self.children[number] = []
            self.children[self._module_of(parent)].append(number)
        self.turns[number] += 1
        return number, self.turns[number]

    def uncalled(self, records: Sequence[Record]) -> None:
        """Register the modules of calls that never run, whose weights are stored all the same."""
        for record in records:
            if record.key not in self.modules:
                number = self.modules[record.key] = len(self.builder.modules)
                module = Module(
                    number, (record.name.strip("/"),), record.source, parameters=record.parameters
                )
                self.builder.modules.append(module)
                root = self.builder.modules[0]
                self.builder.modules[0] = replace(root, children=(*root.children, number))

    def _containers(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Give each container the tensors that come into it and that leave it; constants do neither."""
        builder = self.builder
        self.made_by.update((tensor, 0) for tensor in inputs if tensor not in self.made_by)
        entering: dict[int, dict[int, None]] = {}
        leaving: dict[int, dict[int, None]] = {}
        for layer in builder.layers:
            if layer.kind == CONTAINER and layer.level == "layer" and layer.outputs and layer.id:
                continue
            self._crossings(layer.id, layer.inputs, entering, leaving)
        for tensor in outputs:
            made = self.made_by.get(tensor)
            for container in self.chains[made][1:] if made is not None else ():
                leaving.setdefault(container, {})[tensor] = None
        for layer in list(builder.layers):
            if layer.kind != CONTAINER or layer.inputs or layer.outputs or layer.id == 0:
                continue
            builder.layers[layer.id] = replace(
                layer, inputs=tuple(entering.get(layer.id, ())), outputs=tuple(leaving.get(layer.id, ()))
            )
        builder.layers[0] = replace(builder.layers[0], inputs=tuple(inputs), outputs=tuple(outputs))

    def _crossings(
        self,
        layer: int,
        tensors: Sequence[int],
        entering: dict[int, dict[int, None]],
        leaving: dict[int, dict[int, None]],
    ) -> None:
        """Note which containers the inputs of a call come out of and go into."""
        here = self.chains.get(layer, (0,))
        for tensor in tensors:
            made = self.made_by.get(tensor)
            if made is None:
                continue
            there = self.chains[made]
            common = sum(1 for a, b in zip(here, there, strict=False) if a == b)
            for container in here[common:-1]:
                entering.setdefault(container, {})[tensor] = None
            for container in there[common:-1]:
                leaving.setdefault(container, {})[tensor] = None
