"""Functions of Paddle: the kinds of their ops, and their costs by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flopledger.plugins import discovery as plugins
from flopledger.testing import check_graph
from flopledger_paddle.framework import paddle
from paddle import nn
from paddle.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Read


class Functional(nn.Layer):
    def __init__(self, call: Callable[..., Any]) -> None:
        super().__init__()
        self.call = call

    def forward(self, *inputs: Any) -> Any:
        return self.call(*inputs)


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[str, ...], list[str], int]] = {
    "matmul": (
        lambda x, y: paddle.matmul(x, y, transpose_y=True),
        ("2x3x4", "2x5x4"),
        ["matmul"],
        2 * 3 * 5 * 4,
    ),
    "operator": (lambda x, y: x @ y, ("3x4", "4x5"), ["matmul"], 3 * 4 * 5),
    "bmm": (paddle.bmm, ("2x3x4", "2x4x5"), ["matmul"], 2 * 3 * 4 * 5),
    "mv": (paddle.mv, ("3x4", "4"), ["matmul"], 12),
    "addmm": (paddle.addmm, ("3x5", "3x4", "4x5"), ["matmul"], 60),
    "einsum": (lambda x, y: paddle.einsum("bij,bjk->bik", x, y), ("2x3x4", "2x4x5"), ["einsum"], 120),
    "linear": (functional.linear, ("2x3", "3x4"), ["matmul"], 24),
    "conv": (functional.conv2d, ("1x3x8x8", "4x3x3x3"), ["conv"], 4 * 36 * 27),
    "add": (lambda x, y: x + y, ("2x3", "3"), ["add"], 0),
    "scaled": (lambda x: x * 2 + 1, ("2x3",), ["power_law", "power_law"], 0),
    "softmax": (functional.softmax, ("2x3",), ["softmax"], 0),
    "mean": (lambda x: x.mean([1], keepdim=True), ("2x3",), ["reduce_mean"], 0),
    "whole": (paddle.max, ("2x3",), ["reduce_max"], 0),
    "concat": (lambda x, y: paddle.concat([x, y], 1), ("2x3", "2x4"), ["concat"], 0),
    "split": (lambda x: paddle.split(x, [1, 2], 1), ("2x3",), ["split"], 0),
    "stack": (lambda x: paddle.stack([x, x], 1), ("2x3",), ["stack"], 0),
    "slice": (lambda x: x[:, 1:3], ("2x4",), ["slice"], 0),
    "where": (lambda x: paddle.where(x > 0, x, x), ("2x4",), ["compare", "select"], 0),
    "tile": (lambda x: paddle.tile(x, [2, 1]), ("2x4",), ["tile"], 0),
    "grid": (functional.grid_sample, ("1x3x8x8", "1x4x5x2"), ["grid_sample"], 0),
    "dot": (paddle.dot, ("4", "4"), ["matmul"], 4),
    "dot of matrices": (paddle.dot, ("3x4", "3x4"), ["einsum"], 12),
    "logsumexp": (lambda x: paddle.logsumexp(x, 1), ("2x3x4",), ["logsumexp"], 0),
    "logsumexp of all": (paddle.logsumexp, ("2x3",), ["logsumexp"], 0),
    "norm": (lambda x: paddle.norm(x, 3, axis=1, keepdim=True), ("2x3x4",), ["vector_norm"], 0),
    "norm of all": (paddle.norm, ("2x3x4",), ["vector_norm"], 0),
    "norm of matrices": (lambda x: paddle.norm(x, "fro", axis=[1, 2]), ("2x3x4",), ["vector_norm"], 0),
    "maxout": (lambda x: functional.maxout(x, 3, axis=-1), ("1x7x9x6",), ["maxout"], 0),
    "unbind": (lambda x: paddle.unbind(x, 1), ("2x3x4",), ["unstack"], 0),
    "unstack": (lambda x: paddle.unstack(x, -1), ("2x3x4",), ["unstack"], 0),
    "cross-entropy": (
        functional.cross_entropy,
        ("2x5", "2x1:int64"),
        ["softmax_cross_entropy", "reduce_mean"],
        0,
    ),
    "strided": (lambda x: x[:, ::2], ("2x5",), ["slice"], 0),
    "backwards": (lambda x: x[:, ::-1], ("2x5",), ["slice"], 0),
    "power": (lambda x: x**3, ("2x4",), ["power"], 0),
    "clip": (lambda x: paddle.clip(x, 0, 1), ("2x4",), ["clip"], 0),
    "argmax": (lambda x: paddle.argmax(x, -1), ("2x4",), ["arg_max"], 0),
    "top": (lambda x: paddle.topk(x, 2), ("2x4",), ["top_k"], 0),
    "cumulated": (lambda x: paddle.cumsum(x, 1), ("2x4",), ["cumsum"], 0),
    "expanded": (lambda x: paddle.expand(x, [3, 2, 4]), ("2x4",), ["expand"], 0),
    "padded": (lambda x: functional.pad(x, [1, 2, 3, 4]), ("1x2x5x6",), ["unsqueeze", "pad", "squeeze"], 0),
}
"""For each function: a call, its inputs, the kinds of the ops, and their multiply-accumulates."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_an_op_of_its_kind(read: Read, name: str) -> None:
    call, specs, kinds, macs = FUNCTIONS[name]
    graph = read(Functional(call), *specs)

    assert [layer.kind for layer in graph.layers if layer.level == "op"] == kinds
    assert graph.count("mac").total.count == macs
    check_graph(graph, plugins.kinds())


def test_the_order_of_a_norm(read: Read) -> None:
    orders = [3, 2, 0, float("inf")]
    graph = read(Functional(lambda x: [paddle.norm(x, order, axis=1) for order in orders]), "2x3")

    assert [op.attrs["order"] for op in graph.layers if op.level == "op"] == [3, 2, 0, None]


def test_a_cross_entropy_is_a_loss_for_each_label_and_their_mean(read: Read) -> None:
    total = read(nn.CrossEntropyLoss(), "2x5", "2:int64").count("ops").total.count

    # 2 rows of 5: 8 comparisons, 10 differences, 10 exponentials, 8 additions, 10 divisions; 2 logarithms;
    # the mean is an addition and a division
    assert total == 8 + 10 + 10 + 8 + 10 + 2 + 2


WITHOUT_FORMULA: dict[str, tuple[Callable[..., Any], tuple[str, ...], str]] = {
    "smallest": (lambda x: paddle.norm(x, float("-inf"), axis=1), ("2x3",), "is no norm"),
    "soft labels": (
        lambda x, y: functional.cross_entropy(x, y, soft_label=True), ("2x5", "2x5"), "its labels are",
    ),
    "probabilities": (
        lambda x, y: functional.cross_entropy(x, y, use_softmax=False), ("2x5", "2x1:int64"),
        "has been through a softmax",
    ),
    "fractional": (lambda x: functional.fractional_max_pool2d(x, 3), ("1x3x8x8",), "drawn at random"),
    "regions": (
        lambda x, boxes, count: paddle.vision.ops.roi_align(x, boxes, count, 3),
        ("1x3x8x8", "4x4", "1:int32"), "depends on its size",
    ),
}  # fmt: skip
"""For each function without a formula: a call, its inputs, and the reason in the message."""


@pytest.mark.parametrize("name", WITHOUT_FORMULA)
def test_an_op_that_has_no_formula_says_why(read: Read, name: str) -> None:
    call, specs, why = WITHOUT_FORMULA[name]
    (unknown,) = read(Functional(call), *specs).count("mac").coverage.unknown

    assert why in unknown.why


def test_an_op_without_a_formula_is_unknown(read: Read) -> None:
    graph = read(Functional(lambda x: paddle.logcumsumexp(x, axis=1)), "2x3")
    (unknown,) = graph.count("mac").coverage.unknown

    assert (unknown.source, unknown.calls, unknown.why) == (
        "pd_op.logcumsumexp",
        1,
        "no formula for 'pd_op.logcumsumexp'",
    )


def test_sizes_that_depend_on_data_are_unknown(read: Read) -> None:
    graph = read(Functional(lambda x: paddle.nonzero(x) * 2), "2x3")
    whys = {u.source: u.why for u in graph.count("mac").coverage.unknown}

    assert whys["pd_op.scale"] == "the size of an input or output depends on the data"


# 6 elements: a function of each, or a comparison of each
COSTS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "tan": (paddle.tan, 6),
    "lgamma": (paddle.lgamma, 6),
    "expm1": (paddle.expm1, 6),
    "isnan": (paddle.isnan, 6),
    "masked fill": (lambda x: paddle.masked_fill(x, x > 0, 0.0), 6),  # the comparison; a choice is none
    "view": (lambda x: x.view(3, 2), 0),
    "view of a shape": (lambda x: paddle.view(x, [3, -1]), 0),
    "increment": (lambda x: paddle.increment(x.reshape([6])[0]), 1),
    "cumprod": (lambda x: paddle.cumprod(x, dim=1), 2 * (3 - 1)),
    "crop": (lambda x: paddle.crop(x, [2, 2], [0, 1]), 0),
}


@pytest.mark.parametrize("name", COSTS)
def test_a_function_costs_what_its_formula_says(read: Read, name: str) -> None:
    apply, operations = COSTS[name]
    ledger = read(Functional(apply), "2x3").count("ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (operations, ())


@pytest.mark.parametrize(
    ("a", "b", "macs"),
    [
        ("2x1x3x4", "5x4x2", 2 * 5 * 3 * 4 * 2),  # of which Paddle infers 2x1x3x2 in a program
        ("5x3x4", "2x1x4x2", 2 * 5 * 3 * 4 * 2),
        ("2x5x3x4", "5x4x2", 2 * 5 * 3 * 4 * 2),
    ],
)
def test_the_batches_of_a_product_are_stretched(read: Read, a: str, b: str, macs: int) -> None:
    graph = read(Functional(paddle.matmul), a, b)
    assert graph.count("mac").total.count == macs
    assert graph.shape(graph.outputs[0]) == (2, 5, 3, 2)


def test_an_assertion_on_data_is_taken_as_holding(read: Read) -> None:
    ledger = read(nn.GaussianNLLLoss(), "2x5", "2x5", "2x5").count("mac")
    assert ledger.coverage.unknown == ()
