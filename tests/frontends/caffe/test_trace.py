"""Layers that are alike are described once, and each has its own tensors and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.graph.graph import Graph

INPUT = 'input: "x" input_shape { dim: 1 dim: 4 dim: 8 dim: 8 }\n'


def conv(name: str, bottom: str, fields: str = "") -> str:
    own = f"convolution_param {{ num_output: 4 kernel_size: 3 {fields} }}"
    return f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" {own} }}\n'


def outputs(graph: Graph) -> dict[str, object]:
    return {layer.path: graph.shape(layer.outputs[0]) for layer in graph.layers[1:]}


def test_equal_fields_on_other_inputs_give_other_outputs(read: Read) -> None:
    """Three windows of 3 in a row: 8, 6, 4, 2; each weight is 4x4x3x3."""
    graph = read(INPUT + conv("a", "x") + conv("b", "a") + conv("c", "b"))
    assert outputs(graph) == {"a": (1, 4, 6, 6), "b": (1, 4, 4, 4), "c": (1, 4, 2, 2)}
    assert [p.names[0] for p in graph.parameters if p.shape == (4, 4, 3, 3)] == [
        "a.weight", "b.weight", "c.weight",
    ]  # fmt: skip


def test_other_fields_on_equal_inputs_give_other_outputs(read: Read) -> None:
    graph = read(INPUT + conv("a", "x") + conv("b", "x", "pad: 1") + conv("c", "x", "stride: 2"))
    assert outputs(graph) == {"a": (1, 4, 6, 6), "b": (1, 4, 8, 8), "c": (1, 4, 3, 3)}


def test_a_field_without_a_meaning_is_noted_for_each_layer(read: Read) -> None:
    graph = read(INPUT + conv("a", "x", "curious: 1") + conv("b", "x", "curious: 1"))
    assert graph.reading.notes == (
        "a: the field curious of convolution_param was left out",
        "b: the field curious of convolution_param was left out",
    )


def test_layers_that_see_a_view_of_their_input_have_one_each(read: Read) -> None:
    """With the channels on axis 2 all axes before it are one batch: 1x4x8x8 is seen as 4x8x8."""
    line = "convolution_param { num_output: 2 kernel_size: 3 axis: 2 }"
    layers = [
        f'layer {{ name: "{name}" type: "Convolution" bottom: "x" top: "{name}" {line} }}\n' for name in "ab"
    ]
    graph = read(INPUT + "".join(layers))
    seen = [graph.layers[i].inputs[0] for i in (1, 2)]
    assert [graph.shape(tensor) for tensor in seen] == [(4, 8, 8), (4, 8, 8)]
    assert len(set(seen)) == 2
    assert outputs(graph) == {"a": (1, 4, 2, 6), "b": (1, 4, 2, 6)}


def test_layers_that_are_alike_read_their_own_bottoms(read: Read) -> None:
    text = INPUT + conv("a", "x") + conv("b", "x")
    sums = "".join(
        f'layer {{ name: "{name}" type: "Eltwise" bottom: "{first}" bottom: "{second}" top: "{name}" }}\n'
        for name, first, second in (("s", "a", "b"), ("t", "b", "a"))
    )
    graph = read(text + sums)
    a, b = (graph.layers[i].outputs[0] for i in (1, 2))
    assert [layer.inputs for layer in graph.layers[3:]] == [(a, b), (b, a)]
