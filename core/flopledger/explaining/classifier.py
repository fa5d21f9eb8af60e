"""The classifier of a network: its last dense layer, that figures of a backbone leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer
    from flopledger.kinds import Kind

BEHIND = frozenset({"activation", "softmax", "move"})
"""The groups of the kinds that may follow a classifier: Keras and Caffe end with a softmax."""
POOLED = frozenset({"pool", "elementwise"})
"""Groups of kinds behind a convolution that classifies each place: SqueezeNet takes the mean then."""
CLASSES = 2
"""The axes of a classification: samples and classes. The last convolution of a segmentation has four."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """The calls of a classifier on every level, and the ids of its parameters; empty where there is none."""

    calls: frozenset[int] = frozenset()
    parameters: frozenset[int] = frozenset()


def classifier(graph: Graph, kinds: Mapping[str, Kind]) -> Classifier:
    """Return the last dense layer, or 1x1 convolution to a vector of classes, that makes the output.

    Figures of a backbone leave it out (``include_top=False`` in Keras, ``num_classes=0`` in timm). A dense
    layer further inside is no classifier: without it the network would not fit together.
    """
    ends, behind = set(graph.outputs), set[str]()
    for layer in _outermost(graph):
        if ends.isdisjoint(layer.outputs):
            continue
        if layer.kind == "linear" and not behind & POOLED:
            return _found(graph, layer)
        if layer.kind == "conv":
            return _found(graph, layer) if _classifies(graph, layer) else Classifier()
        group = kinds[layer.kind].group if layer.kind in kinds else ""
        if group not in BEHIND | POOLED:
            return Classifier()
        behind.add(group)
        ends |= set(layer.inputs)
    return Classifier()


def _outermost(graph: Graph) -> Iterator[Layer]:
    """Yield the calls in no other one that computes, the last first.

    PyTorch's Linear lowers to a product of matrices, which comes behind it and makes the same tensor.
    """
    within: set[int] = set()
    for layer in graph.layers:
        if layer.parent is not None and (
            layer.parent in within or graph.layers[layer.parent].kind != CONTAINER
        ):
            within.add(layer.id)
    return (layer for layer in reversed(graph.layers) if layer.id not in within and layer.kind != CONTAINER)


def _classifies(graph: Graph, conv: Layer) -> bool:
    """Return whether a convolution is a dense layer at each place, and the network's output one vector."""
    kernel = conv.attrs.get("kernel")
    pointwise = all(size == 1 for size in kernel) if isinstance(kernel, tuple) else kernel == 1
    vectors = all(len(graph.shape(i) or ()) == CLASSES for i in graph.outputs)
    return pointwise and conv.attrs.get("groups", 1) == 1 and vectors


def _found(graph: Graph, dense: Layer) -> Classifier:
    """Return the calls that make a layer's output, and those inside them, with the layer's parameters.

    PyTorch's Linear is a module, a function and a lowered op: whichever a convention counts has to go.
    """
    calls: set[int] = set()
    for layer in graph.layers:
        same = layer.kind == dense.kind and dense.outputs[0] in layer.outputs
        if same or layer.parent in calls:
            calls.add(layer.id)
    return Classifier(frozenset(calls), frozenset(_parameters(graph, dense)))


def _parameters(graph: Graph, dense: Layer) -> Iterator[int]:
    """Yield the parameters of a layer: those of its module, or of the one around it, with an axis of classes.

    Keras's Dense is a module whose product is a function inside; a model that calls a function itself may
    have other parameters of its own, such as a class token. A module that is called elsewhere too stays.
    """
    around = dense
    while around.module is None and around.parent is not None:
        around = graph.layers[around.parent]
    classes = dense.attrs.get("out_channels" if dense.kind == "conv" else "out_features")
    calls = [layer for layer in graph.layers if layer.module == around.module and layer.level == "layer"]
    if around.module is not None and len(calls) == 1:
        own = (i for _, i in graph.modules[around.module].parameters)
        yield from (i for i in own if classes in graph.parameters[i].shape)
