"""Lists of tensors: the shapes of their members, and the work before and behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from onnx_files import INT64, graph, model, node, tensor, value

if TYPE_CHECKING:
    from conftest import Read


def test_a_sequence_whose_parts_are_known_is_followed(read: Read) -> None:
    nodes = [
        node("SplitToSequence", ["x", "size"], ["parts"], axis=1),
        node("SequenceAt", ["parts", "one"], ["y"]),
        node("ConcatFromSequence", ["parts"], ["all"], axis=1),
    ]
    constants = [tensor("size", [], [4], INT64), tensor("one", [], [-1], INT64)]
    network = read(model(graph(nodes, [value("x", [2, 10])], ["y", "all"], constants)))
    assert [network.tensors[i].shape for i in network.outputs] == [(2, 2), (2, 10)]
    assert "unknown" not in {layer.kind for layer in network.layers}


HALF, WIDE = tensor("half", [4, 8], None), tensor("wide", [8, 8], None)
LISTS = {
    # 2 x 8 x 8 into the list, and 8 x 8 for each row behind it.
    "a part without its axis": (
        [node("SplitToSequence", ["h"], ["q"], keepdims=0), node("SequenceAt", ["q", "last"], ["z"])],
        (2 + 1) * 8 * 8, [(8,)], 64,
    ),
    "a part of a size": (
        [node("SplitToSequence", ["h", "size"], ["q"], axis=1), node("SequenceAt", ["q", "last"], ["p"]),
         node("MatMul", ["p", "half"], ["z"])],
        (2 * 8 * 8) + (2 * 4 * 8) + (2 * 8 * 8), [(2, 8)], 64 + 32,
    ),
    "a value in a list": (
        [node("SequenceConstruct", ["x", "h"], ["q"]), node("SequenceAt", ["q", "last"], ["z"])],
        2 * (2 * 8 * 8), [(2, 8)], 64,
    ),
    "parts put together": (
        [node("SplitToSequence", ["h", "size"], ["q"], axis=1),
         node("ConcatFromSequence", ["q"], ["z"], axis=-1)],
        2 * (2 * 8 * 8), [(2, 8)], 64,
    ),
    "values along a new axis": (
        [node("SequenceConstruct", ["h", "x", "x"], ["q"]),
         node("ConcatFromSequence", ["q"], ["z"], axis=0, new_axis=1)],
        (1 + 3) * (2 * 8 * 8), [(3, 2, 8)], 64,
    ),
    "values and a constant": (
        [node("SequenceConstruct", ["h", "half"], ["q"]),
         node("ConcatFromSequence", ["q"], ["z"], axis=0)],
        (2 + 6) * 8 * 8, [(6, 8)], 64 + 32,
    ),
    "a constant before the last of a list": (
        [node("SequenceConstruct", ["h"], ["q"]), node("SequenceInsert", ["q", "half", "last"], ["r"]),
         node("SequenceAt", ["r", "last"], ["z"])],
        2 * (2 * 8 * 8), [(2, 8)], 64,
    ),
    "a constant behind the last of a list": (
        [node("SequenceEmpty", [], ["p"]), node("SequenceInsert", ["p", "h"], ["q"]),
         node("SequenceInsert", ["q", "half"], ["r"]), node("SequenceAt", ["r", "last"], ["z"])],
        (2 + 4) * 8 * 8, [(4, 8)], 64 + 32,
    ),
    "a list without its last": (
        [node("SequenceConstruct", ["h", "half"], ["q"]), node("SequenceErase", ["q"], ["r"]),
         node("SequenceAt", ["r", "last"], ["z"])],
        2 * (2 * 8 * 8), [(2, 8)], 64,
    ),
    "a list without another": (
        [node("SequenceConstruct", ["x", "h", "half"], ["q"]), node("SequenceErase", ["q", "last"], ["r"]),
         node("SequenceErase", ["r", "zero"], ["s"]), node("ConcatFromSequence", ["s"], ["z"], axis=0)],
        2 * (2 * 8 * 8), [(2, 8)], 64,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_work_before_and_behind_a_list_is_counted(read: Read, name: str) -> None:
    nodes, macs, shapes, params = LISTS[name]
    nodes = [
        node("MatMul", ["x", "wide"], ["h"]), *nodes, node("MatMul", ["z", "wide"], ["y"]),
    ]  # fmt: skip
    constants = [WIDE, HALF, tensor("size", [], [4], INT64), tensor("last", [], [-1], INT64)]
    constants.append(tensor("zero", [], [0], INT64))
    network = read(model(graph(nodes, [value("x", [2, 8])], ["y"], constants)))
    ledger = network.count("mac")
    assert (ledger.total.count, ledger.total.params) == (macs, params)
    assert ledger.total.unknown_calls == 0
    assert [network.tensors[i].shape for i in network.outputs] == shapes


def test_a_network_that_gives_a_list_gives_its_members(read: Read) -> None:
    nodes = [node("MatMul", ["x", "wide"], ["h"]), node("SplitToSequence", ["h"], ["q"])]
    network = read(model(graph(nodes, [value("x", [2, 8])], ["q"], [WIDE])))
    assert network.count("mac").total.count == 128
    assert [network.tensors[i].shape for i in network.outputs] == [(1, 8), (1, 8)]


@pytest.mark.parametrize("place", [2, -2])
def test_a_place_outside_of_a_list_is_unknown(read: Read, place: int) -> None:
    nodes = [
        node("SequenceConstruct", ["x"], ["q"]), node("SequenceInsert", ["q", "x", "place"], ["r"]),
        node("SequenceLength", ["r"], ["y"]),
    ]  # fmt: skip
    content = graph(nodes, [value("x", [2, 8])], ["y"], [tensor("place", [], [place], INT64)])
    assert read(model(content)).count("mac").total.unknown_calls == 2


@pytest.mark.parametrize(("more", "unknown"), [(255, 0), (256, 1)])
def test_lists_are_followed_up_to_a_length(read: Read, more: int, unknown: int) -> None:
    """Each member costs a copy of the list, so that a file of many nodes could take all memory."""
    nodes = [node("SequenceConstruct", ["x"], ["q0"])]
    nodes += [node("SequenceInsert", [f"q{i}", "x"], [f"q{i + 1}"]) for i in range(more)]
    nodes += [node("SequenceConstruct", ["x"], ["y"])] if unknown else []
    network = read(model(graph(nodes, [value("x", [2, 8])], ["y" if unknown else f"q{more}"])))
    assert network.count("mac").total.unknown_calls == unknown
    assert len(network.outputs) == (1 if unknown else 256)


def test_a_list_of_as_many_parts_as_data_say_is_unknown(read: Read) -> None:
    nodes = [
        node("MatMul", ["x", "wide"], ["h"]), node("SplitToSequence", ["h", "size"], ["q"]),
        node("SequenceAt", ["q", "zero"], ["z"]), node("MatMul", ["z", "wide"], ["y"], name="behind"),
    ]  # fmt: skip
    inputs = [value("x", [2, 8]), value("size", [], INT64)]
    network = read(model(graph(nodes, inputs, ["y"], [WIDE, tensor("zero", [], [0], INT64)])))
    ledger = network.count("mac")
    assert (ledger.total.count, ledger.total.unknown_calls) == (128, 3)
