"""Graphs in nodes, and functions of the file: those that run are read, work by data is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from onnx_files import BOOL, INT64, Graph, Tensor, function, graph, model, node, tensor, value

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.graph.graph import Graph as Network

W = tensor("w", [4, 4], None)


def branch(*nodes: bytes, out: str, constants: tuple[bytes, ...] = ()) -> Graph:
    return Graph(graph(nodes, [], [out], constants))


THEN = branch(node("MatMul", ["x", "a"], ["t"], name="mm"), out="t", constants=(tensor("a", [4, 8], None),))
SAME = branch(node("MatMul", ["x", "b"], ["e"], name="mm"), out="e", constants=(tensor("b", [4, 8], None),))
OTHER = branch(node("MatMul", ["x", "c"], ["e"], name="mm"), out="e", constants=(tensor("c", [4, 2], None),))


def conditional(then: Graph, other: Graph, condition: bytes | None = None) -> bytes:
    nodes = [node("If", ["c"], ["y"], name="if", then_branch=then, else_branch=other)]
    inputs = [value("x", [3, 4])]
    if condition is None:
        inputs.append(value("c", [], BOOL))
    return model(graph(nodes, inputs, ["y"], [condition] if condition else []))


def counted(network: Network) -> tuple[object, object]:
    ledger = network.count("mac")
    return ledger.total.count, ledger.total.params


@pytest.mark.parametrize(("condition", "macs"), [(1, 96), (0, 24)])
def test_the_branch_that_a_known_condition_takes_is_read_and_all_weights_are_stored(
    read: Read, condition: int, macs: int
) -> None:
    network = read(conditional(THEN, OTHER, tensor("c", [], [condition], BOOL)))
    assert counted(network) == (macs, 32 + 8)
    assert [layer.path for layer in network.layers] == ["", "if", "if/mm"]


def test_a_condition_may_be_given_as_an_input(read: Read) -> None:
    network = read(conditional(THEN, OTHER), "c=!True")
    assert counted(network) == (96, 40)


def test_branches_that_do_the_same_work_are_counted_once(read: Read) -> None:
    network = read(conditional(THEN, SAME))
    assert counted(network) == (96, 64)
    assert network.tensors[network.outputs[0]].shape == (3, 8)


def test_branches_that_differ_are_unknown_with_both_figures(read: Read) -> None:
    network = read(conditional(THEN, OTHER))
    assert network.layers[1].kind == "unknown"
    assert network.layers[1].problem == "which branch runs depends on data: then 96 MAC, else 24 MAC"
    assert counted(network) == (0, 40)
    assert network.tensors[network.outputs[0]].shape is None


@pytest.mark.parametrize(
    ("members", "sources"),
    [((2, 2), []), ((1, 2), ["SequenceAt", "MatMul"])],
    ids=["agree", "differ"],
)
def test_a_list_out_of_two_branches_has_the_members_that_both_agree_in(
    read: Read, members: tuple[int, int], sources: list[str]
) -> None:
    """3 x 4 by 4 x 4 is 48."""
    then, other = (branch(node("SequenceConstruct", ["x"] * count, ["s"]), out="s") for count in members)
    nodes = [
        node("If", ["c"], ["l"], then_branch=then, else_branch=other),
        node("SequenceAt", ["l", "zero"], ["h"]),
        node("MatMul", ["h", "w"], ["y"]),
    ]
    inputs = [value("x", [3, 4]), value("c", [], BOOL)]
    network = read(model(graph(nodes, inputs, ["y"], [W, tensor("zero", [], [0], INT64)])))
    assert [layer.source for layer in network.layers if layer.kind == "unknown"] == sources
    assert counted(network) == (0 if sources else 48, 16)


def body(*nodes: bytes, scan: bool = False) -> Graph:
    inputs = [value("i", [], INT64), value("go", [], BOOL), value("h", [3, 4])]
    return Graph(graph(nodes, inputs, ["again", "next", *["seen"] * scan], [W]))


STEP = body(
    node("Identity", ["go"], ["again"]), node("MatMul", ["h", "w"], ["next"], name="mm"),
    node("Relu", ["next"], ["seen"], name="relu"), scan=True,
)  # fmt: skip


def looped(content: Graph, trips: bytes | None) -> bytes:
    nodes = [node("Loop", ["m", "", "x"], ["y", "all"], name="loop", body=content)]
    inputs = [value("x", [3, 4])] + ([] if trips else [value("m", [], INT64)])
    return model(graph(nodes, inputs, ["y", "all"], [trips] if trips else []))


def test_a_loop_runs_as_often_as_its_count_says(read: Read) -> None:
    network = read(looped(STEP, tensor("m", [], [5], INT64)))
    assert counted(network) == (5 * 48, 16)
    assert [network.tensors[i].shape for i in network.outputs] == [(3, 4), (5, 3, 4)]
    calls = [layer for layer in network.layers if layer.source == "MatMul"]
    assert [layer.path for layer in calls] == ["loop/mm", *(f"loop/mm#{turn}" for turn in range(2, 6))]
    assert {layer.module for layer in calls} == {calls[0].module}
    assert [layer.index for layer in calls] == [1, 2, 3, 4, 5]


def test_a_loop_that_never_runs_stores_its_weights(read: Read) -> None:
    network = read(looped(STEP, tensor("m", [], [0], INT64)))
    assert counted(network) == (0, 16)
    assert [layer.kind for layer in network.layers] == ["container", "container"]
    assert network.tensors[network.outputs[0]].shape == (3, 4)


def test_a_loop_that_never_runs_within_one_that_does_stores_its_weights_once(read: Read) -> None:
    inner = Graph(
        graph(
            [node("MatMul", ["g", "v"], ["out"], name="mm")],
            [value("j", [], INT64), value("on", [], BOOL), value("g", [3, 4])], ["on", "out"],
            [tensor("v", [4, 4], None)],
        )
    )  # fmt: skip
    outer = body(
        node("Identity", ["go"], ["again"]), node("Constant", [], ["none"], value_int=0),
        node("Loop", ["none", "", "h"], ["kept"], name="inner", body=inner),
        node("MatMul", ["kept", "w"], ["next"], name="mm"), node("Relu", ["next"], ["seen"]), scan=True,
    )  # fmt: skip
    network = read(looped(outer, tensor("m", [], [5], INT64)))
    assert counted(network) == (5 * 48, 16 + 16)


def test_a_loop_whose_count_depends_on_data_is_unknown_with_the_figure_of_one_turn(read: Read) -> None:
    network = read(looped(STEP, None))
    assert network.layers[1].problem == "how often its body runs depends on data; once is 48 MAC"
    assert counted(network) == (0, 16)
    assert [network.tensors[i].shape for i in network.outputs] == [(3, 4), None]


def test_a_loop_whose_condition_depends_on_data_is_unknown(read: Read) -> None:
    asked = body(
        node("ReduceMax", ["h"], ["top"], keepdims=0), node("Cast", ["top"], ["again"], to=BOOL),
        node("MatMul", ["h", "w"], ["next"], name="mm"), node("Relu", ["next"], ["seen"]), scan=True,
    )  # fmt: skip
    network = read(looped(asked, tensor("m", [], [5], INT64)))
    problem = "how often its body runs depends on data; once is 48 MAC"
    assert network.layers[1].problem == problem
    assert [layer.kind for layer in network.layers[1:]] == ["unknown"]


def test_a_condition_that_becomes_false_ends_a_loop(read: Read) -> None:
    counting = Graph(
        graph(
            [
                node("Less", ["i", "two"], ["again"]),
                node("MatMul", ["h", "w"], ["next"], name="mm"),
                node("Relu", ["next"], ["seen"]),
            ],
            [value("i", [], INT64), value("go", [], BOOL), value("h", [3, 4])],
            ["again", "next", "seen"],
            [W, tensor("two", [], [2], INT64)],
        )
    )
    network = read(looped(counting, tensor("m", [], [9], INT64)))
    assert counted(network)[0] == 3 * 48


def test_a_loop_without_end_is_unknown(read: Read) -> None:
    network = read(model(graph(
        [node("Loop", ["", "", "x"], ["y", "all"], name="loop", body=STEP)], [value("x", [3, 4])], ["y"],
    )))  # fmt: skip
    assert network.layers[1].kind == "unknown"


@pytest.mark.parametrize("turns", [7, 0])
def test_a_scan_runs_once_for_each_slice_and_stores_its_weights(read: Read, turns: int) -> None:
    content = Graph(graph(
        [node("MatMul", ["h", "w"], ["g"], name="mm"), node("Add", ["g", "s"], ["next"]),
         node("Relu", ["next"], ["seen"])],
        [value("h", [3, 4]), value("s", [3, 4])], ["next", "seen"], [W],
    ))  # fmt: skip
    nodes = [node("Scan", ["x", "xs"], ["y", "ys"], name="scan", body=content, num_scan_inputs=1)]
    network = read(model(graph(
        nodes, [value("x", [3, 4]), value("xs", [7, 3, 4])][:1 + bool(turns)], ["y", "ys"],
        [] if turns else [tensor("xs", [0, 3, 4], [])],
    )))  # fmt: skip
    assert counted(network) == (turns * 48, 16)
    assert [network.tensors[i].shape for i in network.outputs] == [(3, 4), (7, 3, 4) if turns else None]


ROWS = Graph(graph(
    [node("MatMul", ["h", "w"], ["g"], name="mm"), node("Add", ["g", "s"], ["next"]),
     node("Relu", ["next"], ["seen"])],
    [value("h", [3, 4]), value("s", [3, 4])], ["next", "seen"], [W],
))  # fmt: skip


def test_a_scan_before_opset_9_runs_in_each_row_of_its_batch(read: Read) -> None:
    nodes = [node("Scan", ["", "x", "xs"], ["y", "ys"], name="scan", body=ROWS, num_scan_inputs=1)]
    inputs = [value("x", [5, 3, 4]), value("xs", [5, 7, 3, 4])]
    network = read(model(graph(nodes, inputs, ["y", "ys"]), opset=8))
    # 5 rows of 7 steps, (3, 4) by (4, 4) in each
    assert counted(network) == (5 * 7 * 48, 16)
    assert [network.tensors[i].shape for i in network.outputs] == [(5, 3, 4), (5, 7, 3, 4)]


def test_a_scan_before_opset_9_over_sequences_of_their_own_lengths_is_unknown(read: Read) -> None:
    nodes = [node("Scan", ["n", "x", "xs"], ["y", "ys"], name="scan", body=ROWS, num_scan_inputs=1)]
    inputs = [value("n", [5], INT64), value("x", [5, 3, 4]), value("xs", [5, 7, 3, 4])]
    network = read(model(graph(nodes, inputs, ["y", "ys"]), opset=8))
    assert network.layers[1].problem == "how often its body runs is not known"


def test_a_function_is_read_at_each_call_with_the_attributes_of_the_call(read: Read) -> None:
    block = function(
        "Block", "acme", ["x", "w"], ["y"],
        [
            node("Conv", ["x", "w"], ["h"], name="conv", refs={"strides": "by"}),
            node("Relu", ["h"], ["y"], name="relu"),
        ],
        ["by"],
    )  # fmt: skip
    nodes = [
        node("Block", ["x", "a"], ["h"], name="first", domain="acme", by=[1]),
        node("Block", ["h", "b"], ["y"], name="second", domain="acme", by=[2]),
    ]
    weights = [tensor("a", [4, 2, 3], None), tensor("b", [5, 4, 3], None)]
    network = read(model(graph(nodes, [value("x", [1, 2, 9])], ["y"], weights), functions=[block], acme=1))
    assert counted(network) == (6 * 4 * 7 + 12 * 5 * 3, 24 + 60)
    paths = [(layer.path, layer.kind, layer.source) for layer in network.layers[1:]]
    assert paths == [
        ("first", "container", "acme.Block"), ("first/conv", "conv", "Conv"), ("first/relu", "relu", "Relu"),
        ("second", "container", "acme.Block"), ("second/conv", "conv", "Conv"),
        ("second/relu", "relu", "Relu"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "held",
    [
        node("Constant", [], ["w"], value=Tensor(tensor("", [4, 4], [0.5] * 16))),
        node("Constant", [], ["w"], value_floats=[0.5] * 16),
        node("ConstantOfShape", ["size"], ["w"]),
    ],
    ids=["tensor", "numbers", "filled"],
)
def test_a_constant_of_a_function_is_stored_once_however_often_it_is_called(read: Read, held: bytes) -> None:
    """Two calls of 1x4 by 16 stored elements; a list of them has one axis, and is only multiplied."""
    flat = b"value_floats" in held
    nodes = [
        node("Constant", [], ["size"], value_ints=[4, 4]), held,
        node("Mul" if flat else "MatMul", ["x", "w"], ["y"]),
    ]  # fmt: skip
    block = function("Block", "acme", ["x"], ["y"], nodes)
    calls = [
        node("Block", ["x"], ["h"], name="first", domain="acme"),
        node("Block", ["h"], ["y"], name="second", domain="acme"),
    ]
    content = graph(calls, [value("x", [1, 16] if flat else [1, 4])], ["y"])
    network = read(model(content, functions=[block], acme=1))
    assert counted(network) == (0 if flat else 32, 16)


def test_constants_that_calls_give_a_function_are_stored_each(read: Read) -> None:
    block = function(
        "Block", "acme", ["x"], ["y"],
        [node("Constant", [], ["w"], refs={"value": "held"}), node("MatMul", ["x", "w"], ["y"])],
        ["held"],
    )  # fmt: skip
    calls = [
        node("Block", [before], [after], domain="acme", held=Tensor(tensor("", [4, 4], [item] * 16)))
        for before, after, item in (("x", "h", 1.0), ("h", "y", 2.0))
    ]
    network = read(model(graph(calls, [value("x", [1, 4])], ["y"]), functions=[block], acme=1))
    assert counted(network) == (32, 32)


def test_functions_that_call_each_other_without_end_are_refused(read: Read) -> None:
    endless = function("F", "acme", ["x"], ["y"], [node("F", ["x"], ["y"], domain="acme")])
    content = graph([node("F", ["x"], ["y"], domain="acme")], [value("x", [1])], ["y"])
    with pytest.raises(SourceError, match="nested more than 100 deep"):
        read(model(content, functions=[endless], acme=1))


def test_functions_that_double_are_refused_soon(read: Read) -> None:
    functions = [
        function(f"F{i}", "acme", ["x"], ["y"], [
            node(f"F{i + 1}", ["x"], ["h"], domain="acme"), node(f"F{i + 1}", ["h"], ["y"], domain="acme"),
        ])
        for i in range(40)
    ]  # fmt: skip
    functions.append(function("F40", "acme", ["x"], ["y"], [node("Relu", ["x"], ["y"])]))
    content = graph([node("F0", ["x"], ["y"], domain="acme")], [value("x", [1])], ["y"])
    with pytest.raises(SourceError, match="calls: its functions or loops are too many"):
        read(model(content, functions=functions, acme=1))


def test_a_loop_that_is_too_long_is_unknown_and_what_is_behind_it_is_counted(read: Read) -> None:
    # 15,000 calls and 4 for each of 55 nodes are followed: 5,000 turns of 3 nodes fit, but not 51 nodes too.
    behind = [node("MatMul", ["y", "w"], ["r0"], name="last")]
    behind += [node("Relu", [f"r{i}"], [f"r{i + 1}"]) for i in range(50)]
    nodes = [node("Loop", ["m", "", "x"], ["y", "all"], name="loop", body=STEP), *behind]
    trips = tensor("m", [], [5_057], INT64)
    network = read(model(graph(nodes, [value("x", [3, 4])], ["r50"], [W, trips])))
    assert network.layers[1].problem == (
        "its body runs up to 5,057 times, more than are followed; once is 48 MAC"
    )
    assert counted(network) == (48, 16)
    ledger = network.count("mac")
    assert ledger.total.unknown_calls == 1


def test_a_loop_in_a_loop_leaves_enough_for_the_rest(read: Read) -> None:
    inner = node("Loop", ["m", "", "h"], ["k", "all"], name="inner", body=STEP)
    outer = body(node("Identity", ["go"], ["again"]), inner, node("MatMul", ["k", "w"], ["next"]))
    nodes = [
        node("Loop", ["m", "", "x"], ["y"], name="outer", body=outer),
        *[node("Relu", ["y" if not i else f"r{i}"], [f"r{i + 1}"]) for i in range(50)],
    ]
    network = read(model(graph(nodes, [value("x", [3, 4])], ["r50"], [W, tensor("m", [], [300], INT64)])))
    assert network.layers[1].problem.startswith("its body runs up to 300 times, more than are followed")
    assert len(network.layers) == 52


def test_a_loop_without_nodes_ends(read: Read) -> None:
    empty = Graph(graph([], [value("i", [], INT64), value("go", [], BOOL), value("h", [3, 4])], ["go", "h"]))
    nodes = [node("Loop", ["", "", "x"], ["y"], name="loop", body=empty)]
    network = read(model(graph(nodes, [value("x", [3, 4])], ["y"])))
    assert [layer.kind for layer in network.layers[1:]] == ["unknown"]


def test_a_scan_that_is_too_long_is_unknown(read: Read) -> None:
    content = Graph(graph([node("Add", ["h", "s"], ["n"])], [value("h", [4]), value("s", [4])], ["n"]))
    nodes = [node("Scan", ["x", "xs"], ["y"], name="scan", body=content, num_scan_inputs=1)]
    network = read(model(graph(nodes, [value("x", [4]), value("xs", [20_000, 4])], ["y"])))
    assert network.layers[1].problem == "its body runs 20,000 times, more than are followed"
