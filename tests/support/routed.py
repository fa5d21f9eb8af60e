"""Networks with routers and experts, built call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.dims.types import Dim
    from flopledger.graph.graph import Graph

TOKENS, WIDTH, INNER, EXPERTS = 5, 8, 12, 4

STACK = (EXPERTS, WIDTH, INNER)
"""One weight of 4 experts: 96 elements each, 384 in all."""


class Net:
    """Builds a graph call by call; its root is the module 0, called first."""

    def __init__(self) -> None:
        self.b = GraphBuilder(builtin())
        self.x = self.b.input("x", (TOKENS, WIDTH))
        self.modules: list[dict[str, object]] = []
        self.picked: list[int] = []
        self.root = self.call(self.module("", "mine.Net"), None)

    def module(self, path: str, type_: str = "mine.Block", inside: int | None = None) -> int:
        """Register a module."""
        self.modules.append({"path": path, "type": type_, "children": [], "parameters": []})
        if inside is not None:
            self.holds(inside, len(self.modules) - 1)
        return len(self.modules) - 1

    def holds(self, module: int, child: int) -> None:
        self.modules[module]["children"].append(child)

    def weight(self, module: int, *shape: Dim, storage: int | None = None, role: str = "weight") -> int:
        """Give a module a weight; returns where it is stored."""
        i = len(self.b.parameters)
        stored = i if storage is None else storage
        self.b.parameters.append(Parameter(i, (f"w{i}",), shape, role=role, object=i, storage=stored))
        self.modules[module]["parameters"].append((f"w{i}", i))
        return stored

    def call(self, module: int, parent: int | None, kind: str = "container", **told: object) -> int:
        path = str(self.modules[module]["path"])
        return self.b.layer(path, kind, kind, parent=parent, module=module, **told)

    def op(
        self,
        kind: str,
        parent: int,
        inputs: Sequence[int],
        *shapes: tuple[Dim, ...],
        attrs: dict[str, object] | None = None,
        native: dict[str, object] | None = None,
    ) -> list[int]:
        """Call a function or op; returns its outputs."""
        out = [self.b.tensor(shape) for shape in shapes]
        told = {"attrs": attrs or {}, "native": native or {}}
        self.b.layer(kind, kind, kind, level="op", parent=parent, inputs=inputs, outputs=out, **told)
        return out

    def top_k(self, parent: int, k: Dim = 2, size: Dim = EXPERTS) -> list[int]:
        """Pick k of the places along the last axis; returns values and places."""
        scores = self.b.tensor((TOKENS, size))
        attrs = {"size": k, "axis": -1}
        self.picked = self.op("top_k", parent, [scores], (TOKENS, k), (TOKENS, k), attrs=attrs)
        return self.picked

    def gather(self, parent: int, tensor: int) -> int:
        """Take rows at the places that were picked last."""
        shape, places = (TOKENS, WIDTH), {"index": TensorRef(self.picked[1])}
        return self.op("gather", parent, [tensor], shape, attrs={"shape": shape}, native=places)[0]

    def largest(self, parent: int, scores: int, *, read: bool = True) -> None:
        """Look for the largest along the last axis, and perhaps at its place."""
        attrs = {"axes": (-1,), "keep_dims": False}
        _, place = self.op("reduce_max", parent, [scores], (TOKENS,), (TOKENS,), attrs=attrs)
        if read:
            self.op("gather", parent, [place], (TOKENS, WIDTH), attrs={"shape": (TOKENS, WIDTH)})

    def graph(self) -> Graph:
        self.b.modules.clear()
        for i, told in enumerate(self.modules):
            path, type_ = str(told["path"]), str(told["type"])
            children, parameters = tuple(told["children"]), tuple(told["parameters"])
            self.b.modules.append(Module(i, (path,), type_, children=children, parameters=parameters))
        return self.b.build(Reading("net", "hand", "hand", "1", {}), ())

    def found(self) -> list[tuple[str, int, int, object, object]]:
        experts = self.graph().count("mac").experts
        return [(e.path, e.size, e.picked, e.params, e.active_params) for e in experts]


def block(net: Net, path: str = "moe", inside: int = 0, k: Dim = 2) -> tuple[int, int]:
    """A block with a router of 8 * 4 weights that picks k of 4, and a module for the experts.

    Returns:
        The block's call and the module for the experts, which the caller fills.
    """
    moe = net.module(path, inside=inside)
    router = net.module(f"{path}.router", "mine.Router", inside=moe)
    net.weight(router, EXPERTS, WIDTH)
    experts = net.module(f"{path}.experts", "mine.Experts", inside=moe)
    call = net.call(moe, net.root)
    net.top_k(net.call(router, call), k)
    return call, experts


def expert(net: Net, path: str, inside: int, rows: int = INNER) -> int:
    """An expert of two dense layers: 8 * 12 + 12 * 8 = 192 weights."""
    one = net.module(path, "mine.Expert", inside=inside)
    for name in ("up", "down"):
        dense = net.module(f"{path}.{name}", "mine.Dense", inside=one)
        net.weight(dense, *((WIDTH, rows) if name == "up" else (rows, WIDTH)))
    return one
