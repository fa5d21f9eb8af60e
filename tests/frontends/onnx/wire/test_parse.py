from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger_onnx.wire.parse import DEEPEST, Parser, signed
from flopledger_onnx.wire.tensors import MOST_VALUES, shape_of, storage_of, type_name, values_of
from hypothesis import given
from hypothesis import strategies as st
from onnx_files import (
    BOOL,
    FLOAT,
    FLOAT16,
    INT64,
    Graph,
    Tensor,
    block,
    graph,
    model,
    node,
    number,
    tensor,
    value,
    varint,
)  # fmt: skip

if TYPE_CHECKING:
    from flopledger_onnx.wire import messages as m


def parsed(content: bytes) -> m.Model:
    return Parser(content).model()


def graph_of(content: bytes) -> m.Graph:
    found = parsed(model(content)).graph
    assert found is not None
    return found


def test_a_model_is_read_field_by_field() -> None:
    found = parsed(model(graph([node("Relu", ["x"], ["y"], name="a")], [value("x", [1, "n", None])], ["y"])))
    assert (found.ir_version, found.producer_name) == (8, "tests")
    assert [(each.domain, each.version) for each in found.opset_import] == [("", 17)]
    assert found.graph is not None
    (call,) = found.graph.node
    assert (call.op_type, call.name, call.input, call.output) == ("Relu", "a", ["x"], ["y"])
    (info,) = found.graph.input
    assert info.type is not None
    assert info.type.tensor_type is not None
    assert info.type.tensor_type.shape is not None
    dims = [(dim.dim_value, dim.dim_param) for dim in info.type.tensor_type.shape.dim]
    assert dims == [(1, ""), (None, "n"), (None, "")]


def test_attributes_of_every_form_are_read() -> None:
    written = {
        "i": -3,
        "f": 0.5,
        "s": "NOTSET",
        "ints": [1, -1, 300],
        "floats": [1.0, 2.5],
        "strings": ["a", "b"],
    }
    below = Graph(graph([node("Abs", ["x"], ["y"])]))
    found = graph_of(graph([node("Op", [], [], t=Tensor(tensor("w", [2], [1.0, 2.0])), g=below, **written)]))
    got = {each.name: each for each in found.node[0].attribute}
    assert got["i"].i == -3
    assert got["f"].f == 0.5
    assert got["s"].s == b"NOTSET"
    assert got["ints"].ints == [1, -1, 300]
    assert got["floats"].floats == [1.0, 2.5]
    assert got["strings"].strings == [b"a", b"b"]
    assert got["t"].t is not None
    assert got["t"].t.dims == [2]
    assert got["g"].g is not None
    assert got["g"].g.node[0].op_type == "Abs"


def test_packed_and_single_numbers_are_the_same_list() -> None:
    packed, single = block(1, b"\x02\x03"), number(1, 2) + number(1, 3)
    for dims in (packed, single, number(1, 2) + block(1, b"\x03")):
        content = dims + number(2, FLOAT) + block(8, "w")
        assert graph_of(block(5, content)).initializer[0].dims == [2, 3]


def test_a_message_that_comes_twice_is_merged_and_a_number_is_replaced() -> None:
    found = parsed(
        number(1, 3)
        + block(7, graph([node("A", [], [])]))
        + number(1, 8)
        + block(7, graph([node("B", [], [])]))
    )
    assert found.ir_version == 8
    assert found.graph is not None
    assert [each.op_type for each in found.graph.node] == ["A", "B"]


def test_fields_that_are_not_known_are_skipped() -> None:
    strange = (
        number(100, 7)
        + block(101, "text")
        + varint(102 << 3 | 1)
        + bytes(8)
        + varint(103 << 3 | 5)
        + bytes(4)
    )
    assert parsed(strange + number(1, 8)).ir_version == 8


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x3a", "at byte 1: it ends within a field"),
        (b"\x3a\x05\x01", "a field of 5 bytes goes on beyond the end of its message"),
        (b"\x08" + b"\xff" * 11, "at byte 1: a number has no end"),
        (b"\x0b", "there is no wire type 3"),
        (b"\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x01", "goes on beyond the end"),
        (number(7, 1), "the field 'graph' is no message"),
        (number(2, 1), "the field 'producer_name' is no text"),
        (block(1, "x"), "the field 'ir_version' is no whole number"),
        (b"\x0d\x00", "a field of 4 bytes goes on beyond"),
    ],
)
def test_what_is_no_message_is_refused_where_it_goes_wrong(content: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        parsed(content)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("it is no ONNX model: at byte ")


def test_messages_that_lie_too_deep_are_refused_without_recursion() -> None:
    content = graph([])
    for _ in range(5_000):
        content = graph([node("If", [], [], then_branch=Graph(content))])
    with pytest.raises(SourceError, match=f"more than {DEEPEST} deep"):
        parsed(model(content))


def test_too_many_fields_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flopledger_onnx.wire.parse.MOST_FIELDS", 100)
    with pytest.raises(SourceError, match="more than 100 fields"):
        parsed(number(1, 8) * 101)
    with pytest.raises(SourceError, match="more than 100 fields"):
        parsed(model(graph([node("A", [], [], ints=[1] * 101)])))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(content: bytes) -> None:
    try:
        parsed(content)
    except SourceError as error:
        assert "byte" in str(error)  # noqa: PT017  (the bytes may be a message)


def first(content: bytes) -> tuple[Parser, m.Tensor]:
    parser = Parser(model(graph([], constants=[content])))
    found = parser.model().graph
    assert found is not None
    return parser, found.initializer[0]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (FLOAT, (1.5, -2.0)),
        (INT64, (-1, 2**63 - 1)),
        (BOOL, (True, False)),
        (FLOAT16, (0.5, 2.0)),
    ],
)
def test_the_values_of_a_small_tensor_are_read(dtype: int, values: tuple[float, ...]) -> None:
    assert values_of(*first(tensor("w", [2], values, dtype))) == values


@pytest.mark.parametrize(
    ("dtype", "field", "stored", "values"),
    [
        (FLOAT, 4, struct.pack("<2f", 1.5, 2.5), (1.5, 2.5)),
        (11, 10, struct.pack("<2d", 1.5, 2.5), (1.5, 2.5)),
        (INT64, 7, varint(3) + varint(-4), (3, -4)),
        (6, 5, varint(3) + varint(-4), (3, -4)),
        (BOOL, 5, b"\x01\x00", (True, False)),
        (FLOAT16, 5, varint(0x3C00) + varint(0xC000), (1.0, -2.0)),
        (16, 5, varint(0x3F80) + varint(0x4000), (1.0, 2.0)),
        (13, 11, varint(2**64 - 1) + varint(1), (2**64 - 1, 1)),
    ],
)
def test_values_that_lie_in_fields_of_their_type_are_read(
    dtype: int, field: int, stored: bytes, values: tuple[float, ...]
) -> None:
    content = number(1, 2) + number(2, dtype) + block(8, "w") + block(field, stored)
    assert values_of(*first(content)) == values


def test_values_of_large_or_absent_tensors_are_not_read() -> None:
    assert values_of(*first(tensor("w", [MOST_VALUES + 1], [0.0] * (MOST_VALUES + 1)))) is None
    assert values_of(*first(tensor("w", [2]))) is None
    assert values_of(*first(tensor("w", [0], []))) == ()


def test_external_data_of_one_place_are_one_storage() -> None:
    _, a = first(tensor("a", [2, 2]))
    _, b = first(tensor("b", [2, 2]))
    assert storage_of(a) == ("absent.bin", "a", "16")
    assert storage_of(a) != storage_of(b)


def test_a_tensor_whose_bytes_do_not_fit_its_shape_is_refused() -> None:
    _, wrong = first(number(1, 3) + number(2, FLOAT) + block(8, "w") + block(9, bytes(8)))
    with pytest.raises(SourceError, match=r"'w' has 8 bytes, its shape \(3,\) of float32 needs 12"):
        shape_of(wrong)
    _, negative = first(number(1, -3) + number(2, FLOAT) + block(8, "w"))
    _, endless = first(number(1, 2**62) * 300_000 + number(2, FLOAT) + block(8, "w"))
    with pytest.raises(SourceError, match="'w' has 300,000 axes, at most 64"):
        shape_of(endless)
    with pytest.raises(SourceError, match="sizes below 0"):
        shape_of(negative)


def test_a_type_that_is_not_known_is_called_so() -> None:
    assert [type_name(n) for n in (1, 16, 22, 99)] == ["float32", "bfloat16", "int4", "unknown"]


def test_numbers_are_read_in_twos_complement() -> None:
    assert [signed(n) for n in (0, 2**63 - 1, 2**63, 2**64 - 1)] == [0, 2**63 - 1, -(2**63), -1]
