"""The weights that a call reads although no tensor among its operands shows them.

A frontend of operators (PyTorch's, Paddle's) has each weight among the operands. In a file of layers (Caffe,
ONNX, TFLite) and in Keras a layer's weights are its module's parameters, and its inputs are data alone. Such
weights are read by the first innermost call of the module that multiplies, else by its first one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER, OPTIMIZER, tensors_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.formulas import Formulas
    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Layer, Tables


class Hidden:
    """The weights and buffers that calls of one graph read unseen."""

    def __init__(self, graph: Tables, calls: CallTree, formulas: Formulas) -> None:
        self._graph, self._calls, self._formulas = graph, calls, formulas
        made = {i for layer in graph.layers for i in layer.outputs}
        self._given = made | {given.tensor for given in graph.inputs}

    def found(self) -> Mapping[int, tuple[int, ...]]:
        """Return the parameters that each innermost call reads unseen, by its id."""
        found: dict[int, tuple[int, ...]] = {}
        for call, leaves in self._own_leaves().items():
            module = self._graph.layers[call].module
            if module is None:
                continue
            own = self._unseen(self._held(module), leaves)
            if own:
                products = (one.id for one in leaves if self._formulas.macs(one) != 0)
                found[next(products, leaves[0].id)] = own
        return found

    def _own_leaves(self) -> dict[int, list[Layer]]:
        """Return the innermost calls of each call of a module, none that has all its operands to show."""
        found: dict[int, list[Layer]] = {}
        for layer in self._graph.layers:
            if layer.level == "op" or layer.kind == CONTAINER or self._calls.has_children[layer.id]:
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

    def _unseen(self, held: Iterable[int], leaves: Iterable[Layer]) -> tuple[int, ...]:
        """Leave out the parameters that are tensors among the operands, found by their shapes."""
        parameters = self._graph.parameters
        shown: Counter[Shape | None] = Counter()
        for layer in leaves:
            read = {*layer.inputs, *tensors_in(layer.native.values())} - self._given
            shown.update(self._graph.tensors[i].shape for i in read)
        found: dict[int, int] = {}
        for i in held:
            one = parameters[i]
            if one.role == OPTIMIZER or one.storage in found:
                continue
            if shown[one.shape]:
                shown[one.shape] -= 1
            else:
                found[one.storage] = i
        return tuple(found.values())
