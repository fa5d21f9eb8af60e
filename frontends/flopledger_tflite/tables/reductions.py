"""Reductions, running sums, extremes and their places, transforms. Source: tensorflow/lite/kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Array, Attrs, Row, Step, arrays, floordiv, row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Item

    from flopledger_tflite.node import Call

_JOINS: Mapping[str, Callable[[Item, Item], Item]] = {
    "reduce_prod": arrays.MUL, "reduce_sum": arrays.ADD, "reduce_max": arrays.MAX, "reduce_min": arrays.MIN,
}  # fmt: skip


def reduction(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a reduction over the axes that the second input names."""

    def rule(call: Call) -> Step:
        axes = tuple(sorted({call.axis(axis, call.rank()) for axis in call.dims(1)}))
        keep = call.flag("keep_dims")
        known = call.value(0).known()
        if known is not None and len(known.shape) == 1 and axes == (0,) and kind in _JOINS and known.items:
            found = known.items[0]
            for item in known.items[1:]:
                found = _JOINS[kind](found, item)
            shape = (1,) if keep else ()
            return Step("index_arithmetic", {"shape": shape}, (0,), [shape], arrays=[Array(shape, (found,))])
        if not axes:
            return Step("identity", {}, (0,))
        return Step(kind, {"axes": axes, "keep_dims": keep}, (0,))

    return rule


def arg_extreme(call: Call) -> Step:
    """The place of the largest or smallest element along an axis."""
    return Step("arg_max", {"axes": (call.axis(call.dims(1)[0], call.rank()),)}, (0,))


def top_k(call: Call) -> Step:
    """The largest elements along the last axis, and their places."""
    return Step("top_k", {"size": call.dims(1)[0], "axis": -1}, (0,))


def cumsum(call: Call) -> Step:
    """A running sum."""
    return Step("cumsum", {"axis": call.axis(call.dims(1)[0], call.rank())}, (0,))


def rfft_2d(call: Call) -> Step:
    """A Fourier transform of real numbers over the last two axes, cut or filled up to given lengths."""
    shape, lengths = call.shape(), call.dims(1)
    signal = (*shape[:-2], *lengths)
    attrs: Attrs = {"axes": (len(shape) - 2, len(shape) - 1), "real": "input", "onesided": True}
    return Step("fft", attrs, (signal,), [(*signal[:-1], floordiv(lengths[-1], 2) + 1)])


_KINDS: Mapping[str, str] = {
    "MEAN": "reduce_mean", "SUM": "reduce_sum", "REDUCE_PROD": "reduce_prod", "REDUCE_MAX": "reduce_max",
    "REDUCE_MIN": "reduce_min", "REDUCE_ANY": "reduce_any", "REDUCE_ALL": "reduce_any",
}  # fmt: skip

ROWS: Mapping[str, Row[Call]] = {
    **{name: row(reduction(kind), 1) for name, kind in _KINDS.items()},
    "ARG_MAX": row(arg_extreme, 1),
    "ARG_MIN": row(arg_extreme, 1),
    "TOPK_V2": row(top_k, 1),
    "CUMSUM": row(cumsum, 1),
    "RFFT2D": row(rfft_2d, 1),
}
