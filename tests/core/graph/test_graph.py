from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flopledger.errors import GraphError
from flopledger.graph.graph import Graph
from flopledger.graph.tables import Input, Layer, Module, Parameter, Reading, Tensor, TensorRef
from graphs import graphs, layer
from hypothesis import given

READING = Reading("net.prototxt", "caffe", "caffe", "1.0", {"mode": "eval"})
LINEAR = Graph(
    READING,
    (Input("x", 0),),
    (1,),
    (Module(0, ("",), "Net", parameters=(("weight", 0),)),),
    (
        Layer(
            0, "fc", "linear", "InnerProduct", module=0, inputs=(0,), outputs=(1,),
            attrs={"out_features": 4}, native={"args": (TensorRef(0), 1.5, None, True, "x", {"a": (1, 2)})},
        ),
    ),
    (Tensor(0, (2, 3)), Tensor(1, (2, 4), "float16")),
    (Parameter(0, ("fc.weight",), (4, 3)),),
)  # fmt: skip


@given(graphs(symbols=True))
def test_a_graph_comes_back_from_json_without_loss(graph: Graph) -> None:
    again = Graph.from_json(graph.to_json())

    assert again == graph
    assert again.digest == graph.digest


def test_infinities_and_negative_zero_survive() -> None:
    native = {"a": float("inf"), "b": float("-inf"), "c": -0.0, "d": 1e-320}
    graph = replace(LINEAR, layers=(replace(LINEAR.layers[0], native=native),))

    assert str(Graph.from_json(graph.to_json()).layers[0].native) == str(native)


def test_a_saved_graph_is_readable_json_with_a_schema() -> None:
    content = json.loads(LINEAR.to_json())

    assert content["schema"] == "flopledger.graph/1"
    assert content["tensors"] == [{"id": 0, "shape": [2, 3]}, {"id": 1, "shape": [2, 4], "dtype": "float16"}]
    assert content["layers"][0]["native"]["args"] == [
        {"tensor": 0},
        1.5,
        None,
        True,
        "x",
        {"map": {"a": [1, 2]}},
    ]


def test_the_digest_is_of_the_network_and_not_of_where_it_was_read() -> None:
    elsewhere = replace(LINEAR, reading=replace(READING, source="copy.prototxt", framework_version="2.0"))
    trained = replace(LINEAR, reading=replace(READING, profile={"mode": "train"}))
    wider = replace(LINEAR, parameters=(Parameter(0, ("fc.weight",), (5, 3)),))

    assert elsewhere.digest == LINEAR.digest
    assert len({LINEAR.digest, trained.digest, wider.digest}) == 3


def _broken(place: str, value: object) -> str:
    content = json.loads(LINEAR.to_json())
    table, _, path = place.partition(".")
    target = content
    keys = [table, *path.split(".")] if path else [table]
    for key in keys[:-1]:
        target = target[int(key) if key.isdigit() else key]
    target[int(keys[-1]) if keys[-1].isdigit() else keys[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("schema", "flopledger.graph/9", "expected the schema 'flopledger.graph/1'"),
        ("tables", [], "'tables' is not known"),
        ("reading", [], "reading: expected an object"),
        ("tensors", {}, "tensors: expected a list"),
        ("tensors.0", 7, r"tensors\[0\]: expected an object"),
        ("tensors.0", {"id": 0}, "the field 'shape' is missing"),
        ("tensors.0.id", 5, r"its id is 5, expected 0"),
        ("tensors.0.shape", [2, -3], "expected a size, found -3"),
        ("tensors.0.shape", [2, 2**70], "expected a size"),
        ("tensors.0.shape", [2, True], "expected a size, found True"),
        ("tensors.0.shape", ["__import__('os').system('id')"], "not allowed"),
        ("tensors.0.shape", ["N**9**9"], "exponent"),
        ("tensors.0.shape", ["n"], "there is no 'n'"),
        ("tensors.0.shape", ["(1,2)"], "expected a size"),
        ("tensors.0.shap", [1], r"'shap' is not known; did you mean 'shape'\?"),
        ("layers.0.inputs", [9], r"layers\[0\]: there is no id 9 \(there are 2\)"),
        ("layers.0.level", "ops", "expected one of layer, function, op"),
        ("layers.0.parent", 0, "its parent 0 comes after it"),
        ("layers.0.native", {"t": {"tensor": 8}}, "there is no id 8"),
        ("layers.0.native", {"t": {"code": "x"}}, "one of the keys"),
        ("layers.0.composite", "no", "expected true or false"),
        ("modules.0.children", [0], "1 modules contain themselves"),
        ("modules.0.parameters", [["weight"]], "pairs of a name and an id"),
        ("parameters.0.trainable", None, "expected true or false"),
        ("outputs", [-1], "expected an id, found -1"),
    ],
)
def test_a_wrong_field_is_refused_and_named(place: str, value: object, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Graph.from_json(_broken(place, value), "saved.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "NaN", '{"schema": 1}', "[" * 100_000, "1" * 10_000])
def test_what_is_no_saved_graph_is_refused(text: str) -> None:
    with pytest.raises(GraphError, match=r"saved\.json: not"):
        Graph.from_json(text, "saved.json")


def test_attributes_nested_without_end_are_refused() -> None:
    value: object = 1
    for _ in range(60):
        value = [value]

    with pytest.raises(GraphError, match="nested more than 40 levels"):
        Graph.from_json(_broken("layers.0.native", {"x": value}))


def test_two_calls_may_not_have_one_path() -> None:
    twice = replace(LINEAR, layers=(LINEAR.layers[0], replace(LINEAR.layers[0], id=1)))

    with pytest.raises(GraphError, match="the path 'fc' is taken"):
        Graph.from_json(twice.to_json())


def test_a_graph_can_be_counted_again_and_again() -> None:
    graph = layer("linear", {"out_features": 5, "bias": True}, (2, 3))

    assert graph.count("mac").total.count == 2 * 3 * 5
    assert graph.count("2mac", bias="add").total.count == 2 * 2 * 3 * 5 + 2 * 5
    assert graph.count("mac").total.count == 30
