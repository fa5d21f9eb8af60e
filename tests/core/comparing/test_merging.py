"""Layers that one network has as one, and the other as several or not at all, as exporters write them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.comparing.alignment import align
from flopledger.comparing.layers import ComparedLayer
from flopledger.comparing.merging import merge
from flopledger.comparing.reasons import reasons

if TYPE_CHECKING:
    from flopledger.comparing.layers import Couple


def item(kind: str, path: str, macs: int = 0, params: int = 0, **more: object) -> ComparedLayer:
    return ComparedLayer(path, kind, 0, macs, params, **more)  # type: ignore[arg-type]


def merged(pairs: list[Couple]) -> list[tuple[str, str, str]]:
    """Return the pairs by name with their reasons in words, and check that no figure got lost."""
    found = merge(pairs)
    for side in (0, 1):
        for figure in ("macs", "params"):
            before, after = (
                sum(getattr(pair[side], figure) for pair in each if pair[side] is not None)
                for each in (pairs, found)
            )
            assert before == after
    return [
        (a.path if a else "", b.path if b else "", "; ".join(reason.text for reason in why))
        for (a, b), why in zip(found, reasons(found), strict=True)
    ]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["conv", "linear"])
def test_a_batch_norm_without_a_counterpart_is_folded_into_the_layer_before_it(
    kind: str,
    turned: bool,  # noqa: FBT001
) -> None:
    pairs: list[Couple] = [
        (item(kind, "c", 100, 30), item(kind, "n", 100, 40, bias=True)),
        (item("batch_norm", "bn", 0, 20, before="c"), None),
    ]
    if turned:
        pairs = [(b, a) for a, b in pairs]
    names = ("n", "c") if turned else ("c", "n")
    assert merged(pairs) == [(*names, f"batch_norm folded into the {kind} before it")]


def test_a_batch_norm_behind_another_layer_stays_without_a_counterpart() -> None:
    pairs: list[Couple] = [
        (item("conv", "c", 100, 30), item("conv", "n", 100, 30)),
        (item("batch_norm", "bn", 0, 20, before="pool"), None),
    ]
    assert merged(pairs) == [("c", "n", ""), ("bn", "", "batch_norm without a counterpart in b")]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["conv", "conv_transpose"])
def test_of_two_equal_norms_the_folded_one_is_that_behind_the_layer(kind: str, turned: bool) -> None:  # noqa: FBT001
    """The alignment pairs the norms that come first, and the export has only the second and the third."""
    pairs: list[Couple] = [
        (item(kind, "c", 100, 30), item(kind, "n", 100, 40, bias=True)),
        (item("batch_norm", "bn", 0, 20, before="c"), item("batch_norm", "second", 0, 20)),
        (item("batch_norm", "bn2", 0, 20), item("batch_norm", "third", 0, 20)),
        (item("batch_norm", "bn3", 0, 20), None),
    ]
    expected = [
        ("c", "n", f"batch_norm folded into the {kind} before it"),
        ("bn2", "second", ""),
        ("bn3", "third", ""),
    ]
    if turned:
        pairs = [(b, a) for a, b in pairs]
        expected = [(b, a, why) for a, b, why in expected]
    assert merged(pairs) == expected


@pytest.mark.parametrize(
    ("bias", "read"),
    [
        pytest.param(False, "", id="no bias that holds it"),
        pytest.param(True, "n", id="the norm of b is behind the layer too"),
    ],
)
def test_a_norm_that_was_not_folded_keeps_its_counterpart(bias: bool, read: str) -> None:  # noqa: FBT001
    pairs: list[Couple] = [
        (item("conv", "c", 100, 30, bias=bias), item("conv", "n", 100, 30, bias=bias)),
        (item("batch_norm", "bn", 0, 20, before="c"), item("batch_norm", "first", 0, 20, before=read)),
        (item("batch_norm", "bn2", 0, 20), None),
    ]
    assert merged(pairs) == [
        ("c", "n", ""),
        ("bn", "first", ""),
        ("bn2", "", "batch_norm without a counterpart in b"),
    ]


def test_a_norm_does_not_move_past_layers_with_work() -> None:
    pairs: list[Couple] = [
        (item("conv", "c", 100, 30, bias=True), item("conv", "n", 100, 30, bias=True)),
        (item("batch_norm", "bn", 0, 20, before="c"), item("batch_norm", "first", 0, 20)),
        (item("conv", "c2", 100, 30), item("conv", "n2", 100, 30)),
        (item("batch_norm", "bn2", 0, 20), None),
    ]
    assert merged(pairs)[-1] == ("bn2", "", "batch_norm without a counterpart in b")


ATTENTION = item("multi_head_attention", "attn", 88, 40)
PARTS = [
    item("linear", "qkv", 30, 30), item("matmul", "qk", 14), item("matmul", "av", 14),
    item("linear", "out", 30, 10),
]  # fmt: skip


@pytest.mark.parametrize("first", [False, True])
def test_an_attention_layer_is_the_projections_and_products_that_it_covers(first: bool) -> None:  # noqa: FBT001
    parts: list[Couple] = [(None, part) for part in PARTS]
    before: list[Couple] = [(item("linear", "x", 5, 5), item("linear", "y", 5, 5))]
    pairs = [*before, (ATTENTION, None), *parts] if first else [*before, *parts, (ATTENTION, None)]
    words = "multi_head_attention as the layers that it covers: 2 linear, 2 matmul"
    assert merged(pairs) == [("x", "y", ""), ("attn", "qkv", words)]


def dense(path: str, out: int, depth: int, macs: int, params: int) -> ComparedLayer:
    given = item("linear", path, macs, params, channels=(4, out), bias=True)
    return replace(given, depth=depth)


@pytest.mark.parametrize("turned", [False, True])
def test_a_dense_layer_behind_an_attention_layer_is_not_its_last_projection(turned: bool) -> None:  # noqa: FBT001
    """A norm of no depth stands between the attention layer and the dense one in the order."""
    norm = item("layer_norm", "norm", 0, 8)
    source = [ATTENTION, norm, dense("fc", 4, 1, 30, 10), dense("fc2", 4, 2, 30, 10)]
    qkv, out = dense("qkv", 12, 0, 30, 30), dense("out", 4, 3, 30, 10)
    export = [
        qkv, norm, *PARTS[1:3], out, dense("fc", 4, 4, 30, 10), dense("fc2", 4, 5, 30, 10),
    ]  # fmt: skip
    sides = (export, source) if turned else (source, export)
    words = "multi_head_attention as the layers that it covers: 2 linear, 2 matmul"
    names = ("qkv", "attn") if turned else ("attn", "qkv")
    same = [(name, name, "") for name in ("norm", "fc", "fc2")]
    assert sorted(merged(align(*sides))) == sorted([(*names, words), *same])


def test_parts_of_the_same_work_and_more_weights_are_not_all_taken() -> None:
    """A position table that is added beside them has no work, so that their sum is the same with it."""
    table: Couple = (None, item("add", "positions", 0, 64))
    pairs: list[Couple] = [(ATTENTION, None), (None, PARTS[0]), table, *((None, part) for part in PARTS[1:])]
    found = merged(pairs)
    assert found[0][:2] == ("attn", "qkv")
    assert found[1] == ("", "positions", "a constant that is added, such as a mask, in b only")


def test_biases_that_are_added_apart_belong_to_the_attention() -> None:
    bare = [PARTS[0], item("add", "bias", 0, 6), *PARTS[1:]]
    layer = item("multi_head_attention", "attn", 88, 46)
    pairs: list[Couple] = [(layer, None), *((None, part) for part in bare)]
    words = "multi_head_attention as the layers that it covers: 1 add, 2 linear, 2 matmul"
    assert merged(pairs) == [("attn", "qkv", words)]


def test_parts_of_other_work_stay_without_a_counterpart() -> None:
    pairs: list[Couple] = [(ATTENTION, None), *((None, part) for part in PARTS[:3])]
    assert [why for *_, why in merged(pairs)] == [
        "multi_head_attention without a counterpart in b",
        "linear without a counterpart in a",
        "matmul without a counterpart in a",
        "matmul without a counterpart in a",
    ]


def test_a_recurrent_layer_of_two_is_two_layers_though_one_was_its_counterpart() -> None:
    both = item("lstm", "lstm", 90, 60)
    pairs: list[Couple] = [
        (both, item("lstm", "first", 30, 20)),
        (item("embedding", "e", 0, 9), item("embedding", "f", 0, 9)),
        (None, item("lstm", "second", 60, 40)),
    ]
    words = "lstm as the layers that it covers: 2 lstm"
    assert merged(pairs) == [("lstm", "second", words), ("e", "f", "")]


def test_layers_with_work_that_are_counterparts_bound_the_search() -> None:
    between: Couple = (item("linear", "x", 5, 5), item("linear", "y", 5, 5))
    pairs: list[Couple] = [
        (ATTENTION, None),
        (None, PARTS[0]),
        between,
        *((None, part) for part in PARTS[1:]),
    ]
    assert len(merged(pairs)) == 6


def test_an_embedding_of_known_indices_is_a_constant_that_is_added() -> None:
    pairs: list[Couple] = [
        (item("embedding", "positions", 0, 512, channels=(64, 8)), None),
        (None, item("add", "add", 0, 128)),
    ]
    assert merged(pairs) == [
        ("positions", "add", "an embedding of known indices as a constant that is added")
    ]


def test_a_module_s_own_parameters_are_at_the_calls_that_read_them() -> None:
    pairs: list[Couple] = [
        (item("parameters", "vit", 0, 40), None),
        (None, item("concat", "cls", 0, 8)),
        (None, item("add", "positions", 0, 32)),
    ]
    assert merged(pairs) == [("vit", "cls", "")]


def test_each_of_a_module_s_own_parameters_is_at_a_call_that_reads_as_many() -> None:
    """The layer scales of a ConvNeXt; the deviation that its input is divided by is a constant more."""
    pairs: list[Couple] = [
        (item("parameters", "scale0", 0, 8), None),
        (item("parameters", "scale1", 0, 8), None),
        (None, item("multiply", "deviation", 0, 3)),
        (None, item("multiply", "mul0", 0, 8)),
        (None, item("multiply", "mul1", 0, 8)),
    ]
    alone = ("", "deviation", "multiply without a counterpart in a")
    assert merged(pairs) == [("scale0", "mul0", ""), ("scale1", "mul1", ""), alone]
    assert [why for *_, why in merged(pairs[:4])] == [
        *["parameters without a counterpart in b"] * 2,
        *["multiply without a counterpart in a"] * 2,
    ]


def test_a_norm_is_the_multiplication_and_addition_of_its_constants() -> None:
    pairs: list[Couple] = [
        (item("layer_norm", "ln", 0, 16), None),
        (None, item("multiply", "mul", 0, 8)),
        (None, item("add", "add", 0, 8)),
        (None, item("add", "positions", 0, 64)),
    ]
    assert merged(pairs) == [
        ("ln", "mul", "layer_norm as the multiplication and addition of constants"),
        ("", "positions", "a constant that is added, such as a mask, in b only"),
    ]


def test_what_parameters_that_are_stored_once_change_is_not_due_to_the_spelling_of_a_norm() -> None:
    spelled = [item(kind, f"n2/{kind}", shared="n1") for kind in ("multiply", "add")]
    pairs: list[Couple] = [(item("layer_norm", "n2", 0, 16), None), *((None, each) for each in spelled)]
    ((spelling, stored),) = reasons(merge(pairs))
    assert (spelling.text, spelling.params) == (
        "layer_norm as the multiplication and addition of constants", False,
    )  # fmt: skip
    assert (stored.text, stored.params) == ("parameters stored once: shared with n1", True)


@pytest.mark.parametrize(("params", "products"), [(16, 2), (8, 1)], ids=["scale_and_shift", "shift"])
def test_a_norm_whose_statistics_are_constants_is_the_calls_that_read_them(
    params: int, products: int
) -> None:
    """Weights of 8 features, and a mean and a variance: 2 products or 1, a difference and a sum of 8 each."""
    pairs: list[Couple] = [
        (item("conv", "c", 100, 30), item("conv", "n", 100, 38, bias=True)),
        (item("batch_norm", "bn", 0, params, before="c"), None),
        (None, item("add", "variance", 0, 8)),
        *((None, item("multiply", f"product{i}", 0, 8)) for i in range(products)),
        (None, item("subtract", "shift", 0, 8)),
    ]
    words = "batch_norm as the multiplication and addition of constants, its statistics among them"
    assert merged(pairs) == [("c", "n", "bias in b only"), ("bn", "product0", words)]
    folded, *alone = merged([*pairs[:3], *pairs[4:]])
    assert folded == ("c", "n", "batch_norm folded into the conv before it")
    assert len(alone) == products + 1


def test_a_norm_whose_scale_is_read_behind_the_layer_was_not_folded() -> None:
    pairs: list[Couple] = [
        (item("conv", "c", 100, 30), item("conv", "n", 100, 30)),
        (item("batch_norm", "bn", 0, 20, before="c"), None),
        (None, item("multiply", "scale", 0, 10, before="n")),
        (None, item("add", "shift", 0, 10)),
    ]
    words = "batch_norm as the multiplication and addition of constants"
    assert merged(pairs) == [("c", "n", ""), ("bn", "scale", words)]


def test_a_product_is_the_same_layer_under_another_name() -> None:
    pairs: list[Couple] = [(item("einsum", "query", 30, 13), item("linear", "MatMul", 30, 13, bias=True))]
    assert merged(pairs) == [("query", "MatMul", "einsum as linear")]


def test_a_constant_that_is_added_to_a_dense_layer_is_its_bias() -> None:
    pairs: list[Couple] = [
        (item("linear", "fc", 30, 13, bias=True), item("linear", "MatMul", 30, 13, bias=True, added=True))
    ]
    assert merged(pairs) == [("fc", "MatMul", "MatMul + Add of a constant as a linear layer with a bias")]


DILATED = "dilated convolution as a plain one between space-to-batch and batch-to-space"


def conv(macs: int, *sizes: int, dilation: int = 1) -> ComparedLayer:
    """A 3x3 convolution from 4 to 4 channels, of 3 * 3 * 4 * 4 = 144 macs for each position."""
    ones = (1, 1)
    return item(
        "conv",
        "c",
        macs,
        144,
        kernel=(3, 3),
        stride=ones,
        dilation=(dilation, dilation),
        channels=(4, 4),
        sizes=sizes,
    )


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        pytest.param(conv(144 * 144, 12, 12, dilation=2), conv(4 * 36 * 144, 6, 6), DILATED, id="4 of 6x6"),
        pytest.param(conv(4 * 36 * 144, 6, 6), conv(144 * 144, 12, 12, dilation=2), DILATED, id="turned"),
        pytest.param(conv(169 * 144, 13, 13, dilation=2), conv(4 * 49 * 144, 7, 7), DILATED, id="13, padded"),
        pytest.param(
            conv(144 * 144, 12, 12, dilation=2), conv(36 * 144, 6, 6),
            "dilation 2x2 against 1x1; output 12x12 against 6x6", id="a quarter of the work",
        ),
        pytest.param(
            conv(144 * 144, 12, 12, dilation=2), conv(144 * 144, 12, 12),
            "dilation 2x2 against 1x1", id="not dilated",
        ),
    ],
)  # fmt: skip
def test_a_dilated_convolution_is_a_plain_one_over_the_positions_that_it_skips(
    a: ComparedLayer, b: ComparedLayer, why: str
) -> None:
    (found,) = reasons([(a, b)])
    assert "; ".join(reason.text for reason in found) == why
    assert all(reason.alike for reason in found) == (why == DILATED)
    assert not [reason for reason in found if reason.params]


def line(path: str, *ones: int, kernel: int = 3, sizes: tuple[int, ...] = (8,)) -> ComparedLayer:
    """A convolution along one axis, with further axes of 1 before it."""
    return item(
        "conv",
        path,
        96,
        12,
        kernel=(*ones, kernel),
        stride=(*ones, 1),
        dilation=(*ones, 1),
        sizes=(*ones, *sizes),
    )


def test_a_convolution_along_one_axis_is_one_of_two_axes_whose_first_is_1() -> None:
    """TensorFlow's converter knows no other; two in a row are no stride that moved."""
    pairs: list[Couple] = [(line("c", kernel=3), line("d", 1, kernel=3)), (line("e"), line("f", 1))]
    assert reasons(pairs) == [(), ()]
    ((why,),) = reasons([(line("c", kernel=3), line("d", 1, kernel=5))])
    assert why.text == "kernel 1x3 against 1x5"
    (more, *_) = reasons([(line("c"), line("d", 2))])[0]
    assert more.text == "kernel 3 against 2x3"
