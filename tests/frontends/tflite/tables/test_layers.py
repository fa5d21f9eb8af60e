"""Each operator: its kind, its work by hand, and the shapes of its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger_tflite import control
from flopledger_tflite.tables.layers import TABLE
from flopledger_tflite.tables.movement import DEPENDENT
from flopledger_tflite.tables.operators import NAMES, name_of
from tflite_files import BOOL, INT8, INT32, Tensor, numbers, one, weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Read


def code(name: str) -> int:
    return NAMES.index(name)


def x(*shape: int, dtype: int = 0, name: str = "x") -> Tensor:
    return Tensor(name, shape, dtype)


def z(*shape: int, dtype: int = 0) -> Tensor:
    return Tensor("z", shape, dtype)


PICTURE = x(1, 8, 8, 4)
SAME, VALID = "b0", "b1"

WORK: dict[str, tuple[str, Sequence[Tensor | None], Sequence[Sequence[int]], int, str, int]] = {
    # operator, inputs, the shapes of outputs by hand, the type of options and the options, MAC by hand
    "conv": (
        "CONV_2D",
        [PICTURE, weight("w", 6, 3, 3, 4), weight("b", 6)],
        [(1, 4, 4, 6)],
        1,
        f"{SAME} i2 i2 b0 i1 i1",
        16 * 6 * 36,
    ),
    "conv_valid_dilated": (
        "CONV_2D",
        [PICTURE, weight("w", 6, 3, 3, 4), None],
        [(1, 4, 4, 6)],
        1,
        f"{VALID} i1 i1 b0 i2 i2",
        16 * 6 * 36,
    ),
    "conv_in_groups": (
        "CONV_2D",
        [PICTURE, weight("w", 6, 3, 3, 2)],
        [(1, 8, 8, 6)],
        1,
        f"{SAME} i1 i1",
        64 * 6 * 18,
    ),
    "depthwise": (
        "DEPTHWISE_CONV_2D",
        [PICTURE, weight("w", 1, 3, 3, 8), weight("b", 8)],
        [(1, 8, 8, 8)],
        2,
        f"{SAME} i1 i1 i2",
        64 * 8 * 9,
    ),
    "transpose_conv": (
        "TRANSPOSE_CONV",
        [numbers("s", 1, 16, 16, 5), weight("w", 5, 2, 2, 4), PICTURE],
        [(1, 16, 16, 5)],
        49,
        f"{SAME} i2 i2",
        64 * 4 * 5 * 4,
    ),
    "conv_3d": (
        "CONV_3D",
        [x(1, 4, 4, 4, 2), weight("w", 3, 3, 3, 2, 5)],
        [(1, 2, 2, 2, 5)],
        106,
        f"{VALID} i1 i1 i1",
        8 * 5 * 54,
    ),
    "dense": ("FULLY_CONNECTED", [x(2, 12), weight("w", 7, 12), weight("b", 7)], [(2, 7)], 8, "b0", 2 * 84),
    "dense_flattens": ("FULLY_CONNECTED", [x(2, 3, 4), weight("w", 7, 12)], [(2, 7)], 8, "b0", 2 * 84),
    "dense_keeps_axes": (
        "FULLY_CONNECTED",
        [x(2, 3, 4), weight("w", 7, 4)],
        [(2, 3, 7)],
        8,
        "b0 b0 ?1",
        6 * 28,
    ),
    "dense_of_two_inputs": ("FULLY_CONNECTED", [x(2, 4), z(7, 4)], [(2, 7)], 8, "b0", 2 * 28),
    "batch_matmul": ("BATCH_MATMUL", [x(3, 2, 4), z(3, 5, 4)], [(3, 2, 5)], 101, "?0 ?1", 3 * 2 * 4 * 5),
    "batch_matmul_dense": (
        "BATCH_MATMUL",
        [x(3, 2, 4), weight("w", 4, 5)],
        [(3, 2, 5)],
        101,
        "?0 ?0",
        6 * 20,
    ),
    # a feature of rank 2 for each of 3 units: 2 * 6 * 5 products, and as many filters over 4 steps
    "svdf": (
        "SVDF",
        [x(2, 5), weight("f", 6, 5), weight("t", 6, 4), weight("b", 3), Tensor("s", (2, 24), variable=True)],
        [(2, 3)],
        6,
        "i2",
        2 * 6 * 5 + 2 * 6 * 4,
    ),
    "rnn": (
        "RNN",
        [x(2, 5), weight("w", 3, 5), weight("r", 3, 3), weight("b", 3), Tensor("s", (2, 3), variable=True)],
        [(2, 3)],
        7,
        "b0",
        2 * 3 * 8,
    ),
    "sequence_rnn": (
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        [
            x(2, 9, 5),
            weight("w", 3, 5),
            weight("r", 3, 3),
            weight("b", 3),
            Tensor("s", (2, 3), variable=True),
        ],
        [(2, 9, 3)],
        31,
        "?0",
        18 * 3 * 8,
    ),
    "dot_general": (
        "STABLEHLO_DOT_GENERAL",
        [x(3, 2, 4), z(3, 4, 5)],
        [(3, 2, 5)],
        12,
        "[q]0 [q]0 [q]2 [q]1",
        3 * 2 * 4 * 5,
    ),
    "stablehlo_conv": (
        "STABLEHLO_CONVOLUTION",
        [PICTURE, weight("w", 3, 3, 4, 6)],
        [(1, 4, 4, 6)],
        4,
        "[q]2,2 [q]0,1,0,1 [q]1,1 [q]1,1 - q0 q3 [q]1,2 q2 q3 [q]0,1 q0 q3 [q]1,2 q1 q1",
        16 * 6 * 36,
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_what_multiplies_has_the_work_and_the_shapes_worked_out_by_hand(read: Read, name: str) -> None:
    operator, inputs, outputs, type_, options, macs = WORK[name]
    later = operator.startswith("STABLEHLO")
    graph = read(one(code(operator), inputs, outputs, type_, options, later=later))
    ledger = graph.count("mac")
    assert (ledger.total.count, ledger.coverage.unknown) == (macs, ())
    assert [graph.shape(i) for i in graph.outputs] == outputs


def lstm(*, gates: int, projection: int = 0) -> list[Tensor | None]:
    """The 20 inputs of an LSTM of 3 units over steps of 5 features; of three gates none is the input gate."""
    state = projection or 3
    names = ("i", "f", "c", "o")
    coupled = gates == 3
    inputs: list[Tensor | None] = [x(2, 9, 5)]
    inputs += [None if coupled and n == "i" else weight(f"w{n}", 3, 5) for n in names]
    inputs += [None if coupled and n == "i" else weight(f"r{n}", 3, state) for n in names]
    inputs += [None, None, None]
    inputs += [None if coupled and n == "i" else weight(f"b{n}", 3) for n in names]
    inputs += [weight("p", projection, 3) if projection else None, None]
    return [*inputs, Tensor("h", (2, state), variable=True), Tensor("s", (2, 3), variable=True)]


@pytest.mark.parametrize(
    ("gates", "projection", "macs"),
    # 18 steps of (gates * 3 units * (5 features + state)), and of 3 * projection
    [
        (4, 0, 18 * 4 * 3 * 8),
        (4, 2, 18 * (4 * 3 * 7 + 3 * 2)),
        (3, 0, 18 * 3 * 3 * 8),
        (3, 2, 18 * (3 * 3 * 7 + 6)),
    ],
)
def test_an_lstm_may_have_three_gates_and_a_projection(
    read: Read, gates: int, projection: int, macs: int
) -> None:
    inputs = lstm(gates=gates, projection=projection)
    graph = read(one(code("UNIDIRECTIONAL_SEQUENCE_LSTM"), inputs, [(2, 9, projection or 3)], 71, "b4"))
    ledger = graph.count("mac")
    assert (ledger.total.count, ledger.coverage.unknown) == (macs, ())
    weights = gates * (15 + 3 * (projection or 3) + 3) + 3 * projection
    assert ledger.total.params == weights
    assert [graph.shape(i) for i in graph.outputs] == [(2, 9, projection or 3)]


N = numbers
SHAPES: dict[str, tuple[str, Sequence[Tensor | None], Sequence[Sequence[int]], int, str, str]] = {
    # operator, inputs, the shapes of outputs, options, the kind
    "average_pool": ("AVERAGE_POOL_2D", [PICTURE], [(1, 3, 3, 4)], 5, "b1 i2 i2 i3 i3", "avg_pool"),
    "max_pool": ("MAX_POOL_2D", [PICTURE], [(1, 4, 4, 4)], 5, "b0 i2 i2 i3 i3", "max_pool"),
    "l2_pool": ("L2_POOL_2D", [PICTURE], [(1, 4, 4, 4)], 5, "b1 i2 i2 i2 i2", "lp_pool"),
    "resize": ("RESIZE_BILINEAR", [PICTURE, N("s", 5, 20)], [(1, 5, 20, 4)], 0, "", "resample"),
    "nearest": ("RESIZE_NEAREST_NEIGHBOR", [PICTURE, N("s", 16, 16)], [(1, 16, 16, 4)], 0, "", "resample"),
    "depth_to_space": ("DEPTH_TO_SPACE", [PICTURE], [(1, 16, 16, 1)], 94, "i2", "pixel_shuffle"),
    "space_to_depth": ("SPACE_TO_DEPTH", [PICTURE], [(1, 4, 4, 16)], 19, "i2", "view"),
    "space_to_batch": (
        "SPACE_TO_BATCH_ND",
        [PICTURE, N("b", 2, 2), N("p", 1, 1, 0, 2, shape=(2, 2))],
        [(4, 5, 5, 4)],
        0,
        "",
        "view",
    ),
    "batch_to_space": (
        "BATCH_TO_SPACE_ND",
        [x(4, 5, 5, 3), N("b", 2, 2), N("c", 1, 1, 0, 2, shape=(2, 2))],
        [(1, 8, 8, 3)],
        0,
        "",
        "view",
    ),
    "mean": ("MEAN", [PICTURE, N("a", 1, 2)], [(1, 4)], 27, "?0", "reduce_mean"),
    "sum_keeps": ("SUM", [PICTURE, N("a", -1)], [(1, 8, 8, 1)], 27, "?1", "reduce_sum"),
    "arg_max": ("ARG_MAX", [PICTURE, N("a", 3, shape=())], [(1, 8, 8)], 0, "", "arg_max"),
    "top_k": ("TOPK_V2", [x(2, 9), N("k", 3, shape=())], [(2, 3), (2, 3)], 0, "", "top_k"),
    "cumsum": ("CUMSUM", [x(2, 9), N("a", 1, shape=())], [(2, 9)], 0, "", "cumsum"),
    "softmax": ("SOFTMAX", [x(2, 9)], [(2, 9)], 9, "f1.0", "softmax"),
    "add_broadcasts": ("ADD", [PICTURE, z(4)], [(1, 8, 8, 4)], 11, "b0", "add"),
    "compare": ("LESS", [x(2, 9), z(2, 1)], [(2, 9)], 0, "", "compare"),
    "gelu": ("GELU", [x(2, 9)], [(2, 9)], 116, "?1", "gelu_tanh"),
    "reshape": ("RESHAPE", [PICTURE, N("s", 2, -1)], [(2, 128)], 17, "", "reshape"),
    "reshape_by_option": ("RESHAPE", [PICTURE], [(2, 128)], 17, "[i]2,128", "reshape"),
    "transpose": ("TRANSPOSE", [PICTURE, N("p", 0, 3, 1, 2)], [(1, 4, 8, 8)], 0, "", "transpose"),
    "squeeze": ("SQUEEZE", [x(1, 8, 1, 4)], [(8, 1, 4)], 30, "[i]0", "squeeze"),
    "expand_dims": ("EXPAND_DIMS", [x(2, 9), N("a", 1, shape=())], [(2, 1, 9)], 0, "", "unsqueeze"),
    "concat": ("CONCATENATION", [x(2, 9), z(2, 4)], [(2, 13)], 10, "i-1 b0", "concat"),
    "pack": ("PACK", [x(2, 9), z(2, 9)], [(2, 2, 9)], 59, "i2 i1", "stack"),
    "unpack": ("UNPACK", [x(2, 3)], [(2,), (2,), (2,)], 64, "i3 i1", "unstack"),
    "split": ("SPLIT", [N("a", 1, shape=()), x(2, 9)], [(2, 3), (2, 3), (2, 3)], 35, "i3", "split"),
    "split_v": (
        "SPLIT_V",
        [x(2, 9), N("s", 2, -1), N("a", 1, shape=())],
        [(2, 2), (2, 7)],
        79,
        "i2",
        "split",
    ),
    "slice": ("SLICE", [PICTURE, N("b", 0, 1, 2, 0), N("s", 1, 3, -1, -1)], [(1, 3, 6, 4)], 0, "", "view"),
    # x[0, ..., None, 1:7:2]: an axis taken out, dots for two, one put in, and a range of step 2
    "strided_slice": (
        "STRIDED_SLICE",
        [x(2, 3, 5, 8), N("b", 0, 0, 0, 1), N("e", 1, 0, 0, 7), N("s", 1, 1, 1, 2)],
        [(3, 5, 1, 3)],
        32,
        "i0 i0 i2 i4 i1",
        "view",
    ),
    "strided_slice_open": (
        "STRIDED_SLICE",
        [x(6, 8), N("b", 0, 2), N("e", 0, 0), N("s", 1, 3)],
        [(6, 2)],
        32,
        "i1 i3 i0 i0 i0",
        "view",
    ),
    "gather": ("GATHER", [x(5, 7), Tensor("z", (2, 3), INT32)], [(5, 2, 3)], 23, "i1 i0", "gather"),
    "gather_table": (
        "GATHER",
        [weight("t", 50, 8), Tensor("z", (2, 3), INT32)],
        [(2, 3, 8)],
        23,
        "i0 i0",
        "embedding",
    ),
    "embedding": (
        "EMBEDDING_LOOKUP",
        [Tensor("z", (6,), INT32), weight("t", 50, 8)],
        [(6, 8)],
        0,
        "",
        "embedding",
    ),
    "gather_nd": ("GATHER_ND", [x(5, 7, 4), Tensor("z", (3, 2), INT32)], [(3, 4)], 0, "", "gather"),
    "scatter_nd": (
        "SCATTER_ND",
        [Tensor("i", (3, 1), INT32), z(3, 4), N("s", 9, 4)],
        [(9, 4)],
        0,
        "",
        "accumulate",
    ),
    "segments": (
        "UNSORTED_SEGMENT_MAX",
        [x(5, 4), Tensor("i", (5,), INT32), N("n", 3, shape=())],
        [(3, 4)],
        0,
        "",
        "accumulate",
    ),
    "broadcast_to": ("BROADCAST_TO", [x(1, 4), N("s", 3, 4)], [(3, 4)], 0, "", "expand"),
    "tile": ("TILE", [x(2, 3), N("r", 2, 3)], [(4, 9)], 0, "", "tile"),
    "pad": (
        "PADV2",
        [x(2, 3), N("p", 0, 1, 2, 0, shape=(2, 2)), Tensor("v", (), 0, (1.0,))],
        [(3, 5)],
        0,
        "",
        "pad",
    ),
    "mirror_pad": ("MIRROR_PAD", [x(2, 3), N("p", 0, 1, 2, 0, shape=(2, 2))], [(3, 5)], 77, "b0", "pad"),
    "reverse": ("REVERSE_V2", [x(2, 3), N("a", 1)], [(2, 3)], 0, "", "flip"),
    "one_hot": (
        "ONE_HOT",
        [
            Tensor("z", (2, 3), INT32),
            N("d", 9, shape=()),
            Tensor("on", (), 0, (1.0,)),
            Tensor("off", (), 0, (0.0,)),
        ],
        [(2, 3, 9)],
        62,
        "i-1",
        "view",
    ),
    "rfft": ("RFFT2D", [x(2, 4, 8), N("n", 4, 8)], [(2, 4, 5)], 0, "", "fft"),
    "quantize": ("QUANTIZE", [x(2, 3)], [(2, 3)], 0, "", "quantize"),
    "dequantize": ("DEQUANTIZE", [x(2, 3, dtype=INT8)], [(2, 3)], 0, "", "dequantize"),
    "select": ("SELECT_V2", [Tensor("c", (2, 1), BOOL), x(2, 3), z(2, 3)], [(2, 3)], 0, "", "select"),
    "diagonal": ("MATRIX_DIAG", [x(2, 3)], [(2, 3, 3)], 0, "", "view"),
    "dilate": ("DILATE", [x(3, 4), N("f", 2, 3), Tensor("v", (), 0, (0.0,))], [(5, 10)], 0, "", "view"),
    "reduce_window": (
        "REDUCE_WINDOW",
        [x(8, 8), Tensor("v", (), 0, (0.0,)), N("w", 2, 2), N("s", 2, 2), N("d", 1, 1), N("e", 1, 1)],
        [(4, 4)],
        20,
        "i4",
        "reduce_max",
    ),
    "stablehlo_transpose": ("STABLEHLO_TRANSPOSE", [x(2, 3, 4)], [(4, 2, 3)], 17, "[q]2,0,1", "transpose"),
    "stablehlo_slice": ("STABLEHLO_SLICE", [x(8, 6)], [(3, 6)], 3, "[q]1,0 [q]7,6 [q]2,1", "view"),
    "stablehlo_pad": (
        "STABLEHLO_PAD",
        [x(3, 4), Tensor("v", (), 0, (0.0,))],
        [(6, 5)],
        10,
        "[q]0,1 [q]1,0 [q]1,0",
        "view",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_outputs_follow_from_the_inputs(read: Read, name: str) -> None:
    operator, inputs, outputs, type_, options, kind = SHAPES[name]
    later = operator.startswith("STABLEHLO") or operator == "REDUCE_WINDOW"
    # the shapes that the file states are wrong on purpose: what is read must not come from there
    stated = [[7] * len(shape) for shape in outputs]
    graph = read(one(code(operator), inputs, stated, type_, options, later=later))
    call = next(layer for layer in graph.layers if layer.id)
    assert (call.kind, call.problem) == (kind, "")
    assert [graph.shape(i) for i in graph.outputs] == outputs


def test_the_shape_that_the_file_states_is_taken_where_it_is_data(read: Read) -> None:
    content = one(code("RESHAPE"), [x(4, 6), Tensor("s", (2,), INT32)], [(8, 3)], 17)
    graph = read(content)
    assert [graph.shape(i) for i in graph.outputs] == [(8, 3)]


@pytest.mark.parametrize("name", ["WHERE", "NON_MAX_SUPPRESSION_V4", "HASHTABLE_LOOKUP"])
def test_work_that_depends_on_data_is_unknown_with_its_name(read: Read, name: str) -> None:
    graph = read(one(code(name), [x(4, 6)], [(4, 2)]))
    assert [(u.source, u.calls) for u in graph.count("mac").coverage.unknown] == [(name, 1)]
    assert graph.layers[1].problem == f"{name} depends on data"


def test_a_custom_operator_is_unknown_with_its_name(read: Read) -> None:
    graph = read(one(32, [x(4, 6)], [(4, 2)], custom="TFLite_Detection_PostProcess"))
    assert [u.source for u in graph.count("mac").coverage.unknown] == ["custom.TFLite_Detection_PostProcess"]
    assert graph.layers[1].problem == "no formula for custom.TFLite_Detection_PostProcess"


def test_every_built_in_operator_is_in_the_table_or_named_here() -> None:
    aside = {
        "-": "no operator: it marks a number that another field has",
        "CUSTOM": "operators that are not built in",
        "DELEGATE": "a part of the graph that an accelerator has taken over at run time",
        "STABLEHLO_CUSTOM_CALL": "likewise not built in",
    }
    assert set(NAMES) - set(TABLE) - set(control.JOBS) == set(aside)
    assert set(DEPENDENT) <= set(NAMES)


def test_a_number_beyond_the_list_has_a_name() -> None:
    assert name_of(400, "") == "operator 400"
