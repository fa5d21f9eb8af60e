from __future__ import annotations

import pytest
from flopledger.errors import SourceError
from flopledger_tflite.flat.buffer import Flat
from flopledger_tflite.flat.model import model_of
from tflite_files import FLOAT, Graph, Op, Table, Tensor, encode, model, numbers, weight


def small() -> bytes:
    tensors = [
        Tensor("x", (1, 4), signature=(-1, 4)),
        weight("w", 3, 4),
        numbers("n", 1, 2),
        Tensor("y", (1, 3)),
    ]
    graph = Graph(
        tensors, [Op(9, ["x", "w", ""], ["y"], 8, "b1"), Op(32, ["y"], ["y"], custom="odd")], ["x"], ["y"]
    )
    return model(graph, names={"x": "image"})


def test_a_model_s_parts_are_read() -> None:
    found = model_of(Flat(small()))
    assert (found.version, found.names, len(found.graphs)) == (3, {0: "image"}, 1)
    graph = found.graphs[0]
    assert (graph.inputs, graph.outputs) == ((0,), (3,))
    assert [(t.name, t.shape, t.signature, t.dtype) for t in graph.tensors] == [
        ("x", (1, 4), (-1, 4), "float32"),
        ("w", (3, 4), (3, 4), "float32"),
        ("n", (2,), (2,), "int32"),
        ("y", (1, 3), (1, 3), "float32"),
    ]
    assert [(op.code, op.custom, op.inputs, op.outputs) for op in graph.operators] == [
        (9, "", (0, 1, -1), (3,)),
        (32, "odd", (3,), (3,)),
    ]
    assert [graph.tensors[0].stated, graph.tensors[3].stated] == [None, (1, 3)]
    assert found.buffers[0] is None
    assert found.buffers[graph.tensors[1].buffer] == (1 << 40, 48)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (Table({1: ("[i]", [5])}), "an input of the graph is the tensor 5, the graph has 0"),
        (Table({3: ("[table]", [Table({0: ("I", 3)})])}), "an operator has the code 3, the file lists 0"),
        (Table({0: ("[table]", [Table({0: ("[i]", [2, -3]), 1: ("b", FLOAT)})])}), "has the shape"),
        (
            Table({0: ("[table]", [Table({0: ("[i]", [2] * 65), 1: ("b", FLOAT)})])}),
            "has 65 axes, at most 64",
        ),
        (Table({0: ("[table]", [Table({2: ("I", 9)})])}), "names the buffer 9, there are 0"),
    ],
)
def test_numbers_that_lead_nowhere_are_refused(graph: Table, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        model_of(Flat(encode(Table({2: ("[table]", [graph])}))))
