"""ONNX files: drawn from the operators, and real ones with something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flopledger_onnx.tables.layers import TABLE
from fuzzing import ends, folder
from hypothesis import example, given
from hypothesis import strategies as st
from onnx_files import BOOL, FLOAT, INT8, INT64, Graph, function, graph, model, node, tensor, value

ROOT = Path(__file__).resolve().parents[2]
REAL = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.onnx"))]
PUBLISHED = [
    path.read_bytes()
    for path in sorted((ROOT.parent / "shared" / "golden" / "onnx").glob("*.onnx"))
    if path.stat().st_size < 70_000
]
NAMES = st.sampled_from(["x", "w", "k", "i", "a", "b", "c", ""])
SIZES = st.sampled_from([0, 1, 2, 3, 5, 8, 64, -1, 2**31 - 1, 2**62, None, "n", "batch"])
NUMBERS = st.sampled_from([0, 1, 2, 3, -1, -2, 7, 10**9, 2**31 - 1, 2**63 - 1, -(2**63)])
OPERATORS = sorted({name.removeprefix("com.microsoft.") for name in TABLE} | {"Magic"})
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        [
            "axis", "axes", "kernel_shape", "strides", "pads", "dilations", "group", "auto_pad", "perm", "to",
            "hidden_size", "num_heads", "kv_num_heads", "q_num_heads", "blocksize", "mode", "split",
            "equation", "keepdims", "k", "K", "N", "transB", "output_shape", "size", "num_groups", "shape",
            "ceil_mode", "num_outputs", "direction", "scales",
        ]
    ),
    NUMBERS
    | st.lists(NUMBERS, min_size=1, max_size=4)
    | st.sampled_from(["SAME_UPPER", "linear", "ab,bc->ac", 0.5]),
    max_size=3,
)  # fmt: skip


@st.composite
def nodes(draw: st.DrawFn) -> bytes:
    domain = draw(st.sampled_from(["", "", "", "com.microsoft"]))
    return node(
        draw(st.sampled_from(OPERATORS)),
        draw(st.lists(NAMES, max_size=5)),
        draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3)),
        domain=domain,
        **draw(ATTRIBUTES),
    )


def constants() -> list[bytes]:
    return [
        tensor("w", [8, 3, 3, 3], None),
        tensor("k", [2], [2, -1], INT64),
        tensor("i", [3], [1, 2, 3], INT8),
    ]


@given(st.lists(SIZES, max_size=5), st.lists(nodes(), max_size=5), st.sampled_from([1, 7, 11, 13, 18, 24]))
def test_a_drawn_graph_is_counted_or_refused(
    dims: list[int | str | None], body: list[bytes], opset: int
) -> None:
    content = model(graph(body, [value("x", dims)], ["a"], constants()), opset=opset, com_microsoft=1)
    with folder(net__onnx=content):
        ends("count", "net.onnx", "-c", "ops", codes=frozenset({0, 2, 3}))
        ends("count", "net.onnx", "-i", "x=1x3x8x8", "--format", "json", codes=frozenset({0, 2, 3}))


@st.composite
def changed(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """Take a file and cut, copy or replace pieces of it."""
    content = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        match draw(st.sampled_from(["cut", "drop", "copy", "byte"])):
            case "cut":
                del content[at:]
            case "drop":
                del content[at : at + draw(st.integers(1, 40))]
            case "copy":
                content[at:at] = content[at : at + draw(st.integers(1, 40))]
            case "byte" if content:
                content[at] = draw(st.integers(0, 255))
    return bytes(content)


@given(changed(REAL))
def test_a_file_with_something_changed_is_counted_or_refused(content: bytes) -> None:
    with folder(net__onnx=content):
        ends("count", "net.onnx", codes=frozenset({0, 3}))


@pytest.mark.skipif(not PUBLISHED, reason="the published networks, ../shared, are not there")
@given(st.data())
def test_a_published_file_with_something_changed_is_counted_or_refused(data: st.DataObject) -> None:
    with folder(net__onnx=data.draw(changed(PUBLISHED))):
        ends("count", "net.onnx", "-c", "onnx-tool", codes=frozenset({0, 2, 3}))


@given(st.binary(max_size=300))
@example(b"")
def test_any_bytes_are_refused(content: bytes) -> None:
    with folder(net__onnx=content):
        ends("count", "net.onnx", codes=frozenset({0, 3}))


def nested(deep: int) -> bytes:
    content = graph([node("Relu", ["x"], ["y"])], [], ["y"])
    for _ in range(deep):
        branch = Graph(content)
        content = graph([node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)], [], ["y"])
    inside = Graph(content)
    top = graph(
        [node("If", ["c"], ["y"], then_branch=inside, else_branch=inside)],
        [value("x", [1]), value("c", [], BOOL)],
        ["y"],
    )
    return model(top)


def doubled(levels: int) -> bytes:
    functions = [
        function(f"F{i}", "d", ["x"], ["y"], [
            node(f"F{i + 1}", ["x"], ["h"], domain="d"), node(f"F{i + 1}", ["h"], ["y"], domain="d"),
        ])
        for i in range(levels)
    ]  # fmt: skip
    functions.append(function(f"F{levels}", "d", ["x"], ["y"], [node("Relu", ["x"], ["y"])]))
    return model(
        graph([node("F0", ["x"], ["y"], domain="d")], [value("x", [1])], ["y"]), functions=functions, d=1
    )


def squared(times: int) -> bytes:
    """Sizes that are squared over and over, and expressions that double."""
    steps = [node("Shape", ["x"], ["s0"])]
    steps += [node("Mul", [f"s{i}", f"s{i}"], [f"s{i + 1}"]) for i in range(times)]
    steps.append(node("Expand", ["x", f"s{times}"], ["y"]))
    return model(graph(steps, [value("x", ["n", 3])], ["y"]))


def endless() -> bytes:
    body = Graph(
        graph(
            [node("Identity", ["go"], ["again"]), node("Add", ["h", "h"], ["next"])],
            [value("i", [], INT64), value("go", [], BOOL), value("h", [1])],
            ["again", "next"],
        )
    )
    return model(
        graph(
            [node("Loop", ["m", "", "x"], ["y"], body=body)],
            [value("x", [1])],
            ["y"],
            [tensor("m", [], [2**62], INT64)],
        )
    )


BOMBS = {
    "nested": lambda: nested(10),
    "doubled": lambda: doubled(60),
    "squared": lambda: squared(200),
    "endless": endless,
    "huge": lambda: model(graph([node("Relu", ["x"], ["y"])], [value("x", [2**62] * 6)], ["y"])),
    "expanded": lambda: model(graph(
        [node("Expand", ["w", "s"], ["a"]), node("Tile", ["a", "s"], ["y"])], [], ["y"],
        [tensor("w", [1], [1.0]), tensor("s", [1], [2**40], INT64)],
    )),
    "range": lambda: model(graph(
        [node("Range", ["a", "b", "c"], ["r"]), node("CumSum", ["r", "z"], ["y"])], [], ["y"],
        [tensor("a", [], [0], INT64), tensor("b", [], [2**62], INT64), tensor("c", [], [1], INT64),
         tensor("z", [], [0], INT64)],
    )),
    "split": lambda: model(graph(
        [node("SplitToSequence", ["x", "z"], ["q"]), node("ConcatFromSequence", ["q"], ["y"], axis=0)],
        [value("x", [2**40])], ["y"], [tensor("z", [], [1], INT64)],
    )),
    "many_dims": lambda: model(graph([node("Relu", ["x"], ["y"])], [value("x", [2] * 20_000)], ["y"])),
    "floats": lambda: model(graph([node("Relu", ["x"], ["y"])], [value("x", [2], FLOAT)], ["y"])),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_made_to_blow_up_ends_soon(name: str) -> None:
    with folder(net__onnx=BOMBS[name]()):
        ends("count", "net.onnx", "-c", "ops", codes=frozenset({0, 3}))
