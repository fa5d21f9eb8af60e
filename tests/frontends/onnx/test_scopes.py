"""Modules, from the scopes and names that exporters write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx_files import graph, model, node, tensor, value

if TYPE_CHECKING:
    from conftest import Read

SCOPES = "pkg.torch.onnx.name_scopes"

CLASSES = "pkg.torch.onnx.class_hierarchy"


def test_scopes_of_the_newer_exporter_are_modules(read: Read) -> None:
    meta = {
        SCOPES: "['', 'layer1', 'layer1.0', 'layer1.0.fc', 'linear']",
        CLASSES: "['Net', 'torch.nn.Sequential', 'Block', 'torch.nn.Linear', 'aten.linear']",
    }
    act = {
        SCOPES: "['', 'layer1', 'layer1.0', 'layer1.0.act', 'relu']",
        CLASSES: meta[CLASSES].replace("Linear", "ReLU"),
    }
    nodes = [
        node("MatMul", ["x", "w"], ["h"], name="node_MatMul", meta=meta),
        node("Add", ["h", "b"], ["i"], name="node_linear", meta=meta),
        node("Relu", ["i"], ["y"], name="node_relu", meta=act),
    ]
    network = read(
        model(graph(nodes, [value("x", [1, 4])], ["y"], [tensor("w", [4, 4], None), tensor("b", [4], None)]))
    )
    rows = [(layer.path, layer.kind, layer.source, layer.parent) for layer in network.layers[1:]]
    assert rows == [
        ("layer1", "container", "torch.nn.Sequential", 0),
        ("layer1.0", "container", "Block", 1),
        ("layer1.0.fc", "container", "torch.nn.Linear", 2),
        ("layer1.0.fc/node_MatMul", "linear", "MatMul", 3),
        ("layer1.0.fc/node_linear", "add", "Add", 3),
        ("layer1.0.act", "relu", "Relu", 2),
    ]
    block = network.layers[2]
    assert (block.inputs, block.outputs) == (network.layers[4].inputs[:1], network.layers[6].outputs)


def test_names_between_slashes_are_modules(read: Read) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/layer1/layer1.0/act/Relu"),
        node("Sigmoid", ["a"], ["b"], name="/layer1/layer1.0/Sigmoid"),
        node("Tanh", ["b"], ["y"], name="/head/act/Tanh;fused/with/another"),
    ]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"])))
    assert [layer.path for layer in network.layers[1:]] == [
        "layer1", "layer1.0", "layer1.0.act", "layer1.0/Sigmoid", "head.act",
    ]  # fmt: skip


def test_a_module_that_is_called_again_is_one_module(read: Read) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/act/Relu"), node("Tanh", ["a"], ["b"], name="/mid/Tanh"),
        node("Relu", ["b"], ["y"], name="/act/Relu_1"),
    ]  # fmt: skip
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"])))
    first, _, again = network.layers[1:]
    assert (first.path, again.path) == ("act", "act#2")
    assert (first.module, first.index, again.index) == (again.module, 1, 2)
