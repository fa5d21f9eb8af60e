"""Constants for networks of ONNX that tests write, and the shapes, kinds and costs of their graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.kinds import Call, builtin
from flopledger.kinds.kind import REQUIRED
from onnx_files import FLOAT, INT64, tensor

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

MS = "com.microsoft"


def ints(name: str, *values: int) -> bytes:
    return tensor(name, [len(values)], values, INT64)


def scalar(name: str, value: float, dtype: int = INT64) -> bytes:
    return tensor(name, [], [value], dtype)


def w(name: str, *dims: int, dtype: int = FLOAT) -> bytes:
    return tensor(name, dims, None, dtype)


def shapes(graph: Graph) -> list[tuple[object, ...] | None]:
    return [graph.tensors[i].shape for i in graph.outputs]


def cost(graph: Graph, fact: str = "macs") -> object:
    """Return the multiply-accumulates, or operations of another name, of all calls together."""
    found = 0
    for layer in graph.layers[1:]:
        if layer.kind != "container":
            kind = builtin()[layer.kind]
            args = [tuple(graph.tensors[i].shape or () for i in ids) for ids in (layer.inputs, layer.outputs)]
            call = Call(kind, layer.attrs, *args)
            facts = {**(kind.parts(call) if kind.parts else {}), **kind.facts(call)}
            found += facts.get(fact, 0)  # type: ignore[operator]
    return found


def kinds(graph: Graph) -> list[str]:
    return [layer.kind for layer in graph.layers[1:]]


def out(network: Graph) -> str:
    return "x".join(map(str, network.tensors[network.outputs[0]].shape or ("?",)))


def params(network: Graph) -> list[tuple[str, str, int]]:
    return [(p.names[0], p.role, int(str(p.numel))) for p in network.parameters]


def lacking(graph: Graph) -> list[str]:
    """Return the attributes that the kinds of calls need and that their calls lack."""
    found = []
    for layer in graph.layers[1:]:
        if layer.kind != "container":
            required = {a.name for a in builtin()[layer.kind].attributes if a.default is REQUIRED}
            found += sorted(required - set(layer.attrs))
    return found
