"""What a published figure may be of, other than the network as it was read.

Its down-sampling blocks may have their strides in the other convolution, its classifier may be left out, its
input may have another size, or the figure may be of a batch. Each is a change in words, and a network or a
count that is compared with the figure like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.explaining.moved_strides import with_moved_strides
from flopledger.graph.tables import CONTAINER
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer
    from flopledger.kinds import Kind

SIZES = (224, 227, 256, 299, 384, 512)
"""The input sizes that published networks for pictures have.

224 is usual; 227 is Caffe's AlexNet and SqueezeNet, 299 Inception and Xception, 384 and 512 are the sizes to
which vision transformers are fine-tuned, 256 many of timm's. A size that nobody publishes would only add
chances that a figure fits by accident.
"""
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
"""The batches that figures are published for: tools that do not divide by the batch print its multiple."""
COLOURS = (1, 3)
"""The channels of a picture, by which its axes are known: PyTorch's NCHW or Keras's and TFLite's NHWC."""
RANK = 4
"""The axes of a batch of pictures."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A network that a figure may be of: its graph, and the changes, empty for it as it was read."""

    graph: Graph
    changes: tuple[str, ...] = ()


def variants(graph: Graph, kinds: Mapping[str, Kind], changes: tuple[str, ...] = ()) -> Iterator[Variant]:
    """Yield a network, and the same with its strides moved if it has blocks for that."""
    yield Variant(graph, changes)
    moved = with_moved_strides(graph, kinds)
    if moved is not None:
        yield Variant(moved[0], (*changes, moved[1]))


def other_sizes(graph: Graph) -> Iterator[tuple[int, Shape]]:
    """Yield the other sizes that a network's picture may have, and its shape then; none for other inputs."""
    if len(graph.inputs) != 1:
        return
    shape = graph.shape(graph.inputs[0].tensor)
    if shape is None or len(shape) != RANK:
        return
    axes = (2, 3) if shape[1] in COLOURS else (1, 2) if shape[3] in COLOURS else ()
    if not axes or shape[axes[0]] != shape[axes[1]]:
        return
    for size in SIZES:
        if size != shape[axes[0]]:
            yield size, tuple(size if axis in axes else dim for axis, dim in enumerate(shape))


def classifier(graph: Graph, kinds: Mapping[str, Kind]) -> frozenset[int]:
    """Return the calls of the last dense layer that only activations follow; empty if there is none.

    Figures of a backbone leave it out (``include_top=False`` in Keras, ``num_classes=0`` in timm). Keras and
    Caffe end with a softmax after it. A dense layer further inside is no classifier: without it the network
    would not fit together.
    """
    ends = set(graph.outputs)
    for layer in reversed(graph.layers):
        if layer.kind == CONTAINER or ends.isdisjoint(layer.outputs):
            continue
        if layer.kind == "linear":
            return _whole(graph.layers, layer.outputs[0])
        kind = kinds.get(layer.kind)
        if kind is None or not (kind.group == "activation" or layer.kind in ("softmax", "log_softmax")):
            return frozenset()
        ends |= set(layer.inputs)
    return frozenset()


def _whole(layers: Sequence[Layer], output: int) -> frozenset[int]:
    """Return the calls that make a tensor on every level, and those inside them.

    PyTorch's Linear is a module, a function and a lowered op: whichever a convention counts has to go.
    """
    found: set[int] = set()
    for layer in layers:
        is_dense = layer.kind == "linear" and output in layer.outputs
        if is_dense or layer.parent in found:
            found.add(layer.id)
    return frozenset(found)
