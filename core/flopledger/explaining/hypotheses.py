"""Other things than the network as read that a published figure may be of.

Its down-sampling blocks may have their strides in the other convolution, its classifier may be left out, its
input may have another size, or the figure may be of a batch. Each is a change in words, and a network or a
count that is compared with the figure like any other.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.explaining.classifier import classifier
from flopledger.explaining.moved_strides import with_moved_strides
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.dims.types import Shape
    from flopledger.explaining.classifier import Classifier
    from flopledger.graph.graph import Graph
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


@dataclass(frozen=True)
class Variant:
    """A network that a figure may be of: its graph, and the changes, empty for it as it was read."""

    graph: Graph
    kinds: Mapping[str, Kind]
    changes: tuple[str, ...] = ()

    @functools.cached_property
    def classifier(self) -> Classifier:
        """Its classifier, which a figure of a backbone leaves out."""
        return classifier(self.graph, self.kinds)


def variants(graph: Graph, kinds: Mapping[str, Kind], changes: tuple[str, ...] = ()) -> Iterator[Variant]:
    """Yield a network, and the same with its strides moved if it has blocks for that."""
    yield Variant(graph, kinds, changes)
    moved = with_moved_strides(graph, kinds)
    if moved is not None:
        yield Variant(moved[0], kinds, (*changes, moved[1]))


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
