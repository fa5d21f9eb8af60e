"""Variables: memory that a network keeps between inferences, by name.

A network that was converted without freezing it, or that is trained on a device, has its weights in
variables, which a graph that runs once fills. One that an inference itself fills is a state instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_tflite.flat.options import FIELDS, options_of
from flopledger_tflite.tables.operators import NAMES

if TYPE_CHECKING:
    from flopledger_tflite.flat.model import Graph, Model, Operator

_HANDLE, _ASSIGN, _ONCE = (NAMES.index(name) for name in ("VAR_HANDLE", "ASSIGN_VARIABLE", "CALL_ONCE"))


def states_of(model: Model) -> frozenset[str]:
    """Return the names of the variables that an inference fills."""
    first = {
        _option(operator, "init_subgraph_index")
        for graph in model.graphs
        for operator in graph.operators
        if operator.code == _ONCE
    }
    found: set[str] = set()
    for index, graph in enumerate(model.graphs):
        assigned = {op.inputs[0] for op in graph.operators if op.code == _ASSIGN and op.inputs}
        if assigned and index not in first:
            handles = [op for op in graph.operators if op.code == _HANDLE and op.outputs]
            found |= {name_of_variable(graph, op) for op in handles if op.outputs[0] in assigned}
    return frozenset(found)


def name_of_variable(graph: Graph, operator: Operator) -> str:
    """Return the name of the variable that an operator gives a handle of."""
    name = _option(operator, "shared_name")
    return str(name or graph.tensors[operator.outputs[0]].name)


def _option(operator: Operator, name: str) -> object:
    number, table = operator.options
    return None if table is None else options_of(FIELDS.get(number, ""), table).get(name)
