"""Axes of shapes: found by number, taken out, broadcast against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import maximum, product

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flopledger.dims.types import Dim, Shape
    from flopledger.kinds.kind import Call


def nth_axis(call: Call, axis: Dim, rank: int) -> int:
    """Return an axis, negative ones counted from the end, as an index into ``rank`` axes."""
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise call.impossible(f"there is no axis {axis} among {rank}")
    return axis % rank


def axis_of(call: Call, shape: Shape, name: str = "axis") -> int:
    """Return the axis of a shape that an attribute names."""
    return nth_axis(call, call.whole(name), len(shape))


def axes_of(call: Call, shape: Shape, name: str = "axes") -> tuple[int, ...]:
    """Return the axes of a shape that an attribute lists, in order; all where it is None."""
    if call.get(name) is None:
        return tuple(range(len(shape)))
    found = {nth_axis(call, axis, len(shape)) for axis in call.dims(name)}
    if len(found) != len(call.dims(name)):
        raise call.impossible(f"the axes {call.dims(name)} name one twice")
    return tuple(sorted(found))


def without(shape: Shape, axes: Sequence[int], keep: Dim | None = None) -> Shape:
    """Take axes out of a shape, or put ``keep`` in their place."""
    if keep is None:
        return tuple(size for axis, size in enumerate(shape) if axis not in axes)
    return tuple(keep if axis in axes else size for axis, size in enumerate(shape))


def rows(call: Call) -> Dim:
    """Return how many vectors along ``axis`` the first input holds."""
    return product(without(call.input, (axis_of(call, call.input),)))


def differ(a: Dim, b: Dim) -> bool:
    """Return whether two sizes are known to be different."""
    return isinstance(a, int) and isinstance(b, int) and a != b


def broadcast(call: Call, shapes: Iterable[Shape]) -> Shape:
    """Align shapes at their last axis; sizes of 1 are stretched, by NumPy's broadcasting rules."""
    result: Shape = ()
    for shape in shapes:
        rank = max(len(result), len(shape))
        pairs = zip(_filled(result, rank), _filled(shape, rank), strict=True)
        result = tuple(_stretched(call, a, b) for a, b in pairs)
    return result


def _filled(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def _stretched(call: Call, a: Dim, b: Dim) -> Dim:
    if a in (b, 1):
        return b
    if b == 1:
        return a
    if differ(a, b):
        raise call.impossible(f"the sizes {a} and {b} can't be broadcast")
    # Where a symbol meets a number other than 1, its value is that number or 1.
    numbers = [size for size in (a, b) if isinstance(size, int)]
    return numbers[0] if numbers else maximum(a, b)
