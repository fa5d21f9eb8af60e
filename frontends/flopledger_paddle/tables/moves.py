"""The ops that only move data, as kinds. Where a kind lacks an attribute, the result's shape is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import Views, ceildiv, floordiv, is_symbolic, minimum

from flopledger_paddle.tables import windows
from flopledger_paddle.tables.call import Meaning, Op, Open, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend import Shape, Value

    Rule = Callable[[Op], Meaning]

_FREE = (
    "pixel_unshuffle fold as_strided view_shape view_dtype "
    "meshgrid diag diag_embed diagonal repeat_interleave "
    "full_batch_size_like assign_value one_hot eye temporal_shift crop real imag frame"
)
"""Movements whose kind lacks an attribute: the shape of the result is given."""
_SAME_SHAPE = (
    "set_value set_value_with_tensor tril triu index_put put_along_axis scatter scatter_nd_add "
    "full_like zeros_like ones_like"
)
"""Ops whose result has the shape of their first operand."""
_PICKED = "gather gather_nd index_select index_sample take_along_axis masked_select kthvalue"
"""Ops that pick elements by places that are data."""
_CREATION = "arange linspace gaussian uniform bernoulli randint assign_value"
"""Ops that make a tensor of no other."""
ALL = -1
"""The number of outputs of an op that may have any."""

IN_PROGRAMS = Views(whole=frozenset(("reshape", "flatten", "squeeze", "unsqueeze")))
"""Kinds whose results are in the memory of their operand, in a program."""
IN_LAYERS = Views(IN_PROGRAMS.whole, frozenset(("transpose", "slice", "unstack")))
"""Those of a layer that is called, whose kernels take tensors with strides too."""


def _to_shape(kind: str, *inputs: int) -> Rule:
    return lambda op: Meaning(kind, {"shape": op.result(0)}, inputs)


def _view(op: Op) -> Meaning:
    if len(op.results) != 1 or not op.results[0].initialized():
        raise Open(f"{op.name} has several results")
    return Meaning("view", {"shape": op.result(0)})


def _otherwise(kind: str, shape: Callable[[Op], Shape], *inputs: int) -> Rule:
    """Return the rule of a movement whose shape follows from its operands where the program has none."""

    def rule(op: Op) -> Meaning:
        try:
            return Meaning(kind, {"shape": op.result(0)}, inputs)
        except Open:
            return Meaning(kind, {"shape": shape(op)}, inputs)

    return rule


def _asked(place: int) -> Callable[[Op], Shape]:
    """Return how a shape is found that is an operand."""
    return lambda op: tuple(whole(size) for size in op.constant(place))


def _stretched(op: Op) -> Shape:
    """The shape that an expansion is asked for; -1 keeps a size."""
    asked, own = _asked(1)(op), op.shape(0)
    own = (*asked[: len(asked) - len(own)], *own)
    return tuple(old if new == -1 else new for old, new in zip(own, asked, strict=True))


def _counted(op: Op) -> Shape:
    """The number of steps from a start to an end."""
    start, end, step = (_number(op.constant(place)) for place in range(3))
    return (ceildiv(end - start, step),)


def _gathered(op: Op) -> Shape:
    """The positions of a gather in place of the axis that they are of."""
    axis = _number(op.constant(2))
    own, places = op.shape(0), op.shape(1)
    return (*own[:axis], *places, *own[axis + 1 :])


def _cut(op: Op) -> Shape:
    """The sizes after a slice of several axes."""
    sizes = list(op.shape(0))
    axes, dropped = op.attr("axes"), op.attr("decrease_axis", None) or []
    starts, stops = (_asked(place)(op) for place in (1, 2))
    for axis, start, stop in zip(axes, starts, stops, strict=True):
        size = sizes[axis]
        before, after = (n if is_symbolic(n) or int(n) >= 0 else n + size for n in (start, stop))
        sizes[axis] = (size if stop == _END else minimum(after, size)) - before
    return tuple(size for axis, size in enumerate(sizes) if axis not in dropped)


def _reshape(op: Op) -> Meaning:
    """A size of 0 is that of the input; leading ones stay as they are, whatever they are."""
    try:
        wanted = [whole(size) for size in op.constant(1)]
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


def _number(value: object) -> Any:
    found = value[0] if isinstance(value, (list, tuple)) else value
    if isinstance(found, (int, float)) or is_symbolic(found):
        return whole(found)
    raise Open(f"{value!r} is no number")


def _concat(op: Op) -> Meaning:
    return Meaning("concat", {"axis": _number(op.constant(1))})


def _stack(op: Op) -> Meaning:
    return Meaning("stack", {"axis": op.attr("axis")})


def _parts(op: Op, axis: int, count: int) -> list[Any]:
    """Return the sizes of a split that the program leaves open: as it is asked for, one of them the rest."""
    size = op.shape(0)[axis]
    if op.name != "pd_op.split":
        return [floordiv(size, count)] * count
    asked = list(_asked(1)(op))
    return [size - sum(n for n in asked if n != -1) if n == -1 else n for n in asked]


def _split(op: Op) -> Meaning:
    axis = _number(op.constant(len(op.operands) - 1))
    stated = [int(part.shape[axis]) for part in op.many_results(0)]
    parts: list[Any] = stated if min(stated, default=0) >= 0 else _parts(op, axis, len(stated))
    return Meaning("split", {"axis": axis, "sizes": tuple(parts)}, outputs=ALL)


def _unstack(op: Op) -> Meaning:
    return Meaning("unstack", {"axis": op.attr("axis")}, outputs=ALL)


def _unpool(op: Op) -> Meaning:
    """The elements that a pooling kept go back to their positions."""
    return Meaning("view", {"shape": op.result(0)}, (0, 1))


_END = 2**31 - 1
"""The end of a slice that goes to the end of its axis, as Paddle writes it."""


def _slice(op: Op) -> Meaning:
    """One axis is cut, and may disappear; a cut of several has the shape of its result."""
    axes = op.attr("axes")
    if len(axes) != 1:
        return _otherwise("view", _cut, 0)(op)
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


_expand = _otherwise("expand", _stretched, 0)


def _expand_as(op: Op) -> Meaning:
    return Meaning("expand", {"shape": op.result(0)})


def _tile(op: Op) -> Meaning:
    return Meaning("tile", {"repeats": _asked(1)(op)})


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
    **{name: _otherwise("view", lambda op: op.shape(0), 0) for name in _SAME_SHAPE.split()},
    **{name: _otherwise("fill", _asked(0)) for name in ("gaussian", "uniform")},
    "arange": _otherwise("fill", _counted),
    "channel_shuffle": _channel_shuffle,
    "concat": _concat,
    "expand": _expand,
    "expand_as": _expand_as,
    "flatten": _flatten,
    "full_with_tensor": _otherwise("view", _asked(1), 0),
    "gather": _otherwise("gather", _gathered, 0, 1),
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
