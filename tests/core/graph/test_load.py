"""Every field of a saved graph with every sort of value: read or refused, never an exception of Python's."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import flopledger
import pytest
from flopledger.errors import FlopledgerError, GraphError
from flopledger.graph import tables
from flopledger.graph.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT: dict[str, Any] = {
    "schema": "flopledger.graph/1",
    "reading": {
        "source": "s", "frontend": "f", "framework": "w", "framework_version": "1",
        "profile": {"mode": "eval"}, "notes": ["n"],
    },
    "outputs": [2],
    "inputs": [{"name": "data", "tensor": 0, "positional": True}],
    "modules": [
        {
            "id": 0, "paths": [""], "type": "Net", "bases": ["B"], "children": [1], "parameters": [],
            "training": False, "native": {},
        },
        {
            "id": 1, "paths": ["conv"], "type": "Conv2d", "bases": [], "children": [],
            "parameters": [["weight", 0]], "training": False, "native": {"k": [1, {"map": {"a": 1}}]},
        },
    ],
    "layers": [
        {
            "id": 0, "path": "", "kind": "container", "source": "Net", "level": "layer", "parent": None,
            "module": 0, "index": 1, "inputs": [0], "outputs": [2], "attrs": {}, "native": {},
            "composite": False, "problem": "",
        },
        {
            "id": 1, "path": "conv", "kind": "conv", "source": "Conv2d", "level": "layer", "parent": 0,
            "module": 1, "index": 1, "inputs": [0], "outputs": [1], "native": {"input": {"tensor": 0}},
            "attrs": {"kernel": [3, 3], "out_channels": 4, "bias": False}, "composite": False, "problem": "",
        },
        {
            "id": 2, "path": "odd", "kind": "unknown", "source": "Odd", "level": "op", "parent": 0,
            "module": None, "index": 1, "inputs": [1], "outputs": [2], "attrs": {}, "native": {},
            "composite": False, "problem": "p",
        },
    ],
    "tensors": [
        {"id": 0, "shape": [1, 3, 8, 8], "dtype": "float32", "alias_of": None},
        {"id": 1, "shape": [1, 4, 6, 6], "dtype": "float32", "alias_of": None},
        {"id": 2, "shape": ["N", 4], "dtype": "float32", "alias_of": 1},
    ],
    "parameters": [
        {
            "id": 0, "names": ["conv.weight"], "shape": [4, 3, 3, 3], "dtype": "float32", "role": "weight",
            "trainable": True, "object": 0, "storage": 0,
        }
    ],
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 7, 10**40, 1.5, "", "x", "N", "1//0", "\ud800", [], [None], [1], ["x"], [[1]],
    [["a", 9]], {}, {"a": None}, {"dim": "N"}, {"tensor": 99}, {"float": "nan"}, [{"x": 1}], [2**62] * 3,
)  # fmt: skip
CONVENTIONS = ("mac", "torchinfo")


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from _places(value[key], (*path, key))


GOOD = Graph.from_json(json.dumps(DOCUMENT))
PLACES = list(_places(DOCUMENT))


def _changed(path: tuple[Any, ...], value: object) -> str:
    document = copy.deepcopy(DOCUMENT)
    *above, last = path
    here: Any = document
    for key in above:
        here = here[key]
    here[last] = value
    return json.dumps(document)


def _tried(text: str) -> bool:
    """Return whether a graph is read; count it under two conventions, and write what comes of it."""
    try:
        graph = Graph.from_json(text)
    except GraphError:
        return False
    for convention in CONVENTIONS:
        try:
            ledger = graph.count(convention)
        except FlopledgerError:
            continue
        assert str(ledger)
        assert str(flopledger.compare(graph, GOOD, convention=convention))
        assert ledger.to_json()
    return True


def test_the_document_is_read_as_it_stands() -> None:
    assert _tried(json.dumps(DOCUMENT))
    records = {"reading": tables.Reading, "inputs": tables.Input, "modules": tables.Module}
    records |= {"layers": tables.Layer, "tensors": tables.Tensor, "parameters": tables.Parameter}
    for name, record in records.items():
        written = DOCUMENT[name] if name == "reading" else DOCUMENT[name][-1]
        assert written.keys() == {field.name for field in dataclasses.fields(record)}


@pytest.mark.parametrize("table", [key for key in DOCUMENT if key != "schema"])
def test_any_value_in_any_field_is_read_or_refused(table: str) -> None:
    read = [_tried(_changed(path, value)) for path in PLACES if path[0] == table for value in VALUES]
    assert True in read
    assert False in read


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("parameters", 0, "shape"), None, r"parameters\[0\].shape: expected the sizes of a weight"),
        (("parameters", 0, "names"), "w", r"parameters\[0\].names: expected a list, found 'w'"),
        (("parameters", 0, "trainable"), 1, r"parameters\[0\].trainable: expected true or false, found 1"),
        (("parameters", 0, "storage"), None, r"parameters\[0\].storage: expected an id, found None"),
        (("layers", 1, "module"), True, r"layers\[1\].module: expected an id, found True"),
        (("layers", 1, "problem"), None, r"layers\[1\].problem: expected a text, found None"),
        (("inputs", 0, "positional"), None, r"inputs\[0\].positional: expected true or false, found None"),
        (("modules", 1, "parameters"), [["a"]], r"modules\[1\].parameters: expected pairs"),
        (("reading", "notes"), [1], "reading.notes: expected a text, found 1"),
    ],
)
def test_a_field_of_a_wrong_type_is_named(path: tuple[Any, ...], value: object, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Graph.from_json(_changed(path, value))


def test_a_tensor_of_unknown_shape_is_read() -> None:
    assert Graph.from_json(_changed(("tensors", 2, "shape"), None)).shape(2) is None


def test_the_hostile_graph_of_a_weight_without_shape_is_refused(shared: Path) -> None:
    text = (shared / "cases" / "hostile" / "pshape.json").read_text()
    with pytest.raises(GraphError, match=r"parameters\[0\].shape: expected the sizes"):
        Graph.from_json(text)
