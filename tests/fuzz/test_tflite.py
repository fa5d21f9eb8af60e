"""TFLite files: drawn from the operators, and one that a converter wrote with something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import ends, folder
from hypothesis import example, given
from hypothesis import strategies as st
from tflite_files import BOOL, FLOAT, INT8, INT32, Graph, Op, Table, Tensor, encode, model, numbers, weight

ROOT = Path(__file__).resolve().parents[2]
REAL = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.tflite"))]
NAMES = ("x", "w", "k", "i", "a", "b", "")
SIZES = st.sampled_from([0, 1, 2, 3, 5, 8, 64, 2**31 - 1])
NUMBERS = st.sampled_from([0, 1, 2, 3, -1, -2, 7, 10**9, 2**31 - 1, -(2**31)])


@st.composite
def operators(draw: st.DrawFn) -> Op:
    code = draw(st.integers(0, 212))
    kind = draw(st.integers(0, 126))
    fields = draw(
        st.lists(
            st.one_of(NUMBERS.map("i{}".format), st.sampled_from(["b0", "b1", "?1", "-", "[i]1,2"])),
            max_size=7,
        )
    )
    later = code > 161 and draw(st.booleans())
    return Op(
        code,
        draw(st.lists(st.sampled_from(NAMES), max_size=5)),
        draw(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2)),
        kind,
        " ".join(fields),
        later,
        "odd" if code == 32 else "",
    )


def tensors(shape: list[int], signature: list[int]) -> list[Tensor]:
    return [
        Tensor("x", shape, signature=signature),
        weight("w", 8, 3, 3, 3),
        numbers("k", 2, -1),
        Tensor("i", (3,), INT8, (1, 2, 3)),
        Tensor("a", shape),
        Tensor("b", (2, 4), INT32),
        Tensor("c", (), BOOL),
    ]


@given(st.lists(SIZES, max_size=5), st.booleans(), st.lists(operators(), max_size=5))
def test_a_drawn_graph_is_counted_or_refused(shape: list[int], opened: bool, body: list[Op]) -> None:  # noqa: FBT001
    signature = [-1, *shape[1:]] if opened and shape else shape
    graph = Graph(tensors(shape, signature), body, ["x"], ["a"])
    inner = Graph(tensors(shape, signature), [], ["x"], ["x"])
    with folder(net__tflite=model(graph, inner, inner)):
        ends("count", "net.tflite", "-c", "ops", codes=frozenset({0, 3}))
        ends("count", "net.tflite", "-i", "x=1x8x8x3", "--format", "json", codes=frozenset({0, 2, 3}))


@st.composite
def changed(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """Take a file and cut, copy or replace pieces of it."""
    content = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(8, max(len(content) - 1, 8)))
        match draw(st.sampled_from(["cut", "drop", "copy", "byte", "byte", "number"])):
            case "cut":
                del content[at:]
            case "drop":
                del content[at : at + draw(st.integers(1, 40))]
            case "copy":
                content[at:at] = content[at : at + draw(st.integers(1, 40))]
            case "byte" if at < len(content):
                content[at] = draw(st.integers(0, 255))
            case "number" if at + 4 <= len(content):
                content[at : at + 4] = draw(st.integers(0, 2**32 - 1)).to_bytes(4, "little")
    return bytes(content)


@given(changed(REAL))
def test_a_file_with_something_changed_is_counted_or_refused(content: bytes) -> None:
    with folder(net__tflite=content):
        ends("count", "net.tflite", codes=frozenset({0, 3}))


@given(st.binary(max_size=300))
@example(b"")
def test_any_bytes_are_refused(content: bytes) -> None:
    with folder(net__tflite=b"\x10\0\0\0TFL3" + content, other__tflite=content):
        ends("count", "net.tflite", codes=frozenset({0, 3}))
        ends("count", "other.tflite", codes=frozenset({3}))


def calling(code: int, type_: int, text: str) -> bytes:
    """A graph that calls itself twice."""
    call = [Op(code, ["c", "x"] if code == 118 else ["x"], ["a"], type_, text)] * 2
    graph = Graph(tensors([1, 4], [1, 4]), call, ["c", "x"] if code == 118 else ["x"], ["a"])
    return model(graph)


def shared() -> bytes:
    """A list of a million tensors that are one."""
    one = Table({0: ("[i]", [1, 2]), 1: ("b", FLOAT)})
    content = bytearray(
        encode(Table({2: ("[table]", [Table({0: ("[table]", [one] + [Table()] * 200_000)})])}))
    )
    return bytes(content)


BOMBS = {
    "calls itself": lambda: calling(31, 16, "I0"),
    "asks itself": lambda: calling(118, 92, "i0 i0"),
    "many tensors": shared,
    "huge": lambda: model(Graph([Tensor("x", [2**31 - 1] * 6)], [Op(19, ["x"], ["x"])], ["x"], ["x"])),
    "tiles": lambda: model(
        Graph(
            [Tensor("x", [4]), numbers("r", 2**31 - 1), Tensor("y", [4])],
            [Op(69, ["x", "r"], ["y"]), Op(69, ["y", "r"], ["x"])],
            ["x"],
            ["y"],
        )
    ),
    "range": lambda: model(
        Graph(
            [
                numbers("a", 0, shape=()),
                numbers("b", 2**31 - 1, shape=()),
                numbers("c", 1, shape=()),
                Tensor("y", [1]),
            ],
            [Op(96, ["a", "b", "c"], ["y"])],
            [],
            ["y"],
        )
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_made_to_blow_up_ends_soon(name: str) -> None:
    with folder(net__tflite=BOMBS[name]()):
        ends("count", "net.tflite", "-c", "ops", codes=frozenset({0, 3}))
