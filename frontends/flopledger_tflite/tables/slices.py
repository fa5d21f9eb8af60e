"""Operators that cut boxes and ranges out of a tensor. Source: the kernels in tensorflow/lite/kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flopledger.frontend import Row, Unshaped, arrays, moved, row, shapes_by_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.frontend import Array, Dim, Shape, Step

    from flopledger_tflite.node import Call


def box(call: Call) -> Step:
    """A box: where it begins, and its sizes, -1 for all that is left."""
    shape, begins = call.shape(), call.dims(1)
    try:
        sizes = call.dims(2)
    except Unshaped:
        sizes = call.output() or ()
    if not len(shape) == len(begins) == len(sizes):
        raise call.impossible(f"has {len(begins)} begins and {len(sizes)} sizes for {len(shape)} axes")
    bounds = zip(shape, begins, sizes, strict=True)
    out = tuple(whole - begin if size == -1 else size for whole, begin, size in bounds)
    if any(isinstance(size, int) and size < 0 for size in out):
        raise call.impossible(f"takes a box of {'x'.join(map(str, out))} elements")
    array = call.value(0).known()
    for axis, (begin, size) in enumerate(zip(begins, out, strict=True)):
        if array is not None and isinstance(begin, int) and isinstance(size, int):
            array = arrays.sliced(array, axis, range(begin, begin + size))
        else:
            array = None
    return moved("view", {"shape": out}, out, array)


class Range(NamedTuple):
    """The part of one axis that is taken: a range, or with ``only`` the one place where it begins."""

    start: Dim | None
    stop: Dim | None
    step: Dim
    only: bool = False

    def places(self, size: Dim) -> range | None:
        """Return the places that are taken of an axis, None where they are not known."""
        if isinstance(size, int) and self.only and isinstance(self.start, int) and -size <= self.start < size:
            return range(self.start % size, self.start % size + 1)
        bounds = [bound for bound in (self.start, self.stop) if not (bound is None or isinstance(bound, int))]
        if self.only or bounds or not (isinstance(size, int) and isinstance(self.step, int) and self.step):
            return None
        start, stop = (bound if isinstance(bound, int) else None for bound in (self.start, self.stop))
        return range(*slice(start, stop, self.step).indices(size))


NEW = "new"
"""In place of a range: an axis of size 1 that is put in."""
WHOLE = Range(None, None, 1)


def strided_slice(call: Call) -> Step:
    """Ranges of axes as NumPy writes them: open ends, axes put in, axes taken out, and dots."""
    shape = call.shape()
    out: list[Dim] = []
    array, axis = call.value(0).known(), 0
    for taken in _ranges(call, len(shape)):
        if isinstance(taken, str):
            array = None if array is None else _reshaped(array, (*out, 1), array.shape[len(out) :])
            out.append(1)
            continue
        if axis >= len(shape):
            raise call.impossible(f"cuts more than the {len(shape)} axes of its input")
        places = taken.places(shape[axis])
        array = None if array is None or places is None else arrays.sliced(array, len(out), places)
        if taken.only:
            array = None if array is None else _reshaped(array, tuple(out), array.shape[len(out) + 1 :])
        else:
            attrs = {"axis": 0, "start": taken.start, "stop": taken.stop, "step": taken.step}
            out.append(shapes_by_rule("slice", attrs, [(shape[axis],)], call.where)[0][0])
        axis += 1
    out += shape[axis:]
    return moved("view", {"shape": tuple(out)}, tuple(out), array)


def _reshaped(array: Array, before: Shape, behind: Shape) -> Array | None:
    return arrays.reshaped(array, (*before, *behind))


def _ranges(call: Call, rank: int) -> Iterator[Range | str]:
    """Yield the part that is taken of each axis, and the axes that are put in; masks have a bit for each."""
    begins, ends, strides = call.dims(1), call.dims(2), call.dims(3)
    if not len(begins) == len(ends) == len(strides):
        raise call.impossible("has begins, ends and strides of different number")

    def marked(name: str, place: int) -> bool:
        return bool(call.whole(f"{name}_mask") >> place & 1)

    named = sum(not marked("new_axis", i) and not marked("ellipsis", i) for i in range(len(begins)))
    for i, (begin, end, step) in enumerate(zip(begins, ends, strides, strict=True)):
        if marked("ellipsis", i):
            yield from [WHOLE] * max(rank - named, 0)
        elif marked("new_axis", i):
            yield NEW
        elif marked("shrink_axis", i):
            yield Range(begin, None, 1, only=True)
        else:
            start = None if marked("begin", i) else begin
            stop = None if marked("end", i) else end + begin if call.flag("offset") else end
            yield Range(start, stop, step)


ROWS: Mapping[str, Row[Call]] = {
    "SLICE": row(box, 1, 2),
    "STRIDED_SLICE": row(strided_slice, 1, 2, 3),
}
