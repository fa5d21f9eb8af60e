"""Layers of Caffe as text, and the parts of graphs that tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer

INPUT = 'input: "x" input_shape { dim: 2 dim: 3 dim: 8 dim: 8 }\n'
DATA = 'layer { name: "d" type: "%s" top: "data" top: "label" %s }\n'
LOSS = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" }'


def one(
    read: Read, layer: str, *inputs: str, given: tuple[str, ...] = (), **options: str
) -> tuple[Graph, Layer]:
    """Read a layer on inputs ``a``, ``b``, ``c`` .. of the shapes given."""
    text = ""
    bottoms = ""
    for name, sizes in zip("abcdefg", inputs, strict=False):
        dims = "".join(f"dim: {size} " for size in sizes.split("x") if size)
        shape = f"input_param {{ shape {{ {dims} }} }}"
        text += f'layer {{ name: "in_{name}" type: "Input" top: "{name}" {shape} }}\n'
        bottoms += f'bottom: "{name}" '
    kind, _, fields = layer.partition(" ")
    tops = "" if "top:" in fields or kind in ("Silence", "HDF5Output") else 'top: "y"'
    graph = read(f'{text}layer {{ name: "l" type: "{kind}" {bottoms} {tops} {fields} }}', *given, **options)
    return graph, graph.layers[-1]


def shapes(graph: Graph, layer: Layer) -> list[Shape | None]:
    return [graph.shape(tensor) for tensor in layer.outputs]


def blobs(graph: Graph, layer: Layer) -> dict[str, Shape]:
    assert layer.module is not None
    return {name: graph.parameters[i].shape for name, i in graph.modules[layer.module].parameters}


def relu(name: str, bottom: str, top: str, more: str = "") -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{top}" {more} }}\n'


def dense(name: str, bottom: str, top: str, more: str = "", out: int = 4) -> str:
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" {more} '
        f"inner_product_param {{ num_output: {out} }} }}\n"
    )


def names(graph: Graph) -> list[str]:
    return [layer.path for layer in graph.layers[1:]]


def layer_of(graph: Graph, path: str) -> Layer:
    return next(layer for layer in graph.layers if layer.path == path)


def inputs(graph: Graph) -> dict[str, object]:
    return {item.name: graph.shape(item.tensor) for item in graph.inputs}
