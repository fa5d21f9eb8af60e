"""Layers that move data: the shapes that their fields require.

Sources: Caffe's ``reshape_layer.cpp``, ``slice_layer.cpp``, ``concat_layer.cpp``, ``crop_layer.cpp``,
``tile_layer.cpp``, ``flatten_layer.cpp``, ``argmax_layer.cpp``, ``reduction_layer.cpp``,
``batch_reindex_layer.cpp``; SSD's ``permute_layer.cpp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import floordiv

from flopledger_caffe.inputs import shape_of
from flopledger_caffe.text.fields import POSITIVE
from flopledger_caffe.text.message import INT32

if TYPE_CHECKING:
    from flopledger.frontend import Shape

    from flopledger_caffe.tables.row import Attrs
    from flopledger_caffe.text.fields import View

REDUCTIONS = {"SUM": 1, "ASUM": 2, "SUMSQ": 3, "MEAN": 4}
_REDUCTIONS = {"SUM": "reduce_sum", "ASUM": "reduce_asum", "SUMSQ": "reduce_sumsq", "MEAN": "reduce_mean"}
_DIM = (-1, 2**31 - 1)


def reshape_attrs(view: View) -> Attrs:
    """Return the shape: 0 keeps the size in that place, -1 is inferred, axes outside stay."""
    shape, params = view.shape(), view.params
    rank = len(shape)
    axis = params.number("axis", 0, INT32)
    start = axis if axis >= 0 else rank + axis + 1
    length = params.number("num_axes", -1, (-1, 2**31 - 1))
    end = rank if length == -1 else start + length
    if not 0 <= start <= end <= rank:
        raise view.error(f"reshapes the axes {start} to {end}, its input has {rank}")
    sizes = params.message("shape").numbers("dim", _DIM)
    for axis, size in enumerate(sizes, start):
        if size == 0 and axis >= rank:
            raise view.error(f"keeps the size of axis {axis}, its input has {rank} axes")
    written = (shape[axis] if size == 0 else size for axis, size in enumerate(sizes, start))
    return {"shape": (*shape[:start], *written, *shape[end:])}


def flatten_attrs(view: View) -> Attrs:
    """Return the axes that become one."""
    return {"start": view.axis(1), "end": view.axis(-1, "end_axis")}


def _joined_axis(view: View, old: str) -> int:
    """Return the axis in its new or its old spelling."""
    if old in view.params and "axis" in view.params:
        raise view.error(f"has axis and {old}, expected one of them")
    return view.axis(1, old if old in view.params else "axis")


def concat_attrs(view: View) -> Attrs:
    """Return the axis, spelled ``axis`` or ``concat_dim``."""
    return {"axis": _joined_axis(view, "concat_dim")}


def slice_attrs(view: View) -> Attrs:
    """Return the parts: between the given points, or equal ones."""
    axis = _joined_axis(view, "slice_dim")
    points, size = view.params.numbers("slice_point"), view.size(axis)
    if not points:
        part = floordiv(size, view.tops)
        if isinstance(size, int) and size % view.tops:
            raise view.error(f"slices the size {size} into {view.tops} equal parts, which it can't")
        return {"axis": axis, "sizes": (part,) * view.tops}
    if len(points) != view.tops - 1:
        raise view.error(f"has {len(points)} slice_point, expected {view.tops - 1} for {view.tops} tops")
    if (
        list(points) != sorted(set(points))
        or points[0] == 0
        or (isinstance(size, int) and points[-1] >= size)
    ):
        raise view.error(f"has the slice_point {points}, expected rising ones within the size {size}")
    ends = (*points, size)
    return {"axis": axis, "sizes": tuple(b - a for a, b in zip((0, *points), ends, strict=True))}


def permute_attrs(view: View) -> Attrs:
    """Return the order; axes that it does not name follow in theirs."""
    order = view.params.numbers("order", (0, 31))
    return {"order": (*order, *(axis for axis in range(len(view.shape())) if axis not in order))}


def tile_attrs(view: View) -> Attrs:
    """Return how often each axis is repeated."""
    axis, tiles = view.axis(1), view.required("tiles")
    return {"repeats": tuple(tiles if i == axis else 1 for i in range(len(view.shape())))}


def crop_attrs(view: View) -> Attrs:
    """Return the first axis that is cut; offsets are one for all, or one for each."""
    axis, rank = view.axis(2), len(view.shape())
    offsets = view.params.numbers("offset")
    if len(offsets) not in (0, 1, rank - axis):
        raise view.error(f"has {len(offsets)} offsets, expected 1 or {rank - axis}")
    wanted = view.shape(1)
    if len(wanted) != rank:
        raise view.error(f"crops {rank} axes to an input with {len(wanted)}")
    shifts = (offsets or (0,)) if len(offsets) == rank - axis else (offsets or (0,)) * (rank - axis)
    for i, shift in enumerate(shifts, start=axis):
        have, want = view.size(i), view.size(i, bottom=1)
        if isinstance(have, int) and isinstance(want, int) and shift + want > have:
            raise view.error(f"cuts {want} from {shift} on out of the size {have} of axis {i}")
    return {"axis": axis}


def shuffle_attrs(view: View) -> Attrs:
    """Return the groups that are interleaved."""
    return {"groups": view.params.number("group", 1, POSITIVE)}


def reindex_attrs(view: View) -> Attrs:
    """The second bottom picks items of the batch."""
    return {"shape": (view.size(0, bottom=1), *view.shape()[1:])}


def parameter_attrs(view: View) -> Attrs:
    """The blob is the top."""
    return {"shape": parameter_shape(view)}


def parameter_shape(view: View) -> Shape:
    """Return the shape that the layer's parameter is given."""
    return shape_of(view.params.message("shape"))


def reduction_kind(view: View) -> str:
    """Return the kind of reduction that the field ``operation`` names."""
    return _REDUCTIONS[view.params.word("operation", REDUCTIONS, "SUM")]


def reduction_attrs(view: View) -> Attrs:
    """All axes from ``axis`` on are reduced; the result is multiplied by ``coeff``."""
    axis = view.axis(0) if view.shape() else 0
    return {"axes": tuple(range(axis, len(view.shape()))), "coefficient": view.params.real("coeff", 1)}


def argmax_attrs(view: View) -> Attrs:
    """Return Caffe's shape: along ``axis`` the best; without one (N, 1 or 2, top_k)."""
    best, shape = view.params.number("top_k", 1, POSITIVE), view.shape()
    if "axis" in view.params:
        axis = view.axis(0)
        return {"axes": (axis,), "top": best, "shape": (*shape[:axis], best, *shape[axis + 1 :])}
    planes = 2 if view.flag("out_max_val", default=False) else 1
    result = (view.size(0), planes, best, *(1,) * max(len(shape) - 3, 0))
    return {"axes": tuple(range(1, len(shape))), "top": best, "shape": result}
