"""The functions and operators that expressions may use, exact and bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from flopledger.dims.arithmetic import (
    floordiv,
    is_symbolic,
    maximum,
    minimum,
    product,
    rounded_up,
    total,
    truncate,
)
from flopledger.dims.bounds import _check_bits, number, whole
from flopledger.dims.types import Dim, Number
from flopledger.errors import Unbounded, shown
from flopledger.expressions import einsum as contraction
from flopledger.meter import spend

LONGEST_LIST = 100_000
"""The longest list that an expression may make."""
LARGEST_EXPONENT = 64
"""The largest exponent of a power."""
LONGEST_RANGE = 100_000
"""The longest range that an expression may run through."""


class TensorShape(tuple[Dim, ...]):
    """The shape of a tensor among native arguments, as a type distinct from a list of numbers."""

    __slots__ = ()


def values(value: object) -> tuple[object, ...]:
    """Return a list's members; refuse all else."""
    if isinstance(value, tuple):
        return value
    raise TypeError(f"{shown(value)} is not a list")


def add(a: object, b: object) -> object:
    """Add two numbers, or join two lists."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        if len(a) + len(b) > LONGEST_LIST:
            raise Unbounded(f"a list of {len(a) + len(b)} members; at most {LONGEST_LIST} are kept")
        spend(len(a) + len(b))
        return (*a, *b)
    return number(number(a) + number(b))


def subtract(a: object, b: object) -> Number:
    """Subtract two numbers."""
    return number(number(a) - number(b))


def multiply(a: object, b: object) -> Number:
    """Multiply two numbers."""
    return number(number(a) * number(b))


def divide(a: object, b: object) -> Number:
    """Divide exactly; the quotient is a fraction where it is not whole."""
    x, y = number(a), number(b)
    if isinstance(x, (int, Fraction)) and isinstance(y, (int, Fraction)):
        return number(Fraction(x) / Fraction(y))
    if y == 0:
        raise ZeroDivisionError
    return number(x / y)


def floor_divide(a: object, b: object) -> Number:
    """Divide and round down."""
    x, y = number(a), number(b)
    if isinstance(x, (int, Fraction)) and isinstance(y, (int, Fraction)):
        return x // y
    return floordiv(whole(a), whole(b))


def modulo(a: object, b: object) -> Number:
    """Return the remainder of a division that rounds down."""
    return subtract(a, multiply(floor_divide(a, b), b))


def power(a: object, b: object) -> Number:
    """Raise to a small whole power."""
    x, y = number(a), number(b)
    if not isinstance(y, int) or not 0 <= y <= LARGEST_EXPONENT:
        raise Unbounded(f"an exponent must be a whole number from 0 to {LARGEST_EXPONENT}, not {y}")
    if isinstance(x, (int, Fraction)):
        _check_bits(max(x.numerator.bit_length(), x.denominator.bit_length()) * y)
    return number(x**y)


def negative(a: object) -> Number:
    """Change the sign."""
    return number(-number(a))


def equal(a: object, b: object) -> bool:
    """Return whether two values are equal; lists are compared member by member."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        spend(1 + len(a))
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def contains(a: object, b: object) -> bool:
    """Return whether a text is part of another, or a value a member of a list."""
    if isinstance(b, str):
        return isinstance(a, str) and a in b
    spend(len(values(b)))
    return any(equal(a, member) for member in values(b))


def before(a: object, b: object) -> bool:
    """Return whether a number is smaller than another; refuse where symbols leave it open."""
    x, y = number(a), number(b)
    if isinstance(x, (int, Fraction)) and isinstance(y, (int, Fraction)):
        return x < y
    raise TypeError(f"whether {x} < {y} depends on the symbols")


def _prod(items: Iterable[object]) -> Number:
    result: Number = 1
    for item in items:
        result = multiply(result, item)
    return result


def _sum(items: Iterable[object]) -> Number:
    return number(total(number(item) for item in items))


def _numbers(args: tuple[object, ...]) -> list[Number]:
    return [number(a) for a in (values(args[0]) if len(args) == 1 else args)]


def _min(*args: object) -> Number:
    first, *rest = _numbers(args)
    for other in rest:
        if is_symbolic(first) or is_symbolic(other):
            first = minimum(whole(first), whole(other))
        elif before(other, first):
            first = other
    return first


def _max(*args: object) -> Number:
    first, *rest = _numbers(args)
    for other in rest:
        if is_symbolic(first) or is_symbolic(other):
            first = maximum(whole(first), whole(other))
        elif before(first, other):
            first = other
    return first


def _ceil(value: object) -> Number:
    found = number(value)
    return math.ceil(found) if isinstance(found, (int, Fraction)) else rounded_up(found)


def _floor(value: object) -> Number:
    found = number(value)
    return math.floor(found) if isinstance(found, Fraction) else truncate(found)


def _range(*args: object) -> tuple[int, ...]:
    bounds = [int(whole(a)) for a in args]
    steps = range(*bounds)
    if len(steps) > LONGEST_RANGE:
        raise Unbounded(f"a range of {len(steps)} steps; at most {LONGEST_RANGE} are run through")
    spend(len(steps))
    return tuple(steps)


def _zip(*lists: object) -> tuple[tuple[object, ...], ...]:
    return tuple(zip(*map(values, lists), strict=False))


def _ntuple(value: object, n: object) -> tuple[object, ...]:
    """Repeat a number n times; leave a list of numbers as it is."""
    return value if isinstance(value, tuple) else (value,) * len(_range(n))


def _broadcast_left(a: object, b: object) -> Dim:
    """Return the element count of two shapes aligned at their first axis, as two tools do it."""
    x, y = values(a), values(b)
    longest = max(len(x), len(y))
    pairs = zip(x + (1,) * (longest - len(x)), y + (1,) * (longest - len(y)), strict=True)
    return product(maximum(whole(i), whole(j)) for i, j in pairs)


def _float64(value: object) -> Number:
    """Return the double-precision number next to a value, as an exact fraction.

    A tool that calculates in doubles is followed step by step: ``float64(a / b)`` is its quotient.
    """
    found = number(value)
    if isinstance(found, (int, Fraction)):
        return number(Fraction(float(found)))
    if not getattr(found, "is_integer", False):
        raise TypeError(f"how {found} is rounded to double precision depends on the symbols")
    return found


def _decimal(value: object) -> str:
    """Write a number as Python writes the double next to it: ``decimal(count / 1000)``."""
    found = number(value)
    if not isinstance(found, (int, Fraction)):
        raise TypeError(f"how {found} is written as a decimal depends on the symbols")
    return str(float(found))


def _einsum(equation: object, shapes: object) -> tuple[str, list[tuple[int, ...]]]:
    """Check the equation and the shapes of its operands, which must be known numbers."""
    if not isinstance(equation, str):
        raise TypeError(f"{shown(equation)} is not an einsum equation")
    sizes = [tuple(whole(size) for size in values(shape)) for shape in values(shapes)]
    known = [tuple(size for size in shape if isinstance(size, int)) for shape in sizes]
    if known != sizes:
        raise TypeError(f"the cheapest order of {equation!r} depends on the symbols in {sizes}")
    return equation, known


def _einsum_flops(equation: object, shapes: object) -> int:
    checked, sizes = _einsum(equation, shapes)
    spend(4 ** min(len(sizes), contraction.MOST_OPERANDS))
    return contraction.optimized_count(checked, sizes)


def _einsum_letters(equation: object) -> str:
    return contraction.renamed(str(equation))


def _einsum_sizes(equation: object, shapes: object) -> tuple[object, ...]:
    """Return the size of each letter of an einsum without ``...``: that of its last operand."""
    terms = str(equation).replace(" ", "").partition("->")[0].split(",")
    pairs = zip(terms, values(shapes), strict=False)
    sizes = {letter: size for term, shape in pairs for letter, size in zip(term, values(shape), strict=False)}
    return tuple(sizes.values())


def _is_list(value: object) -> bool:
    return isinstance(value, tuple) and not isinstance(value, TensorShape)


Function: TypeAlias = Callable[..., object]

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "prod": lambda items: _prod(values(items)),
        "sum": lambda items: _sum(values(items)),
        "min": _min,
        "max": _max,
        "len": lambda items: len(items) if isinstance(items, str) else len(values(items)),
        "any": lambda items: any(values(items)),
        "all": lambda items: all(values(items)),
        "trunc": lambda value: truncate(number(value)),
        "floor": _floor,
        "ceil": _ceil,
        "range": _range,
        "zip": _zip,
        "list": lambda items: tuple(values(items)),
        "tuple": lambda items: tuple(values(items)),
        "ntuple": _ntuple,
        "broadcast_left": _broadcast_left,
        "float64": _float64,
        "decimal": _decimal,
        "einsum_flops": _einsum_flops,
        "einsum_letters": _einsum_letters,
        "einsum_sizes": _einsum_sizes,
        "is_tensor": lambda value: isinstance(value, TensorShape),
        "is_list": _is_list,
        "is_str": lambda value: isinstance(value, str),
        "startswith": lambda value, start: isinstance(value, str) and value.startswith(str(start)),
    }
)
"""The functions by name. Each is documented in ``conventions/README.md``."""

ROUNDING = ("trunc", "floor", "ceil")
"""The functions that only round; a total is looked at with and without them."""
