"""Builds the four tables of a graph; every frontend uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flopledger.dims.arithmetic import plain_shape
from flopledger.errors import ShapeError
from flopledger.frontend.views import Views
from flopledger.graph.graph import Graph
from flopledger.graph.tables import Input, Layer, Module, Parameter, Reading, Tensor
from flopledger.kinds.kind import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Level, Value
    from flopledger.kinds import Kind


class Checkpoint(NamedTuple):
    """How many calls, tensors and paths there were; see :meth:`GraphBuilder.checkpoint`."""

    layers: int
    tensors: int
    paths: int


class GraphBuilder:
    """Collects modules, layers, tensors and parameters, and gives each its id, its place in its table."""

    def __init__(self, kinds: Mapping[str, Kind], views: Views | None = None) -> None:
        self.kinds, self._views = kinds, views or Views()
        self.modules: list[Module] = []
        self.layers: list[Layer] = []
        self.tensors: list[Tensor] = []
        self.parameters: list[Parameter] = []
        self.inputs: list[Input] = []
        self._paths: dict[str, int] = {}
        self._given: list[str] = []

    def tensor(
        self,
        shape: Shape | None,
        dtype: str = "float32",
        alias_of: int | None = None,
        parameter: int | None = None,
    ) -> int:
        """Add a tensor and return its id."""
        plain = None if shape is None else plain_shape(shape)
        tensor = Tensor(len(self.tensors), plain, dtype, alias_of, parameter)
        self.tensors.append(tensor)
        return tensor.id

    def input(
        self, name: str, shape: Shape | None, dtype: str = "float32", *, positional: bool = True
    ) -> int:
        """Add an input of the network and return its tensor's id."""
        tensor = self.tensor(shape, dtype)
        self.inputs.append(Input(name, tensor, positional))
        return tensor

    def unique_path(self, path: str) -> str:
        """Return the path of a call: itself the first time, then with ``#2``, ``#3`` ..."""
        count = self._paths.get(path, 0) + 1
        self._paths[path] = count
        self._given.append(path)
        return path if count == 1 else f"{path}#{count}"

    def checkpoint(self) -> Checkpoint:
        """Return how far calls and tensors have been added, for :meth:`rollback`."""
        return Checkpoint(len(self.layers), len(self.tensors), len(self._given))

    def rollback(self, to: Checkpoint) -> None:
        """Take back the calls and tensors that were added since; their paths are free again."""
        for path in self._given[to.paths :]:
            self._paths[path] -= 1
        del self.layers[to.layers :], self.tensors[to.tensors :], self._given[to.paths :]

    def infer(
        self, kind: str, attrs: Mapping[str, Value], inputs: Sequence[int], where: str
    ) -> tuple[Shape, ...]:
        """Return the output shapes by the kind's shape rule.

        Raises:
            ShapeError: The inputs fit neither the attributes nor each other.
        """
        shapes = []
        for tensor in inputs:
            shape = self.tensors[tensor].shape
            if shape is None:
                message = f"{where}: the shape of its input is not known"
                raise ShapeError(message)
            shapes.append(shape)
        record = self.kinds[kind]
        record.check(attrs, where)
        call = Call(record, attrs, tuple(shapes), where=where)
        found = record.shapes(call)
        if any(isinstance(size, int) and size < 0 for shape in found for size in shape):
            raise call.impossible(f"the output would have a negative size: {found}")
        return found

    def layer(  # noqa: PLR0913  (one argument for each column of the table)
        self,
        path: str,
        kind: str,
        source: str,
        *,
        level: Level = "layer",
        parent: int | None = None,
        module: int | None = None,
        index: int = 1,
        inputs: Sequence[int] = (),
        outputs: Sequence[int] = (),
        attrs: Mapping[str, Value] | None = None,
        native: Mapping[str, Value] | None = None,
        composite: bool = False,
        problem: str = "",
    ) -> int:
        """Add a call and return its id."""
        layer = Layer(
            len(self.layers), self.unique_path(path), kind, source, level, parent, module, index,
            tuple(inputs), tuple(outputs), attrs or {}, native or {}, composite, problem,
        )  # fmt: skip
        self.layers.append(layer)
        return layer.id

    def build(self, reading: Reading, outputs: Sequence[int]) -> Graph:
        """Return the finished graph."""
        return Graph(
            reading, tuple(self.inputs), tuple(outputs), tuple(self.modules), tuple(self.layers),
            self._views.marked(self.layers, self.tensors), tuple(self.parameters),
        )  # fmt: skip
