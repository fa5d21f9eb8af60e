"""Gives a network other input sizes, symbols among them, and infers every shape again.

The kinds' own shape rules are followed along the data flow. Where a frontend knows the shapes from its
framework, inferring them again at the same sizes must give the same: :func:`check_shapes` is that check.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import plain_shape, text
from flopledger.errors import ShapeError
from flopledger.graph.tables import CONTAINER, UNKNOWN, Layer
from flopledger.kinds import Call
from flopledger.kinds.move import given_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.kinds import Kind


def reshape(graph: Graph, inputs: Mapping[int, Shape], kinds: Mapping[str, Kind]) -> Graph:
    """Return the network with other input shapes.

    Args:
        graph: A network whose every shape is known.
        inputs: The new shape of each input's tensor, by its id; an input that is not there keeps its own.
        kinds: Every kind by name, whose shape rules are followed.

    Raises:
        ShapeError: A call has no rule for its shapes, or none for these.
    """
    inference = Inference(graph, inputs, kinds)
    for layer in graph.layers:
        inference.follow(layer)
    tensors = tuple(
        replace(tensor, shape=inference.shapes[tensor.id]) if tensor.shape is not None else tensor
        for tensor in graph.tensors
    )
    return replace(graph, tensors=tensors, layers=tuple(map(inference.renewed, graph.layers)))


def check_shapes(graph: Graph, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """Infer every shape again at the sizes that the graph has; return where another one comes out."""
    again = reshape(graph, {}, kinds)
    return tuple(
        f"tensor {old.id}: {shown(old.shape)} became {shown(new.shape)}"
        for old, new in zip(graph.tensors, again.tensors, strict=True)
        if old.shape != new.shape
    )


def shown(shape: Shape | None) -> str:
    """Write a shape for a message."""
    return "an unknown shape" if shape is None else "x".join(map(text, shape)) or "a scalar"


class Inference:
    """The shapes so far; those of tensors that no call makes stay as they are."""

    def __init__(self, graph: Graph, inputs: Mapping[int, Shape], kinds: Mapping[str, Kind]) -> None:
        self.graph, self.kinds = graph, kinds
        self.shapes: dict[int, Shape] = {t.id: t.shape for t in graph.tensors if t.shape is not None}
        self._given = frozenset(inputs)
        for tensor, shape in inputs.items():
            old = self.shapes.get(tensor)
            if old is None or len(old) != len(shape):
                raise ShapeError(f"tensor {tensor} is {shown(old)}, it can't become {shown(shape)}")
            self.shapes[tensor] = plain_shape(shape)

    def follow(self, layer: Layer) -> None:
        """Infer the outputs of one call; those of a container are made by the calls below it."""
        if layer.kind in (CONTAINER, "input"):
            return
        changed = any(self.shapes.get(i) != self.graph.shape(i) for i in layer.inputs)
        kind = self.kinds.get(layer.kind)
        if layer.kind == UNKNOWN or kind is None:
            if changed:
                raise ShapeError(f"{layer.path}: no rule is known for the shapes of {layer.source!r}")
            return
        if changed or kind.shapes is not given_shape:
            self._apply(layer, kind, changed=changed)

    def _apply(self, layer: Layer, kind: Kind, *, changed: bool) -> None:
        if kind.shapes is given_shape:
            given, became = self.graph.shape(layer.outputs[0]), self.shapes[layer.inputs[0]]
            raise ShapeError(
                f"{layer.path}: its output is given as {shown(given)}, and its input became {shown(became)}: "
                "how the one follows from the other is not known"
            )
        inputs = tuple(self.shapes[i] for i in layer.inputs if i in self.shapes)
        if len(inputs) < len(layer.inputs):
            raise ShapeError(f"{layer.path}: the shape of an input is not known")
        found = kind.shapes(Call(kind, layer.attrs, inputs, where=layer.path))
        if changed and not self._given.issuperset(layer.outputs[len(found) :]):
            raise ShapeError(f"{layer.path}: no rule gives all results of {layer.source!r}")
        if changed or len(found) == len(layer.outputs):
            for tensor, shape in zip(layer.outputs, found, strict=False):
                self.shapes[tensor] = plain_shape(shape)

    def renewed(self, layer: Layer) -> Layer:
        """Return a call whose attributes name the new shapes; only an input's do."""
        if layer.kind != "input":
            return layer
        return replace(layer, attrs={**layer.attrs, "shapes": tuple(self.shapes[i] for i in layer.outputs)})
