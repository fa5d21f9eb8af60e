"""Whole graphs: shapes that exporters calculate, weights wherever they stand, modules of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from onnx_files import BOOL, INT8, INT64, UINT8, block, graph, model, node, number, one, tensor, value
from onnx_files import Tensor as Stored

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.graph.graph import Graph


def ints(name: str, *values: int) -> bytes:
    return tensor(name, [len(values)], values, INT64)


def out(network: Graph) -> str:
    return "x".join(map(str, network.tensors[network.outputs[0]].shape or ("?",)))


def test_a_shape_that_is_calculated_from_symbols_is_followed(read: Read) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Slice", ["s", "two", "end"], ["hw"]),
        node("Mul", ["hw", "two"], ["double"]),
        node("Unsqueeze", ["n", "axis"], ["n1"]),
        node("Concat", ["n1", "minus", "double"], ["wanted"], axis=0),
        node("ReduceProd", ["hw"], ["area"], keepdims=1),
        node("Concat", ["n1", "minus", "area"], ["flat"], axis=0),
        node("Reshape", ["x", "flat"], ["y"]),
    ]
    constants = [
        tensor("zero", [], [0], INT64),
        ints("two", 2),
        ints("end", 2**63 - 1),
        ints("axis", 0),
        ints("minus", -1),
    ]
    network = read(model(graph(nodes, [value("x", ["N", 3, "H", "W"])], ["y"], constants)))
    assert out(network) == "Nx3xH*W"
    assert {layer.kind for layer in network.layers[2:]} <= {
        "index_arithmetic", "gather", "slice", "unsqueeze", "concat", "reshape",
    }  # fmt: skip


def test_floats_travel_in_sizes(read: Read) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]), node("Slice", ["s", "two", "four"], ["hw"]),
        node("Cast", ["hw"], ["f"], to=1),
        node("Mul", ["f", "scale"], ["g"]), node("Floor", ["g"], ["h"]), node("Cast", ["h"], ["i"], to=7),
        node("Slice", ["s", "zero", "two"], ["nc"]), node("Concat", ["nc", "i"], ["size"], axis=0),
        node("Resize", ["x", "", "", "size"], ["y"], mode="nearest"),
    ]  # fmt: skip
    constants = [ints("zero", 0), ints("two", 2), ints("four", 4), tensor("scale", [1], [0.5])]
    content = model(graph(nodes, [value("x", [1, 3, 9, "W"])], ["y"], constants))
    assert out(read(content)) == "1x3x4x(W//2)".replace("(W//2)", "FloorDiv(W, 2)")
    assert out(read(content, "1x3x9x7")) == "1x3x4x3"


def test_the_older_exporter_s_pads_are_followed(read: Read) -> None:
    """TorchScript turns (last axis first) pairs round: fill, join, reshape, slice backwards, transpose."""
    nodes = [
        node("ConstantOfShape", ["four"], ["zeros"], value=Stored(tensor("v", [1], [0], INT64))),
        node("Concat", ["pads", "zeros"], ["all"], axis=0),
        node("Reshape", ["all", "pairs"], ["p"]),
        node("Slice", ["p", "last", "first", "axis", "back"], ["q"]),
        node("Transpose", ["q"], ["r"], perm=[1, 0]),
        node("Reshape", ["r", "flat"], ["t"]),
        node("Cast", ["t"], ["u"], to=INT64),
        node("Pad", ["x", "u"], ["y"]),
    ]
    constants = [
        ints("four", 4), ints("pads", 1, 2, 3, 4), ints("pairs", -1, 2), ints("last", -1),
        ints("first", -(2**63) + 1), ints("axis", 0), ints("back", -1), ints("flat", -1),
    ]  # fmt: skip
    network = read(model(graph(nodes, [value("x", [1, 2, 5, 6])], ["y"], constants)))
    assert out(network) == "1x2x12x9"


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


@pytest.mark.parametrize(
    ("op", "size", "wanted"),
    [
        ("Ceil", 7, "4"),
        ("Floor", 7, "3"),
        ("Ceil", "W", "-FloorDiv(-W, 2)"),
        ("Floor", "W", "FloorDiv(W, 2)"),
    ],
)
def test_a_size_that_is_divided_as_a_real_number_is_rounded_as_the_node_says(
    read: Read, op: str, size: int | str, wanted: str
) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]), node("Cast", ["s"], ["f"], to=1), node("Div", ["f", "two"], ["g"]),
        node(op, ["g"], ["h"]), node("Cast", ["h"], ["i"], to=INT64), node("Expand", ["one", "i"], ["y"]),
    ]  # fmt: skip
    constants = [tensor("two", [1], [2.0]), tensor("one", [1], [1.0])]
    found = out(read(model(graph(nodes, [value("x", [size])], ["y"], constants))))
    assert found == wanted


def test_a_range_of_floats_up_to_a_symbol_has_a_size(read: Read) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]), node("Gather", ["s", "one"], ["w"]), node("Cast", ["w"], ["f"], to=1),
        node("Range", ["start", "f", "step"], ["y"]),
    ]  # fmt: skip
    constants = [tensor("one", [], [1], INT64), tensor("start", [], [0.0]), tensor("step", [], [1.0])]
    assert out(read(model(graph(nodes, [value("x", [1, "W"])], ["y"], constants)))) == "W"


def params(network: Graph) -> list[tuple[str, str, int]]:
    return [(p.names[0], p.role, int(str(p.numel))) for p in network.parameters]


def test_a_weight_is_an_initializer_a_constant_or_a_filled_shape(read: Read) -> None:
    nodes = [
        node("Constant", [], ["b"], value=Stored(tensor("", [4, 4], None))),
        node("ConstantOfShape", ["shape"], ["c"]),
        node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"], ["i"]),
        node("MatMul", ["i", "c"], ["y"]),
    ]  # fmt: skip
    network = read(
        model(graph(nodes, [value("x", [1, 4])], ["y"], [tensor("a", [4, 4], None), ints("shape", 4, 4)]))
    )
    assert params(network) == [("a", "weight", 16), ("b", "weight", 16), ("c", "weight", 16)]
    assert network.reading.notes == ()


def test_a_weight_is_one_behind_moves_casts_and_quantisation(read: Read) -> None:
    nodes = [
        node("Transpose", ["a"], ["at"]), node("MatMul", ["x", "at"], ["h"], name="first"),
        node("DequantizeLinear", ["q", "s"], ["d"]), node("MatMul", ["h", "d"], ["y"], name="second"),
    ]  # fmt: skip
    constants = [tensor("a", [6, 4], None), tensor("q", [6, 5], None, INT8), tensor("s", [], [0.1])]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"], constants)))
    assert params(network) == [("a", "weight", 24), ("q", "weight", 30)]
    kinds = {layer.path: layer.kind for layer in network.layers}
    assert (kinds["first"], kinds["second"]) == ("linear", "linear")
    assert network.parameters[1].dtype == "int8"


def test_roles_follow_from_the_place(read: Read) -> None:
    nodes = [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])]
    network = read(
        model(graph(nodes, [value("x", [1, 4, 3])], ["y"], [tensor(n, [4], None) for n in "sbmv"]))
    )
    assert [role for _, role, _ in params(network)] == ["scale", "shift", "running_mean", "running_var"]
    total = network.count("mac").total
    assert (total.params, total.buffers) == (8, 8)


def test_shapes_scales_and_conditions_are_no_weights(read: Read) -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("Where", ["mask", "d", "low"], ["e"]), node("Resize", ["e", "", "up"], ["y"], mode="nearest"),
    ]  # fmt: skip
    constants = [
        tensor("s", [4], None), tensor("z", [4], None, UINT8), tensor("mask", [4, 4], None, BOOL),
        tensor("low", [], [-1e9]), tensor("up", [4], [1.0, 1.0, 2.0, 2.0]),
    ]  # fmt: skip
    network = read(model(graph(nodes, [value("x", [1, 1, 4, 4])], ["y"], constants)))
    assert params(network) == []


def test_large_constants_in_other_places_are_weights_with_a_note(read: Read) -> None:
    nodes = [node("Add", ["x", "val_12"], ["h"]), node("Mul", ["h", "encoder.scale"], ["y"])]
    constants = [tensor("val_12", [4, 4], None), tensor("encoder.scale", [4], None)]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"], constants)))
    assert [count for *_, count in params(network)] == [16, 4]
    assert network.reading.notes == (
        "counted as weights, though they may be masks or positions: val_12 (16 elements)",
    )


MS = "com.microsoft"
TABLES = (tensor("cos", [9, 2], None), tensor("sin", [9, 2], None))
SEQUENCE = tensor("p", [1, 3], [0, 1, 2], INT64)
UNSURE = "counted as weights, though they may be masks or positions: "


@pytest.mark.parametrize(
    ("content", "numbers", "named"),
    [
        (one("RotaryEmbedding", [1, 2, 3, 4], constants=[*TABLES, SEQUENCE], opset=23), [18, 18], "cos, sin"),
        (one("RotaryEmbedding", [1, 3, 8], constants=[SEQUENCE, *TABLES], domain=MS), [18, 18], "cos, sin"),
        (
            one("Attention", *[[1, 2, 4, 3]] * 3, constants=[tensor("mask", [4, 4], None)], opset=23),
            [16], "mask",
        ),
        (
            one("NegativeLogLikelihoodLoss", [2, 5], constants=[
                tensor("t", [2], [0, 1], INT64), tensor("each", [5], None)]),
            [5], "each",
        ),
    ],
    ids=["rotary", "ms_rotary", "mask", "loss"],
)  # fmt: skip
def test_tables_and_masks_of_one_operator_are_weights_with_a_note_too(
    read: Read, content: bytes, numbers: list[int], named: str
) -> None:
    network = read(content)
    assert [count for *_, count in params(network)] == numbers
    assert network.reading.notes == (f"{UNSURE}{named} ({sum(numbers)} elements)",)


PLACEHOLDERS = "not counted, as the ones and zeros that exporters write for a norm without weights: "
ELSEWHERE = "initial states whose elements are not in the file, "
BY_NAME, AS_ZEROS = (
    "counted as trained, by their names: ",
    "not counted, taken for the zeros that exporters write: ",
)


@pytest.mark.parametrize(
    ("states", "stored", "said"),
    [
        ({"h": [0.5] * 12, "c": [0.0] * 11 + [1.0]}, 24, (f"{UNSURE}h, c (24 elements)",)),
        ({"h": [0.0] * 12, "c": [0.0] * 12}, 0, ()),
        ({"h": None, "c": None}, 0, (f"{ELSEWHERE}{AS_ZEROS}h, c (24 elements)",)),
        (
            {"rnn.h": None, "c": None}, 12,
            (f"{ELSEWHERE}{BY_NAME}rnn.h (12 elements)", f"{ELSEWHERE}{AS_ZEROS}c (12 elements)"),
        ),
        ({"rnn.h": [0.0] * 12, "rnn.c": [1.0] * 12}, 12, ()),
    ],
    ids=["trained", "zeros", "elsewhere", "named", "zeros_named"],
)  # fmt: skip
def test_initial_states_are_weights_where_they_are_known_to_be_other_than_zero(
    read: Read, states: dict[str, list[float] | None], stored: int, said: tuple[str, ...]
) -> None:
    """The weights of 4 gates of 6 for 5 features and 6 states: 24 * (5 + 6) = 264."""
    constants = [
        tensor("w", [1, 24, 5], None), tensor("r", [1, 24, 6], None), None, None,
        *(tensor(name, [1, 2, 6], items) for name, items in states.items()),
    ]  # fmt: skip
    network = read(one("LSTM", [7, 2, 5], constants=constants, hidden_size=6))
    assert network.count("mac").total.params == 264 + stored
    assert network.reading.notes == said


@pytest.mark.parametrize(("last", "stored"), [(0.0, 0), (1.0, 70_000)], ids=["zeros", "trained"])
def test_a_state_of_any_size_is_looked_at(read: Read, last: float, stored: int) -> None:
    """70,000 elements are 280,000 bytes, more than are looked at in one piece. A GRU has 3 gates of 1."""
    state = tensor("h", [1, 70_000, 1], [*[0.0] * 69_999, last])
    constants = [tensor("w", [1, 3, 1], None), tensor("r", [1, 3, 1], None), None, None, state]
    network = read(one("GRU", [2, 70_000, 1], constants=constants, hidden_size=1))
    assert network.count("mac").total.params == 3 + 3 + stored
    assert len(network.reading.notes) == (1 if stored else 0)


@pytest.mark.parametrize(("item", "stored"), [(0.0, 0), (0.5, 5_000)], ids=["zeros", "trained"])
def test_a_state_that_repeats_one_element_is_looked_at(read: Read, item: float, stored: int) -> None:
    nodes = [
        node("ConstantOfShape", ["size"], ["h"], value=Stored(tensor("v", [1], [item]))),
        node("RNN", ["x", "w", "r", "", "", "h"], ["y"], hidden_size=1),
    ]
    constants = [ints("size", 1, 5000, 1), tensor("w", [1, 1, 1], None), tensor("r", [1, 1, 1], None)]
    network = read(model(graph(nodes, [value("x", [2, 5000, 1])], ["y"], constants)))
    assert network.count("mac").total.params == 1 + 1 + stored


@pytest.mark.parametrize(("items", "stored"), [([], 0), ([0.0], 0), ([2.0], 6)])
def test_a_sparse_state_is_looked_at(read: Read, items: list[float], stored: int) -> None:
    state = block(1, tensor("h", [len(items)], items)) + number(3, 1) + number(3, 1) + number(3, 6)
    nodes = [node("RNN", ["x", "w", "r", "", "", "h"], ["y"], hidden_size=6)]
    constants = [tensor("w", [1, 6, 2], None), tensor("r", [1, 6, 6], None)]
    content = graph(nodes, [value("x", [4, 1, 2])], ["y"], constants) + block(15, state)
    assert read(model(content)).count("mac").total.params == 12 + 36 + stored


@pytest.mark.parametrize(
    ("scale", "stored", "said"),
    [
        (
            {"val_1": [1.0] * 3, "val_2": [0.0] * 3}, 0,
            (f"{PLACEHOLDERS}val_1, val_2 (6 elements)",),
        ),
        ({"n.weight": [1.0] * 3, "n.bias": [0.0] * 3}, 6, ()),
        ({"val_1": [1.0, 1.0, 1.5], "val_2": [0.0, 0.0, 0.5]}, 6, ()),
        ({"val_1": [0.0] * 3, "val_2": [1.0] * 3}, 6, ()),
        ({"val_1": None, "val_2": None}, 6, ()),
    ],
    ids=["placeholders", "named", "trained", "other_elements", "elsewhere"],
)  # fmt: skip
def test_the_ones_and_zeros_of_a_norm_without_weights_are_no_weights(
    read: Read, scale: dict[str, list[float] | None], stored: int, said: tuple[str, ...]
) -> None:
    """Exporters spell a group norm of 3 groups as an instance norm of 3 channels with neither."""
    constants = [tensor(name, [3], items) for name, items in scale.items()]
    network = read(one("InstanceNormalization", [1, 3, 5], constants=constants))
    assert network.count("mac").total.params == stored
    assert network.reading.notes == said


def test_the_sinks_of_an_attention_s_heads_are_weights(read: Read) -> None:
    constants = [*[None] * 10, tensor("sinks", [4], None)]
    network = read(one("GroupQueryAttention", [1, 4, 24], constants=constants, domain=MS,
                       num_heads=4, kv_num_heads=2))  # fmt: skip
    assert params(network) == [("sinks", "weight", 4)]
    assert network.reading.notes == ()


def test_a_weight_that_is_read_twice_or_lies_in_one_place_is_stored_once(read: Read) -> None:
    nodes = [
        node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "a"], ["i"]),
        node("MatMul", ["i", "b"], ["y"]),
    ]  # fmt: skip
    tied = (
        tensor("a", [4, 4], None).replace(b"\x08\x01a", b"\x08\x01b") if False else tensor("b", [4, 4], None)
    )
    shared = tied.replace(b"offset\x12\x01b", b"offset\x12\x01a")
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y"], [tensor("a", [4, 4], None), shared])))
    assert network.count("mac").total.params == 16
    assert network.parameters[0].names == ("a", "b")


def test_a_table_of_vectors_is_an_embedding(read: Read) -> None:
    nodes = [node("Gather", ["table", "ids"], ["y"], name="words")]
    content = model(graph(nodes, [value("ids", [2, 7], INT64)], ["y"], [tensor("table", [30, 8], None)]))
    network = read(content)
    assert (network.layers[1].kind, out(network)) == ("embedding", "2x7x8")
    assert params(network) == [("table", "weight", 240)]


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


def test_nodes_without_names_are_called_by_what_they_give(read: Read) -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Relu", ["a"], ["y"], name="same"),
        node("Relu", ["a"], ["z"], name="same"),
    ]
    network = read(model(graph(nodes, [value("x", [1, 4])], ["y", "z"])))
    assert [layer.path for layer in network.layers[1:]] == ["a", "same", "same#2"]


def test_a_value_that_nothing_gives_is_refused_with_its_reader(read: Read) -> None:
    with pytest.raises(SourceError, match=r"the node 'n' \(Relu\) reads 'z', which no input"):
        read(model(graph([node("Relu", ["z"], ["y"], name="n")], [value("x", [1])], ["y"])))
    with pytest.raises(SourceError, match="the graph's output reads 'q'"):
        read(model(graph([node("Relu", ["x"], ["y"], name="n")], [value("x", [1])], ["q"])))


def test_what_lies_below_an_unknown_call_says_so_unless_the_file_states_the_shape(read: Read) -> None:
    nodes = [
        node("Magic", ["x"], ["h"], name="magic", domain="acme"),
        node("MatMul", ["h", "w"], ["y"], name="mm"),
    ]
    inputs, weight = [value("x", [2, 4])], [tensor("w", [4, 5], None)]
    network = read(model(graph(nodes, inputs, ["y"], weight), acme=1))
    assert network.layers[2].problem == "its input has no shape: 'magic' (Magic) above it is unknown"
    stated = graph(nodes, inputs, ["y"], weight, [value("h", [2, 4])])
    network = read(model(stated, acme=1))
    assert [layer.kind for layer in network.layers[1:]] == ["unknown", "linear"]
    assert network.count("mac").total.count == 40
    network = read(model(stated, acme=1), "x=3x4")
    assert network.layers[2].kind == "unknown"


def test_native_facts_keep_what_conventions_of_tools_need(read: Read) -> None:
    nodes = [node("Conv", ["x", "w", ""], ["y"], group=1, auto_pad="VALID", kernel_shape=[3])]
    network = read(model(graph(nodes, [value("x", [1, 2, 9])], ["y"], [tensor("w", [4, 2, 3], None)])))
    assert network.layers[1].native == {
        "group": 1, "auto_pad": "VALID", "kernel_shape": (3,), "input_types": ("float32", "float32", ""),
        "input_shapes": ((1, 2, 9), (4, 2, 3), None),
        "constants": (((4, 2, 3), ()),),
    }  # fmt: skip


def test_two_readings_give_one_digest(read: Read) -> None:
    content = model(graph([node("Relu", ["x"], ["y"])], [value("x", ["N", 3])], ["y"]))
    assert read(content).digest == read(content).digest
