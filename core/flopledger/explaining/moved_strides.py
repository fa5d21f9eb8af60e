"""A network as its other version would be: the strides of its down-sampling blocks in the other convolution.

ResNet-50 of the paper, of Caffe and of Keras down-samples in the first 1x1 convolution of a bottleneck, that
of torchvision ("version 1.5", https://github.com/facebookarchive/fb.resnet.torch) in the 3x3 after it. They
have one name and the same parameters. The rewriting knows neither: it looks for a 1x1 and a larger one that
only norms and activations separate, one of them with a stride, and gives the stride to the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flopledger.errors import ShapeError
from flopledger.graph.tables import CONTAINER
from flopledger.kinds.kind import Call
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer, Value
    from flopledger.kinds import Kind

CONV = "conv"
BETWEEN = frozenset({"norm", "activation"})
"""The groups of kinds that may separate the two: their outputs are as large as their inputs.

A pooling between the two, as in anti-aliased ResNets, has the stride itself: there is none to move.
"""
Stride: TypeAlias = "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Block:
    """A 1x1 convolution and the larger one after it, as calls on every level, and the tensors between."""

    first: tuple[Layer, ...]
    second: tuple[Layer, ...]
    tensors: frozenset[int]
    shape: Shape
    """The shape of the tensors between the two, once the stride has moved."""


def with_moved_strides(graph: Graph, kinds: Mapping[str, Kind]) -> tuple[Graph, str] | None:
    """Return a network with the strides of its blocks moved, and the change in words; None without blocks."""
    blocks = _Blocks(graph, kinds).found()
    if not blocks:
        return None
    layers, tensors = list(graph.layers), list(graph.tensors)
    for block in blocks:
        for calls, other in ((block.first, block.second), (block.second, block.first)):
            # A convention reads one level or another (thop modules, fvcore lowered ops): each has the call.
            for layer in calls:
                layers[layer.id] = replace(layer, attrs=_with_stride_of(layer, other[0]))
        for i in block.tensors:
            tensors[i] = replace(tensors[i], shape=block.shape)
    places = "1 block" if len(blocks) == 1 else f"{len(blocks)} blocks"
    start, end = _words(blocks[0])
    change = f"the stride of {places} moved from the {start} to the {end}"
    reading = replace(graph.reading, notes=(*graph.reading.notes, change))
    return replace(graph, reading=reading, layers=tuple(layers), tensors=tuple(tensors)), change


def _words(block: Block) -> tuple[str, str]:
    """Return the kernel that has the stride, and the one that gets it."""
    pair = [block.first[0], block.second[0]]
    if all(size == 1 for size in _stride(pair[0])):
        pair.reverse()
    start, end = ("x".join(map(str, _per_axis(layer, "kernel"))) for layer in pair)
    return start, end


def _per_axis(layer: Layer, name: str) -> Stride:
    value = layer.attrs.get(name)
    return value if isinstance(value, tuple) else (value,)


def _stride(layer: Layer) -> Stride:
    """Return the stride along each axis; 1 where the call states none, as Keras's do."""
    if layer.attrs.get("stride") is None:
        return tuple(1 for _ in _per_axis(layer, "kernel"))
    return _per_axis(layer, "stride")


def _with_stride_of(layer: Layer, other: Layer) -> dict[str, Value]:
    """Return the attributes of a convolution with the stride of another."""
    return {**layer.attrs, "stride": _stride(other)}


def _is_pointwise(layer: Layer) -> bool:
    """Return whether a convolution is the 1x1 of a block; one in groups (ShuffleNet's) has no stride."""
    return layer.attrs.get("groups", 1) == 1 and all(size == 1 for size in _per_axis(layer, "kernel"))


class _Blocks:
    """Finds the blocks of a graph; the calls of one convolution on several levels share their tensors."""

    def __init__(self, graph: Graph, kinds: Mapping[str, Kind]) -> None:
        self.graph, self.kinds = graph, kinds
        self.readers: dict[int, list[Layer]] = {}
        self.convs: dict[int, list[Layer]] = {}
        for layer in graph.layers:
            if layer.kind == CONTAINER:
                continue
            for tensor in set(layer.inputs):
                self.readers.setdefault(tensor, []).append(layer)
            if layer.kind == CONV and layer.outputs:
                self.convs.setdefault(layer.outputs[0], []).append(layer)

    def found(self) -> list[Block]:
        """Return the blocks whose stride can move."""
        first = (calls for calls in self.convs.values() if all(map(_is_pointwise, calls)))
        return [block for calls in first if (block := self._block(tuple(calls))) is not None]

    def _block(self, first: tuple[Layer, ...]) -> Block | None:
        """Return the block that starts with a convolution, if its stride can move and nothing else changes.

        One of the two has the stride: where both have one, "moved" would say nothing. The block's output
        keeps its size, since the layers behind it are left as they are: a 3x3 without padding gives another
        size once its stride is gone.
        """
        region = self._between(first)
        if region is None:
            return None
        tensors, second = region
        one, other = _stride(first[0]), _stride(second[0])
        if one == other or not (all(s == 1 for s in one) or all(s == 1 for s in other)):
            return None
        try:
            between = self._shape(first[0], second[0], self.graph.shape(first[0].inputs[0]))
            after = self._shape(second[0], first[0], between)
        except ShapeError:
            return None
        if between is None or after != self.graph.shape(second[0].outputs[0]):
            return None
        return Block(first, second, tensors, between)

    def _shape(self, layer: Layer, other: Layer, given: Shape | None) -> Shape | None:
        """Return the output shape of a convolution that has the stride of another."""
        if given is None:
            return None
        kind = self.kinds[CONV]
        return kind.shapes(Call(kind, _with_stride_of(layer, other), (given,), where=layer.path))[0]

    def _between(self, first: tuple[Layer, ...]) -> tuple[frozenset[int], tuple[Layer, ...]] | None:
        """Return the tensors from a convolution to the next, and its calls; None if others read them.

        They change their size with the stride. A squeeze and excitation or a dense connection that reads
        one would need another size too, and such networks are published with one place of the stride.
        """
        start = first[0].outputs[0]
        shape, tensors, waiting = self.graph.shape(start), {start}, [start]
        second: set[int] = set()
        own = {layer.id for layer in first}
        while waiting:
            for layer in self.readers.get(waiting.pop(), ()):
                if layer.id in own:
                    continue
                if layer.kind == CONV and not _is_pointwise(layer):
                    second.add(layer.outputs[0])
                elif self._keeps_shape(layer):
                    new = {i for i in layer.outputs if self.graph.shape(i) == shape} - tensors
                    tensors |= new
                    waiting += new
                else:
                    return None
        if len(second) != 1 or tensors.intersection(self.graph.outputs):
            return None
        return frozenset(tensors), tuple(self.convs[second.pop()])

    def _keeps_shape(self, layer: Layer) -> bool:
        kind = self.kinds.get(layer.kind)
        return kind is not None and (kind.group in BETWEEN or layer.kind == "identity")
