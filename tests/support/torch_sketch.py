"""Networks as PyTorch would be read, written down by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Level, Value

ROOT = 0
"""The module that the network is."""
BUFFERS = ("running_mean", "running_var")


class Sketch:
    """A network: modules are registered first, then called in order; the root's call is made at once."""

    def __init__(self, *inputs: Shape, root: str = "net.Net", positional: bool = True) -> None:
        self.builder = GraphBuilder(builtin())
        self.given = [self.builder.input(f"x{i}", s, positional=positional) for i, s in enumerate(inputs)]
        self.calls = {ROOT: 0}
        self.register(root)
        self.top = self.builder.layer("Net", "container", root, module=ROOT, inputs=self.given)

    def register(  # noqa: PLR0913  (one argument for each column of the table)
        self,
        source: str,
        weights: dict[str, Shape] | None = None,
        *,
        parents: Iterable[int] = (ROOT,),
        bases: tuple[str, ...] = (),
        native: dict[str, Value] | None = None,
        frozen: Iterable[str] = (),
        shared: dict[str, int] | None = None,
    ) -> int:
        """Register a module; ``shared`` takes parameters that exist already, by their id."""
        index = len(self.builder.modules)
        own = [(name, self._parameter(name, s, name in frozen)) for name, s in (weights or {}).items()]
        own += (shared or {}).items()
        shapes = {name: self.builder.parameters[i].shape for name, i in own}
        facts: dict[str, Value] = {"bias": None, **shapes, **(native or {})}
        path = f"m{index}" if index else ""
        self.builder.modules.append(
            Module(index, (path,), source, bases, parameters=tuple(own), native=facts)
        )
        for parent in parents if index else ():
            above = self.builder.modules[parent]
            self.builder.modules[parent] = replace(above, children=(*above.children, index))
        return index

    def _parameter(self, name: str, shape: Shape, frozen: bool) -> int:  # noqa: FBT001
        index, role = len(self.builder.parameters), name if name in BUFFERS else "weight"
        self.builder.parameters.append(
            Parameter(index, (name,), shape, role=role, trainable=not frozen, object=index, storage=index)
        )
        return index

    def call(
        self, module: int, given: Shape | int, gives: Shape, *, parent: int | None = None, **native: Value
    ) -> int:
        """Call a module on a new tensor, or on an input of the network, by its place."""
        tensor = self.given[given] if isinstance(given, int) else self.builder.tensor(given)
        index = self.calls[module] = self.calls.get(module, 0) + 1
        return self.builder.layer(
            f"m{module}",
            "unknown",
            self.builder.modules[module].type,
            parent=self.top if parent is None else parent,
            module=module,
            index=index,
            inputs=[tensor],
            outputs=[self.builder.tensor(gives)],
            native={"args": (TensorRef(tensor),), **native},
        )

    def inner(  # noqa: PLR0913
        self,
        level: Level,
        source: str,
        names: str,
        given: Iterable[Value | Tensor],
        gives: Shape,
        *,
        parent: int | None = None,
        composite: bool = False,
    ) -> int:
        """Call a function or op inside of a call; tensors are given as ``Tensor(shape)``."""
        values = [TensorRef(self.builder.tensor(v.shape)) if isinstance(v, Tensor) else v for v in given]
        return self.builder.layer(
            source.rpartition(".")[2],
            "unknown",
            source,
            level=level,
            parent=self.top if parent is None else parent,
            inputs=[v.id for v in values if isinstance(v, TensorRef)],
            outputs=[self.builder.tensor(gives)],
            native={"args": tuple(values), **dict(zip(names.split(), values, strict=False))},
            composite=composite,
        )

    def graph(self, **profile: Value) -> Graph:
        """Return the finished network, which gives all that was computed, in eval mode with gradients."""
        profile = {"mode": "eval", "grad": True, "fast_paths": True, **profile}
        outputs = [tensor for layer in self.builder.layers for tensor in layer.outputs]
        return self.builder.build(Reading("net.py:Net", "torch", "torch", "2.13.0", profile), outputs)


class Tensor:
    """A tensor among the arguments of a call."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape


def figures(graph: Graph, *names: str) -> dict[str, object]:
    """Count under conventions, by name."""
    return {name: graph.count(name).total.count for name in names}


def params(graph: Graph, *names: str) -> dict[str, object]:
    """Count parameters under conventions, by name."""
    return {name: graph.count(name).total.params for name in names}


def agree(graph: Graph, **expected: int) -> None:
    """Compare figures; names are written with ``_`` for ``-``."""
    wanted = {name.replace("_", "-"): value for name, value in expected.items()}
    assert figures(graph, *wanted) == wanted
