"""Operators of StableHLO that have attributes of their own. Source: openxla.org/stablehlo/spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Attrs, Row, Step, Unshaped, row

from flopledger_tflite.tables.operators import name_of
from flopledger_tflite.tables.windows import windowed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Shape

    from flopledger_tflite.node import Call

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def dot_general(call: Call) -> Step:
    """A product over some axes of both operands, for each element of others: an einsum."""
    left, right = call.rank(0), call.rank(1)
    axes = {side: call.wholes(f"{side}_contracting_dimensions") for side in ("lhs", "rhs")}
    batch = {side: call.wholes(f"{side}_batching_dimensions") for side in ("lhs", "rhs")}
    if (
        left + right > len(_LETTERS)
        or len(axes["lhs"]) != len(axes["rhs"])
        or len(batch["lhs"]) != len(batch["rhs"])
    ):
        raise call.impossible("has axes that don't go together")
    a, b = list(_LETTERS[:left]), list(_LETTERS[left : left + right])
    for mine, its in (
        *zip(batch["lhs"], batch["rhs"], strict=True),
        *zip(axes["lhs"], axes["rhs"], strict=True),
    ):
        b[call.axis(its, right)] = a[call.axis(mine, left)]
    shared = [a[axis] for axis in batch["lhs"]]
    rest = [letter for letter in (*a, *b) if (letter in a) != (letter in b)]
    return Step("einsum", {"equation": f"{''.join(a)},{''.join(b)}->{''.join((*shared, *rest))}"}, (0, 1))


def convolution(call: Call) -> Step:
    """A convolution of any layout; a dilated input is a transposed one."""
    shape, weight = call.shape(0), call.shape(1)
    batch, feature = call.whole("input_batch_dimension"), call.whole("input_feature_dimension")
    spatial, kernel = call.wholes("input_spatial_dimensions"), call.wholes("kernel_spatial_dimensions")
    given = (batch, feature, *spatial)
    if sorted(given) != list(range(len(shape))) or len(weight) != len(shape) or len(kernel) != len(spatial):
        raise call.impossible(f"has the axes {given} for an input of {len(shape)}")
    sizes = tuple(weight[call.axis(axis, len(weight))] for axis in kernel)
    rank = len(spatial)
    pads = call.wholes("padding") or (0,) * 2 * rank
    dilated = call.wholes("lhs_dilation") or (1,) * rank
    if len(pads) != 2 * rank or len(dilated) != rank or call.whole("batch_group_count", 1) > 1:
        raise Unshaped("a convolution with groups of the batch has no formula here")
    out = weight[call.axis(call.whole("kernel_output_feature_dimension"), len(weight))]
    attrs: Attrs = {
        "kernel": sizes,
        "stride": call.wholes("window_strides") or None,
        "padding": tuple((pads[2 * i], pads[2 * i + 1]) for i in range(rank)),
        "dilation": call.wholes("rhs_dilation") or None,
        "out_channels": out,
        "groups": max(call.whole("feature_group_count", 1), 1),
        "bias": False,
    }
    turned: Shape = tuple(shape[axis] for axis in given)
    stated = [call.output()] if call.output() is not None else None
    if any(factor > 1 for factor in dilated):
        if stated is None:
            raise Unshaped("the shape of a convolution with a dilated input is not stated")
        attrs |= {"stride": dilated, "padding": None}
        return Step("conv_transpose", attrs, (turned,), stated)
    return Step("conv", attrs, (turned,), stated)


def broadcast(call: Call) -> Step:
    """Axes put in their places and stretched."""
    shape = call.output()
    if shape is None:
        raise Unshaped("the shape of its output is open")
    return Step("view", {"shape": shape}, (0,), [shape])


def cut(call: Call) -> Step:
    """Ranges of all axes."""
    bounds = [call.wholes(name) for name in ("start_indices", "limit_indices", "strides")]
    if any(len(each) != call.rank() for each in bounds) or any(step < 1 for step in bounds[2]):
        raise call.impossible(f"has bounds for other than its {call.rank()} axes")
    shape = tuple(-(-(limit - start) // step) for start, limit, step in zip(*bounds, strict=True))
    return Step("view", {"shape": shape}, (0,), [shape])


def dynamic_cut(call: Call) -> Step:
    """A box of given sizes at a place that is data."""
    shape = call.wholes("slice_sizes")
    return Step("view", {"shape": shape}, (0,), [shape])


def pad(call: Call) -> Step:
    """Borders around the input, and gaps between its elements."""
    sides = [call.wholes(f"edge_padding_{side}") for side in ("low", "high")]
    gaps = call.wholes("interior_padding") or (0,) * call.rank()
    if any(len(each) != call.rank() for each in (*sides, gaps)):
        raise call.impossible(f"has pads for other than its {call.rank()} axes")
    shape = tuple(
        size + low + high + (size - 1) * gap
        for size, low, high, gap in zip(call.shape(), *sides, gaps, strict=True)
    )
    return Step("view", {"shape": shape}, (0,), [shape])


def stated(kind: str) -> Row[Call]:
    """Return the row of an operator whose output has the shape that the file states."""

    def rule(call: Call) -> Step:
        shape = call.output()
        if shape is None:
            raise Unshaped("the shape of its output is open")
        return Step(kind, {"shape": shape}, () if kind == "index_arithmetic" else (0,), [shape])

    return row(rule, 1)


_JOINS: Mapping[str, str] = {
    "ADD": "sum", "MULTIPLY": "prod", "MAXIMUM": "max", "MINIMUM": "min", "AND": "any", "OR": "any",
}  # fmt: skip


def _join(call: Call) -> str:
    """Return the operator of the graph that joins two elements."""
    index = call.whole("body_subgraph_index", -1)
    graphs: Sequence[object] = call.model.graphs
    if not 0 <= index < len(graphs):
        raise call.error(f"names the graph {index}, the file has {len(graphs)}")
    names = {
        name_of(each.code, each.custom).removeprefix("STABLEHLO_")
        for each in call.model.graphs[index].operators
    }
    found = [_JOINS[name] for name in names if name in _JOINS]
    if len(names) != 1 or not found:
        raise Unshaped(f"elements are joined by {', '.join(sorted(names)) or 'nothing'}")
    return found[0]


def reduce(call: Call) -> Step:
    """A reduction by the operator of a graph of its own."""
    axes = tuple(sorted({call.axis(axis, call.rank()) for axis in call.wholes("dimensions")}))
    return Step(f"reduce_{_join(call)}", {"axes": axes}, (0,))


def reduce_window(call: Call) -> Step:
    """Windows joined likewise."""
    ones = (1,) * call.rank()
    sizes, strides, spread, dilation = (
        call.wholes(name) or ones
        for name in ("window_dimensions", "window_strides", "base_dilations", "window_dilations")
    )
    return windowed(call, _join(call), (sizes, strides, spread, dilation), call.wholes("padding"))


ROWS: Mapping[str, Row[Call]] = {
    "STABLEHLO_DOT_GENERAL": row(dot_general),
    "STABLEHLO_CONVOLUTION": row(convolution, weights={1: "weight"}),
    "STABLEHLO_BROADCAST_IN_DIM": row(broadcast),
    "STABLEHLO_SLICE": row(cut),
    "STABLEHLO_DYNAMIC_SLICE": row(dynamic_cut, *range(1, 9)),
    "STABLEHLO_PAD": row(pad, 1),
    "STABLEHLO_IOTA": stated("index_arithmetic"),
    "STABLEHLO_GATHER": stated("gather"),
    "STABLEHLO_SCATTER": stated("view"),
    "STABLEHLO_REDUCE": row(reduce, 1),
    "STABLEHLO_REDUCE_WINDOW": row(reduce_window, 1),
}
