"""The weights that a call reads although no tensor among its operands shows them.

A frontend of operators (PyTorch's, Paddle's) has each weight among the operands. In a file of layers (Caffe,
ONNX, TFLite) and in Keras a layer's weights are its module's parameters, and its inputs are data alone. Such
weights are read by the first innermost call of the module that multiplies, else by its first one.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER, OPTIMIZER, tensors_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.formulas import Formulas
    from flopledger.graph.tables import Layer, Tables


class Hidden:
    """The weights and buffers that calls of one graph read unseen."""

    def __init__(self, graph: Tables, calls: CallTree, formulas: Formulas) -> None:
        self._graph, self._calls, self._formulas = graph, calls, formulas
        made = {i for layer in graph.layers for i in layer.outputs}
        self._given = made | {given.tensor for given in graph.inputs}

    @functools.cached_property
    def unseen(self) -> Mapping[int, tuple[int, ...]]:
        """The parameters that each innermost call reads unseen, by its id."""
        return self._found[0]

    @functools.cached_property
    def shown(self) -> Mapping[int, int]:
        """The parameter that each tensor is that no call makes, found by its shape in its module."""
        return self._found[1]

    @functools.cached_property
    def _found(self) -> tuple[Mapping[int, tuple[int, ...]], Mapping[int, int]]:
        unseen: dict[int, tuple[int, ...]] = {}
        shown: dict[int, int] = {}
        for call, leaves in self._own_leaves().items():
            module = self._graph.layers[call].module
            if module is None:
                continue
            tensors = self._constants(leaves)
            own = self._matched(self._held(module), tensors, shown)
            hiding = [one for one in leaves if one.level != "op"]
            if own and hiding:
                products = (one.id for one in hiding if self._formulas.macs(one) != 0)
                unseen[next(products, hiding[0].id)] = own
        return unseen, shown

    def _own_leaves(self) -> dict[int, list[Layer]]:
        """Return the innermost calls of each call of a module that are in no other module's call inside."""
        found: dict[int, list[Layer]] = {}
        for layer in self._graph.layers:
            if layer.kind == CONTAINER or self._calls.has_children[layer.id]:
                continue
            for call in (layer.id, *self._calls.around(layer.id)):
                one = self._graph.layers[call]
                if one.level == "layer" and one.module is not None:
                    found.setdefault(call, []).append(layer)
                    break
        return found

    def _held(self, module: int) -> list[int]:
        """Return the parameters of a module, and of the modules below it that are never called."""
        modules, waiting, found = self._graph.modules, [module], list[int]()
        seen: set[int] = set()
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            found += [i for _, i in modules[one].parameters]
            waiting += [child for child in modules[one].children if child not in self._calls.of_module]
        return found

    def _constants(self, leaves: Iterable[Layer]) -> list[int]:
        """Return the tensors that calls read and that no call makes, in the order of their use."""
        read = (i for one in leaves for i in (*one.inputs, *tensors_in(one.native.values())))
        tensors = self._graph.tensors
        return [i for i in dict.fromkeys(read) if i not in self._given and tensors[i].parameter is None]

    def _matched(self, held: Iterable[int], tensors: list[int], shown: dict[int, int]) -> tuple[int, ...]:
        """Note which parameters are tensors among the operands, by their shapes, and return the others."""
        parameters, waiting = self._graph.parameters, list(tensors)
        linked = {one.parameter for one in self._graph.tensors if one.parameter is not None}
        found: dict[int, int] = {}
        for i in held:
            one = parameters[i]
            if one.role == OPTIMIZER or one.storage in found or i in linked:
                continue
            tensor = next((t for t in waiting if self._graph.shape(t) == one.shape), None)
            if tensor is None:
                found[one.storage] = i
            else:
                waiting.remove(tensor)
                shown[tensor] = i
        return tuple(found.values())
