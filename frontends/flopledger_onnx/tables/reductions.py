"""Reductions, running sums, extremes and their places. Source: onnx.ai/onnx/operators."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, Array, Attrs, Part, Row, Step, arrays, row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Item

    from flopledger_onnx.node import Call


def reduction(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a reduction; its axes are an attribute, or later an input."""

    def rule(call: Call) -> Step:
        known = _reduced(call, kind)
        if known is not None:
            return known
        given = call.axes("axes", 1, call.rank())
        if not given and call.flag("noop_with_empty_axes"):
            return Step("identity", {}, (0,))
        attrs: Attrs = {"axes": given or None, "keep_dims": call.flag("keepdims", default=True)}
        return Step(kind, attrs, (0,))

    return rule


_JOINS: Mapping[str, Callable[[Item, Item], Item]] = {
    "reduce_prod": arrays.MUL, "reduce_sum": arrays.ADD, "reduce_max": arrays.MAX, "reduce_min": arrays.MIN,
}  # fmt: skip


def _reduced(call: Call, kind: str) -> Step | None:
    """Return the step of a vector of sizes that is joined into one: a product of sizes is an exporter's."""
    known = call.value(0).known()
    if known is None or len(known.shape) > 1 or kind not in _JOINS or not known.items:
        return None
    found = known.items[0]
    for item in known.items[1:]:
        found = _JOINS[kind](found, item)
    shape = (1,) * len(known.shape) if call.flag("keepdims", default=True) else ()
    array = Array(shape, (found,))
    return Step("index_arithmetic", {"shape": shape}, (0,), [shape], arrays=[array])


def log_sum(call: Call) -> Step:
    """The logarithm of a sum."""
    axes, keep = call.axes("axes", 1, call.rank()), call.flag("keepdims", default=True)
    reduce: Attrs = {"axes": axes or None, "keep_dims": keep}
    shape = call.shape()
    picked = axes or tuple(range(len(shape)))
    out = tuple(1 if i in picked else n for i, n in enumerate(shape) if keep or i not in picked)
    parts = (Part("sum", "reduce_sum", reduce, (shape,)), Part("log", "log", {}, (out,)))
    return Step(CONTAINER, parts=parts, shapes=[out])


def arg_extreme(call: Call) -> Step:
    """The place of the largest or smallest element along an axis."""
    axis = call.axis(call.whole("axis", 0), call.rank())
    attrs: Attrs = {"axes": (axis,), "keep_dims": call.flag("keepdims", default=True)}
    return Step("arg_max", attrs, (0,), dtypes=("int64",))


def top_k(call: Call) -> Step:
    """The largest elements along an axis, and their places."""
    size = call.dims(1)[0] if call.has(1) else call.whole("k")
    axis = call.axis(call.whole("axis", -1), call.rank())
    return Step("top_k", {"size": size, "axis": axis}, (0,), dtypes=(call.value(0).dtype, "int64"))


def scan(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a running sum or product."""

    def rule(call: Call) -> Step:
        known = call.value(0).known()
        step = Step(kind, {"axis": call.axis(call.dims(1)[0], call.rank())}, (0,))
        if known is None or kind != "cumsum" or len(known.shape) != 1:
            return step
        sums = itertools.accumulate(known.items, arrays.ADD)
        return Step(
            "index_arithmetic", {"shape": known.shape}, (0,), [known.shape], arrays=[arrays.vector(sums)]
        )

    return rule


_REDUCTIONS: Mapping[str, str] = {
    "ReduceL1": "reduce_asum",
    "ReduceL2": "vector_norm",
    "ReduceLogSumExp": "logsumexp",
    "ReduceMax": "reduce_max",
    "ReduceMean": "reduce_mean",
    "ReduceMin": "reduce_min",
    "ReduceProd": "reduce_prod",
    "ReduceSum": "reduce_sum",
    "ReduceSumSquare": "reduce_sumsq",
}

ROWS: Mapping[str, Row[Call]] = {
    **{name: row(reduction(kind), 1) for name, kind in _REDUCTIONS.items()},
    "ReduceLogSum": row(log_sum, 1),
    "ArgMax": row(arg_extreme),
    "ArgMin": row(arg_extreme),
    "TopK": row(top_k, 1),
    "CumSum": row(scan("cumsum"), 1),
    "CumProd": row(scan("cumprod"), 1),
}
