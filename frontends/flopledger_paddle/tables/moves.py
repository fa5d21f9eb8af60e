"""The ops that only move data, as kinds. Where a kind lacks an attribute, the result's shape is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_paddle.tables import windows
from flopledger_paddle.tables.call import Meaning, Op, Open

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend import Value

    Rule = Callable[[Op], Meaning]

_FREE = (
    "pixel_unshuffle fold set_value set_value_with_tensor as_strided view_shape view_dtype "
    "tril triu meshgrid diag diag_embed diagonal repeat_interleave full_with_tensor "
    "full_batch_size_like assign_value index_put put_along_axis scatter scatter_nd_add one_hot eye "
    "temporal_shift"
)
_PICKED = "gather gather_nd index_select index_sample take_along_axis masked_select kthvalue"
_CREATION = "full_like zeros_like ones_like arange linspace gaussian uniform bernoulli randint assign_value"
ALL = -1
"""As many outputs as there are."""


def _to_shape(kind: str, *inputs: int) -> Rule:
    return lambda op: Meaning(kind, {"shape": op.result(0)}, inputs)


def _view(op: Op) -> Meaning:
    if len(op.results) != 1 or not op.results[0].initialized():
        raise Open(f"{op.name} has several results")
    return Meaning("view", {"shape": op.result(0)})


def _reshape(op: Op) -> Meaning:
    """A size of 0 is that of the input; leading ones stay as they are, whatever they are."""
    try:
        wanted = [int(size) for size in op.constant(1)]
    except Open:
        return Meaning("view", {"shape": op.result(0)})
    lead = next((i for i, size in enumerate(wanted) if size != 0), len(wanted))
    given = op.shape(0)
    rest = [given[lead + i] if size == 0 else size for i, size in enumerate(wanted[lead:])]
    return Meaning("reshape", {"shape": tuple(rest), "lead": lead})


def _flatten(op: Op) -> Meaning:
    return Meaning("flatten", {"start": op.attr("start_axis"), "end": op.attr("stop_axis")})


def _transpose(op: Op) -> Meaning:
    return Meaning("transpose", {"order": tuple(op.attr("perm"))})


def _number(value: object) -> int:
    found = value[0] if isinstance(value, (list, tuple)) else value
    if isinstance(found, (int, float)):
        return int(found)
    raise Open(f"{value!r} is no number")


def _concat(op: Op) -> Meaning:
    return Meaning("concat", {"axis": _number(op.constant(1))})


def _stack(op: Op) -> Meaning:
    return Meaning("stack", {"axis": op.attr("axis")})


def _split(op: Op) -> Meaning:
    axis = _number(op.constant(len(op.operands) - 1))
    parts = [int(part.shape[axis]) for part in op.many_results(0)]
    if min(parts, default=0) < 0:
        raise Open(f"the sizes that {op.name} splits into depend on data")
    return Meaning("split", {"axis": axis, "sizes": tuple(parts)}, outputs=ALL)


def _unstack(op: Op) -> Meaning:
    return Meaning("unstack", {"axis": op.attr("axis")}, outputs=ALL)


def _unpool(op: Op) -> Meaning:
    """The elements that a pooling kept go back to their positions."""
    return Meaning("view", {"shape": op.result(0)}, (0, 1))


_END = 2**31 - 1
"""Where a slice to the end of its axis stops, as Paddle writes it."""


def _slice(op: Op) -> Meaning:
    """One axis is cut, and may disappear; a cut of several has the shape of its result."""
    axes = op.attr("axes")
    if len(axes) != 1:
        return Meaning("view", {"shape": op.result(0)})
    start, stop = _number(op.constant(1)), _number(op.constant(2))
    attrs: dict[str, Value] = {"axis": axes[0], "start": start, "stop": None if stop == _END else stop}
    if op.attr("decrease_axis", None):
        attrs["drop"] = True
    return Meaning("slice", attrs)


def _strided_slice(op: Op) -> Meaning:
    axes = op.attr("axes")
    if len(axes) != 1:
        return Meaning("view", {"shape": op.result(0)})
    start, stop, step = (_number(op.constant(place)) for place in (1, 2, 3))
    return Meaning("slice", {"axis": axes[0], "start": start, "stop": stop, "step": step})


def _squeeze(op: Op) -> Meaning:
    axes = op.constant(1)
    shape = op.shape(0)
    removed = tuple(int(a) for a in axes if shape[int(a)] == 1)
    return Meaning("squeeze", {"axes": removed if axes else None})


def _unsqueeze(op: Op) -> Meaning:
    axes = [int(a) for a in op.constant(1)]
    if len(axes) > 1:  # each is numbered after those before it were put in
        return Meaning("view", {"shape": op.result(0)})
    return Meaning("unsqueeze", {"axes": tuple(axes)})


def _expand(op: Op) -> Meaning:
    return Meaning("expand", {"shape": op.result(0)})


def _tile(op: Op) -> Meaning:
    return Meaning("tile", {"repeats": tuple(int(n) for n in op.constant(1))})


def _channels_last(op: Op) -> bool:
    return str(op.attr("data_format", "NCHW"))[-1] == "C"


def _pixel_shuffle(op: Op) -> Meaning:
    return Meaning(
        "pixel_shuffle", {"factor": op.attr("upscale_factor"), "channels_last": _channels_last(op)}
    )


def _channel_shuffle(op: Op) -> Meaning:
    attrs: dict[str, Value] = {"groups": op.attr("groups"), "axis": -1 if _channels_last(op) else 1}
    return Meaning("channel_shuffle", attrs)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_FREE.split(), _view),
    **{name: _to_shape("gather", 0, 1) for name in _PICKED.split()},
    **{name: _to_shape("fill") for name in _CREATION.split()},
    "channel_shuffle": _channel_shuffle,
    "concat": _concat,
    "expand": _expand,
    "expand_as": _expand,
    "flatten": _flatten,
    "pad": windows.pad,
    "pad3d": windows.pad3d,
    "pixel_shuffle": _pixel_shuffle,
    "reshape": _reshape,
    "slice": _slice,
    "split": _split,
    "split_with_num": _split,
    "squeeze": _squeeze,
    "stack": _stack,
    "strided_slice": _strided_slice,
    "tile": _tile,
    "transpose": _transpose,
    "unbind": _unstack,
    "unpool": _unpool,
    "unpool3d": _unpool,
    "unsqueeze": _unsqueeze,
    "unstack": _unstack,
}
