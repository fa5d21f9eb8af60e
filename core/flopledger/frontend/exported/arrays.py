"""Small arrays whose contents are known: exporters calculate shapes with them; elements may be symbols.

An element is a number, a truth value, an expression over symbols, or None where it depends on data.
Symbols are sizes: positive whole numbers. Semantics are those of the ONNX operators of the same names.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from flopledger.dims.arithmetic import (
    equal,
    extent,
    floordiv,
    is_dim,
    is_symbolic,
    maximum,
    minimum,
    truncate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flopledger.dims.types import Dim

MOST_ITEMS = 4_096
"""The most elements of an array that is followed."""
MOST_BITS = 128
"""The most bits of a whole number among them."""
MOST_NODES = 2_000
"""The most parts of an expression among them."""

Item: TypeAlias = "int | float | Fraction | Dim | None"
"""An element; truth values are those of Python, which are whole numbers."""
Known: TypeAlias = "Any"
"""An element that is not None: numbers and expressions combine freely, which their types do not express."""


class Array(NamedTuple):
    """Elements in row-major order."""

    shape: tuple[int, ...]
    items: tuple[Item, ...]

    @property
    def dims(self) -> tuple[Dim, ...] | None:
        """The elements as sizes, or None where one is not a known whole number."""
        found = []
        for item in self.items:
            if isinstance(item, bool) or not is_dim(item):
                return None
            found.append(item)
        return tuple(found)


def scalar(item: Item) -> Array:
    """Return one element."""
    return Array((), (item,))


def vector(items: Iterable[Item]) -> Array:
    """Return a list of elements."""
    found = tuple(items)
    return Array((len(found),), found)


def filled(shape: tuple[int, ...], item: Item) -> Array | None:
    """Return copies of an element, or None if they are too many."""
    count = math.prod(shape)
    return Array(shape, (item,) * count) if count <= MOST_ITEMS else None


def _strides(shape: Sequence[int]) -> list[int]:
    strides = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return strides


def indexed(array: Array, shape: tuple[int, ...], place: Callable[[tuple[int, ...]], int]) -> Array | None:
    """Return the array of a shape whose element at an index is the one at that place of another."""
    if math.prod(shape) > MOST_ITEMS:
        return None
    items = array.items
    return Array(shape, tuple(items[place(i)] for i in itertools.product(*map(range, shape))))


def reshaped(array: Array, shape: tuple[Dim, ...]) -> Array | None:
    """Return the same elements in another shape."""
    numbers = tuple(size for size in shape if isinstance(size, int))
    if len(numbers) < len(shape) or math.prod(numbers) != len(array.items):
        return None
    return Array(numbers, array.items)


def transposed(array: Array, order: Sequence[int]) -> Array | None:
    """Return the axes in another order."""
    strides = _strides(array.shape)
    turned = [strides[axis] for axis in order]
    shape = tuple(array.shape[axis] for axis in order)
    return indexed(array, shape, lambda index: sum(i * s for i, s in zip(index, turned, strict=True)))


def expanded(array: Array, shape: tuple[Dim, ...]) -> Array | None:
    """Return an array with axes of size 1 stretched."""
    numbers = tuple(size for size in shape if isinstance(size, int))
    if len(numbers) < len(shape) or len(shape) < len(array.shape):
        return None
    lead = len(numbers) - len(array.shape)
    strides = [0 if n == 1 else s for n, s in zip(array.shape, _strides(array.shape), strict=True)]
    return indexed(
        array, numbers, lambda index: sum(i * s for i, s in zip(index[lead:], strides, strict=True))
    )


def taken(array: Array, indices: Array, axis: int) -> Array | None:
    """Return slices by their indices along an axis (Gather)."""
    size, numbers = array.shape[axis], []
    for index in indices.items:
        if not isinstance(index, int) or not -size <= index < size:
            return None
        numbers.append(index % size)
    strides, rank = _strides(array.shape), len(indices.shape)
    own = _strides(indices.shape)
    shape = (*array.shape[:axis], *indices.shape, *array.shape[axis + 1 :])

    def place(index: tuple[int, ...]) -> int:
        picked = numbers[sum(i * s for i, s in zip(index[axis : axis + rank], own, strict=True))]
        full = (*index[:axis], picked, *index[axis + rank :])
        return sum(i * s for i, s in zip(full, strides, strict=True))

    return indexed(array, shape, place)


def sliced(array: Array, axis: int, places: range) -> Array | None:
    """Return the slices at these places along an axis."""
    return taken(array, vector(places), axis)


def joined(arrays: Sequence[Array], axis: int) -> Array | None:
    """Return arrays side by side along an axis (Concat)."""
    shape = list(arrays[0].shape)
    shape[axis] = sum(array.shape[axis] for array in arrays)
    if math.prod(shape) > MOST_ITEMS:
        return None
    outer = math.prod(shape[:axis])
    items: list[Item] = []
    for row in range(outer):
        for array in arrays:
            length = len(array.items) // outer if outer else 0
            items += array.items[row * length : (row + 1) * length]
    return Array(tuple(shape), tuple(items))


def mapped(function: Callable[..., Item], *arrays: Array) -> Array | None:
    """Return a function of elements, the arrays broadcast; None where the arrays don't fit."""
    if len(arrays) == 1:
        return Array(arrays[0].shape, tuple(map(function, arrays[0].items)))
    shape = _broadcast([array.shape for array in arrays])
    if shape is None or math.prod(shape) > MOST_ITEMS:
        return None
    stretched = [a if a.shape == shape else expanded(a, shape) for a in arrays]
    columns = [array.items for array in stretched if array is not None]
    return Array(shape, tuple(map(function, *columns)))


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    found = []
    for sizes in zip(*padded, strict=True):
        large = {size for size in sizes if size != 1}
        if len(large) > 1:
            return None
        found.append(large.pop() if large else 1)
    return tuple(found)


def _exact(item: Item) -> Item:
    """Return a float as the fraction that it is meant to be, so that it can meet a symbol.

    A scale of 2/3 is 0.6666667 in a file; the nearest fraction with a small denominator is the one that its
    author wrote, and keeps ``H * 2/3`` whole where H is a multiple of 3.
    """
    if not isinstance(item, float) or not math.isfinite(item):
        return item
    fraction = Fraction(item).limit_denominator(1 << 16)
    return fraction.numerator if fraction.denominator == 1 else fraction


def _arithmetic(function: Callable[[Known, Known], Known]) -> Callable[[Item, Item], Item]:
    def apply(a: Known, b: Known) -> Item:
        if a is None or b is None:
            return None
        if is_symbolic(a) or is_symbolic(b):
            a, b = _exact(a), _exact(b)
            if isinstance(a, float) or isinstance(b, float):
                return None
        try:
            return _bounded(function(a, b))
        except (ArithmeticError, TypeError, ValueError):
            return None

    return apply


def _bounded(item: Item) -> Item:
    """Return an element, or None for one that no tensor's size could be: squares of squares grow fast."""
    if isinstance(item, int):
        return item if item.bit_length() <= MOST_BITS else None
    if is_symbolic(item):
        bits, nodes = extent(item)
        return item if bits <= MOST_BITS * 8 and nodes <= MOST_NODES else None
    return item


def _div(a: Known, b: Known) -> Known:
    """Divide; whole numbers towards zero, as C does, expressions down, since sizes are positive."""
    if isinstance(a, int) and isinstance(b, int):
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    if is_dim(a) and is_dim(b):
        return floordiv(a, b)
    return a / b


def _quotient(a: Known, b: Known) -> Known:
    """Divide real numbers; a quotient that is whole stays exact, and so do those of symbols."""
    if is_symbolic(a) or is_symbolic(b):
        return a / b if is_symbolic(b) else a * (1 / Fraction(b))
    if isinstance(a, int) and isinstance(b, int) and b and a % b == 0:
        return a // b
    return a / b


def _power(a: Known, b: Known) -> Known:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(b) <= 64:
        found = a**b
        return found if isinstance(found, (int, float)) else None
    return a**b if is_symbolic(a) and isinstance(b, int) and 0 <= b <= 8 else None


def _mod(a: Known, b: Known) -> Known:
    if is_symbolic(a) or is_symbolic(b):
        return a - b * floordiv(a, b) if is_dim(a) and is_dim(b) else None
    return a % b


def _least(a: Known, b: Known) -> Known:
    return minimum(a, b) if is_dim(a) and is_dim(b) else min(a, b)


def _largest(a: Known, b: Known) -> Known:
    return maximum(a, b) if is_dim(a) and is_dim(b) else max(a, b)


ADD = _arithmetic(lambda a, b: a + b)
SUB = _arithmetic(lambda a, b: a - b)
MUL = _arithmetic(lambda a, b: a * b)
DIV_REAL = _arithmetic(_quotient)
DIV, POW, MOD = _arithmetic(_div), _arithmetic(_power), _arithmetic(_mod)
MIN, MAX = _arithmetic(_least), _arithmetic(_largest)


def same(a: Item, b: Item) -> Item:
    """Return whether two elements are equal; a size is never 0 or below."""
    if a is None or b is None:
        return None
    if not (is_symbolic(a) or is_symbolic(b)):
        return a == b
    if (is_dim(a) and is_dim(b)) and equal(a, b):
        return True
    number = a if not is_symbolic(a) else b
    return False if isinstance(number, (int, float)) and number <= 0 else None


def _ordered(function: Callable[[Known, Known], bool]) -> Callable[[Item, Item], Item]:
    def apply(a: Known, b: Known) -> Item:
        plain = isinstance(a, (int, float, Fraction)) and isinstance(b, (int, float, Fraction))
        return function(a, b) if plain else None

    return apply


def _greater(a: Item, b: Item) -> Item:
    """A size is greater than anything below 1."""
    if is_symbolic(a) and getattr(a, "is_Symbol", False) and isinstance(b, (int, float)) and b < 1:
        return True
    return _ordered(lambda x, y: x > y)(a, b)


GREATER = _greater
LESS = _ordered(lambda a, b: a < b)
LESS_OR_EQUAL = _ordered(lambda a, b: a <= b)
GREATER_OR_EQUAL = _ordered(lambda a, b: a >= b)


def both(a: Item, b: Item) -> Item:
    """Return a and b, known where one is false."""
    known = [bool(item) for item in (a, b) if item is not None]
    return False if False in known else True if len(known) == 2 else None


def either(a: Item, b: Item) -> Item:
    """Return a or b, known where one is true."""
    known = [bool(item) for item in (a, b) if item is not None]
    return True if True in known else False if len(known) == 2 else None


def chosen(condition: Item, a: Item, b: Item) -> Item:
    """Return a where the condition holds, else b."""
    if condition is None:
        return a if a == b else None
    return a if condition else b


def floor(item: Item) -> Item:
    """Round down."""
    if is_symbolic(item) or isinstance(item, Fraction):
        return truncate(item)
    return math.floor(item) if isinstance(item, float) and math.isfinite(item) else item


def ceil(item: Item) -> Item:
    """Round up."""
    if item is None or isinstance(item, bool):
        return item
    found = floor(-item)
    return None if found is None else -found


def rounded(item: Item) -> Item:
    """Round to the nearest whole number, halves to the even one."""
    if is_symbolic(item):
        return item if is_dim(item) and truncate(item) == item else None
    return round(item) if isinstance(item, (float, Fraction)) and math.isfinite(item) else item


def whole(item: Item) -> Item:
    """Cast to a whole number: towards zero."""
    if isinstance(item, bool):
        return int(item)
    if isinstance(item, float):
        return int(item) if math.isfinite(item) else None
    return truncate(item) if isinstance(item, Fraction) or is_symbolic(item) else item


def real(item: Item) -> Item:
    """Cast to a real number; whole ones stay, so that sizes stay exact."""
    return int(item) if isinstance(item, bool) else item


def truth(item: Item) -> Item:
    """Cast to a truth value; a size is true."""
    return None if item is None else True if is_symbolic(item) else bool(item)


def negated(item: Item) -> Item:
    """Return the truth value's contrary."""
    return None if item is None else not item
