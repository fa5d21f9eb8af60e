"""Operators that move or make data, or read shapes. Source: onnx.ai/onnx/operators.

Elements that are known are moved too, so that the shapes that exporters calculate are followed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend import (
    Array,
    Attrs,
    Passed,
    Row,
    Step,
    Unshaped,
    arrays,
    builtin,
    ceildiv,
    dependent,
    floordiv,
    is_symbolic,
    moved,
    product,
    row,
    same,
    vector,
    written,
)
from flopledger.frontend import Call as KindCall

from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Dim, Operand, Shape
    from flopledger.frontend import Value as AttrValue

    from flopledger_onnx.node import Call

TO_THE_END = 10**9
"""A bound of a slice that means "to the end": exporters write 2^31-1, 2^63-1 and rounder numbers, and a
tensor of so many elements along one axis does not exist. Against a symbol it must not become a minimum."""


def inferred(call: Call, kind: str, attrs: Mapping[str, AttrValue], *shapes: Shape) -> tuple[Shape, ...]:
    """Return the shapes that a kind's rule gives."""
    record = builtin()[kind]
    return record.shapes(KindCall(record, attrs, shapes, where=f"the node {call.path!r} ({call.type})"))


def reshape(call: Call) -> Step:
    """The same elements in another shape; 0 keeps a size, -1 is inferred."""
    shape = call.shape()
    given = call.wholes("shape")
    wanted = list(call.dims(1) if given is None else given)
    if not call.flag("allowzero"):
        for i, size in enumerate(wanted):
            if isinstance(size, int) and size == 0:
                if i >= len(shape):
                    raise call.impossible(f"keeps the size of axis {i}, its input has {len(shape)} axes")
                wanted[i] = shape[i]
    out = inferred(call, "reshape", {"shape": tuple(wanted)}, shape)[0]
    known = call.value(0).known()
    array = None if known is None else arrays.reshaped(known, out)
    return moved("reshape", {"shape": tuple(wanted)}, out, array, alias=True)


def flatten(call: Call) -> Step:
    """Two axes: those before ``axis`` and those from there on."""
    shape = call.shape()
    axis = call.whole("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    if not 0 <= axis <= len(shape):
        raise call.impossible(f"names the axis {axis} of {len(shape)}")
    out = (product(shape[:axis]), product(shape[axis:]))
    return moved("reshape", {"shape": out}, out, None, alias=True)


def transpose(call: Call) -> Step:
    """Axes in another order, turned round where none is given."""
    shape = call.shape()
    order = call.wholes("perm") or tuple(range(len(shape)))[::-1]
    out = inferred(call, "transpose", {"order": order}, shape)[0]
    known = call.value(0).known()
    array = None if known is None else arrays.transposed(known, [axis % len(shape) for axis in order])
    return moved("transpose", {"order": order}, out, array)


def squeeze(call: Call) -> Step:
    """Axes of size 1 taken out."""
    shape = call.shape()
    axes = call.axes("axes", 1, len(shape))
    if axes is None:
        if any(is_symbolic(size) for size in shape):
            raise Unshaped("which axes have the size 1 is not known with symbols")
        axes = tuple(i for i, size in enumerate(shape) if size == 1)
    attrs: Attrs = {"axes": axes}
    # An axis that is a symbol is taken for 1: the file declares it as one.
    out = tuple(size for i, size in enumerate(shape) if i not in axes)
    if not any(is_symbolic(shape[axis]) for axis in axes):
        out = inferred(call, "squeeze", attrs, shape)[0]
    known = call.value(0).known()
    return moved("squeeze", attrs, out, None if known is None else arrays.reshaped(known, out), alias=True)


def unsqueeze(call: Call) -> Step:
    """Axes of size 1 put in."""
    shape = call.shape()
    axes = call.listed("axes", 1)
    if axes is None:
        raise call.error("lacks its axes")
    placed = tuple(call.axis(axis, len(shape) + len(axes)) for axis in axes)
    out = inferred(call, "unsqueeze", {"axes": placed}, shape)[0]
    known = call.value(0).known()
    array = None if known is None else arrays.reshaped(known, out)
    return moved("unsqueeze", {"axes": placed}, out, array, alias=True)


def concat(call: Call) -> Step:
    """Inputs side by side."""
    shapes = call.shapes()
    axis = call.axis(call.whole("axis", 1 if call.opset < 4 else None), len(shapes[0]) if shapes else 0)
    out = inferred(call, "concat", {"axis": axis}, *shapes)[0]
    parts = [_elements(value) for value in call.inputs if value is not None]
    known = [part for part in parts if part is not None]
    whole = len(known) == len(parts) and any(item is not None for part in known for item in part.items)
    array = arrays.joined(known, axis) if whole else None
    return Step("concat", {"axis": axis}, None, [out], arrays=[array], constant=True)


def _elements(value: Operand) -> Array | None:
    """Return known elements, or for a short list of whole numbers as many that are not known."""
    known = value.known()
    shape = value.shape
    if known is not None or value.dtype not in ("int64", "int32") or shape is None or len(shape) != 1:
        return known
    return arrays.filled((shape[0],), None) if isinstance(shape[0], int) else None


def split(call: Call) -> Step:
    """Parts along an axis: sizes that are given, or equal ones, the last one smaller."""
    shape, count = call.shape(), max(call.outputs, 1)
    axis = call.axis(call.whole("axis", 0), len(shape))
    sizes = call.listed("split", 1)
    if sizes is None:
        parts = call.whole("num_outputs", count)
        if parts < count:
            raise call.impossible(f"splits into {parts}, and {count} outputs have names")
        each = ceildiv(shape[axis], parts) if isinstance(shape[axis], int) else floordiv(shape[axis], parts)
        sizes = (*(each,) * (parts - 1), shape[axis] - each * (parts - 1))
    attrs: Attrs = {"axis": axis, "sizes": sizes}
    out = inferred(call, "split", attrs, shape)
    known = call.value(0).known()
    found: list[Array | None] = []
    start = 0
    for size in sizes:
        stop = start + size if isinstance(size, int) and isinstance(start, int) else None
        inside = known is not None and stop is not None
        found.append(arrays.sliced(known, axis, range(start, stop)) if known and inside and stop else None)
        start = stop if stop is not None else 0
    return Step("split", attrs, (0,), out, arrays=found, constant=True)


def _bounds(call: Call) -> tuple[Sequence[Dim], Sequence[Dim], Sequence[Dim] | None, Sequence[Dim] | None]:
    if call.opset < 10:
        starts, ends = call.wholes("starts"), call.wholes("ends")
        if starts is None or ends is None:
            raise call.error("lacks its starts or ends")
        return starts, ends, call.wholes("axes"), None
    axes = call.dims(3) if call.has(3) else None
    steps = call.dims(4) if call.has(4) else None
    return call.dims(1), call.dims(2), axes, steps


def cut(call: Call) -> Step:
    """Slice: ranges of axes."""
    shape = call.shape()
    starts, ends, axes, steps = _bounds(call)
    picked = range(len(starts)) if axes is None else [call.axis(axis, len(shape)) for axis in axes]
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(picked) == len(steps) or len(starts) > len(shape):
        raise call.impossible("has starts, ends, axes and steps of different number")
    out, array = shape, call.value(0).known()
    single: Attrs = {}
    for axis, start, end, step in zip(picked, starts, ends, steps, strict=True):
        single = {"axis": axis, "start": _bound(start), "stop": _bound(end), "step": step}
        out = inferred(call, "slice", single, out)[0]
        if array is not None:
            array = _cut_array(array, axis, start, end, step)
    if len(starts) == 1:
        return moved("slice", single, out, array)
    return moved("view", {"shape": out}, out, array)


def _bound(value: Dim) -> Dim | None:
    return None if isinstance(value, int) and abs(value) >= TO_THE_END else value


def _cut_array(array: Array, axis: int, start: Dim, end: Dim, step: Dim) -> Array | None:
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(step, int) and step):
        return None
    return arrays.sliced(array, axis, range(*slice(start, end, step).indices(array.shape[axis])))


def gather(call: Call) -> Step:
    """Slices by index; rows of a table of constants are embeddings, of indices that the file states too.

    A single row, by an index without axes, is a slice of a weight: exporters write ``weight[0]`` so.
    """
    shape, indices = call.shape(0), call.shape(1)
    axis = call.axis(call.whole("axis", 0), len(shape))
    out = (*shape[:axis], *indices, *shape[axis + 1 :])
    known, places = call.value(0).known(), call.value(1).known()
    array = None
    if known is not None and places is not None:
        array = arrays.taken(known, places, axis)
    table = call.value(0)
    stated = bool(call.value(1).constants)
    rows = not stated or (len(indices) > 0 and "float" in table.dtype)
    if table.constants and len(shape) == 2 and axis == 0 and rows:
        attrs: Attrs = {"num_embeddings": shape[0], "embedding_dim": shape[1]}
        return Step("embedding", attrs, (1,), [out], dtypes=(table.dtype,), arrays=[array])
    constant = bool(table.constants and stated)
    return Step("gather", {"shape": out}, None, [out], arrays=[array], constant=constant)


def gather_elements(call: Call) -> Step:
    """Elements by index, in the shape of the indices."""
    return Step("gather", {"shape": call.shape(1)})


def gather_nd(call: Call) -> Step:
    """Slices by lists of indices."""
    shape, indices, lead = call.shape(0), call.shape(1), call.whole("batch_dims", 0)
    last = indices[-1] if indices else None
    if not isinstance(last, int) or lead + last > len(shape):
        raise call.impossible(f"has indices of {last} axes for an input of {len(shape)}")
    return Step("gather", {"shape": (*indices[:-1], *shape[lead + last :])})


_JOINS: Mapping[str, str] = {"add": "sum", "mul": "prod", "max": "max", "min": "min"}


def scatter(call: Call) -> Step:
    """Elements written by index; with a reduction they are combined with the existing elements."""
    shape, reduction = call.shape(), call.word("reduction", "none")
    if reduction in _JOINS:
        return Step("accumulate", {"shape": shape, "join": _JOINS[reduction]}, (2,), [shape])
    return Step("view", {"shape": shape}, None, [shape])


def triangle(call: Call) -> Step:
    """The elements above or below a diagonal, zero elsewhere."""
    return Step("view", {"shape": call.shape()}, (0,), [call.shape()], constant=True)


def expand(call: Call) -> Step:
    """Axes of size 1 stretched, in both operands."""
    out = inferred(call, "select", {}, call.shape(), call.dims(1))[0]
    known = call.value(0).known()
    array = None if known is None else arrays.expanded(known, out)
    return moved("expand", {"shape": out}, out, array)


def tile(call: Call) -> Step:
    """Repeats along each axis."""
    repeats = call.dims(1)
    out = inferred(call, "tile", {"repeats": repeats}, call.shape())[0]
    known, array = call.value(0).known(), None
    if known is not None and len(known.shape) == 1 and isinstance(repeats[0], int) and repeats[0] >= 0:
        fits = repeats[0] * len(known.items) <= arrays.MOST_ITEMS
        array = vector(known.items * repeats[0]) if fits else None
    return moved("tile", {"repeats": repeats}, out, array)


def pad(call: Call) -> Step:
    """Borders around the input; later versions name the axes."""
    shape = call.shape()
    name = "paddings" if call.opset < 2 else "pads"
    pads = call.listed(name, 1)
    axes = call.dims(3) if call.has(3) else tuple(range(len(shape)))
    if pads is None or len(pads) != 2 * len(axes):
        raise call.impossible(f"has {len(pads or ())} pads for {len(axes)} axes, expected two for each")
    pairs: list[tuple[Dim, Dim]] = [(0, 0)] * len(shape)
    for i, axis in enumerate(axes):
        pairs[call.axis(axis, len(shape))] = (pads[i], pads[i + len(axes)])
    return Step("pad", {"padding": tuple(pairs)}, (0,))


def cast(call: Call) -> Step:
    """Another type."""
    dtype = type_name(call.whole("to")) if "to" in call.attributes else call.value(1).dtype
    shape, known = call.shape(), call.value(0).known()
    array = None
    if known is not None:
        change = arrays.truth if dtype == "bool" else arrays.whole if "int" in dtype else arrays.real
        array = Array(known.shape, tuple(map(change, known.items)))
    return Step("cast", {}, (0,), [shape], dtypes=(dtype,), arrays=[array], constant=True)


def identity(call: Call) -> Passed | Step:
    """The input as it is."""
    value = call.value(0)
    if value.constants or value.items is not None or value.shape is None:
        # A constant under another name: listed twice by tools that go by name, and counted once by storage.
        return Passed((replace(value),))
    return Step("identity", {}, (0,), [value.shape], arrays=[value.known()], alias=True)


DEPENDENT = (
    "NonMaxSuppression", "Unique", "SequenceMap",
    "Optional", "OptionalGetElement", "OptionalHasElement", "StringConcat", "StringNormalizer", "StringSplit",
    "RegexFullMatch", "TfIdfVectorizer", "ImageDecoder",
)  # fmt: skip
"""Operators whose work depends on data, or that handle lists, optional values and texts."""

ROWS: Mapping[str, Row[Call]] = {
    **{name: row(dependent, *range(9)) for name in DEPENDENT},
    "Reshape": row(reshape, 1),
    "Flatten": row(flatten),
    "Transpose": row(transpose),
    "Squeeze": row(squeeze, 1),
    "Unsqueeze": row(unsqueeze, 1),
    "Concat": row(concat),
    "Split": row(split, 1),
    "Slice": row(cut, 1, 2, 3, 4),
    "Gather": row(gather),
    "GatherElements": row(gather_elements),
    "GatherND": row(gather_nd),
    "Scatter": row(scatter),
    "ScatterElements": row(scatter),
    "ScatterND": row(scatter),
    "TensorScatter": row(written, 0, 2),
    "Trilu": row(triangle, 1),
    "ReverseSequence": row(same("flip"), 1),
    "Expand": row(expand, 1),
    "Tile": row(tile, 1),
    "Pad": row(pad, 1, 2, 3),
    "Cast": row(cast),
    "CastLike": row(cast, 1),
    "BitCast": row(cast),
    "Identity": row(identity),
}
