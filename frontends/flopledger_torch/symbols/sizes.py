"""torch's sizes, symbols in them, as flopledger's.

torch writes sizes with symbols as sympy expressions over functions of its own; each is taken apart and
rebuilt from the exact functions of :mod:`flopledger.dims.arithmetic`.
"""

from __future__ import annotations

import contextvars
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from flopledger.frontend import SourceError, ceildiv, floordiv, is_symbolic, maximum, minimum, substitute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Dim, Value

NAMES: contextvars.ContextVar[dict[Any, Dim]] = contextvars.ContextVar("NAMES")
"""The symbols of the current reading: torch's, and every expression seen so far, to ours."""


class _Ratio(NamedTuple):
    """A number between integers: torch divides and scales in floats before it rounds."""

    above: Dim
    below: Dim = 1


def dim_of(size: Any) -> Dim:
    """Return a size as an ``int``, or as an expression over symbols.

    Raises:
        SourceError: It is written with a function that is not known, or it depends on the data.
    """
    if isinstance(size, int):
        return int(size)
    return dim_of_expression(size.node.expr)


def dim_of_expression(expression: Any) -> Dim:
    """Return torch's expression of a size as ours."""
    known = NAMES.get({})
    found = known.get(expression)
    if found is None:
        found = known[expression] = _rounded(_ratio(expression, known), floordiv)
    return found


def ratio_of_expression(expression: Any) -> tuple[Dim, Dim]:
    """Return torch's expression of a number that need not be whole as ours, one over the other.

    Raises:
        SourceError: It is written with a function that is not known, or it depends on the data.
    """
    return _ratio(expression, NAMES.get({}))


def fraction_of(number: Any) -> Fraction:
    """Return a number of sympy's as a fraction: a float as the simplest fraction that rounds to it."""
    if number.is_Rational:
        return Fraction(int(number.p), int(number.q))
    return Fraction(float(number)).limit_denominator(10**6)


def _ratio(expression: Any, known: Mapping[Any, Dim]) -> _Ratio:
    if expression in known:
        return _Ratio(known[expression])
    if expression.is_Rational or expression.is_Float:
        return _Ratio(*fraction_of(expression).as_integer_ratio())
    name = type(expression).__name__
    parts = [_ratio(part, known) for part in expression.args]
    if name not in _FUNCTIONS or not parts:
        reason = "it depends on the data" if expression.is_Symbol else f"{name} is not known here"
        raise SourceError(f"the size {expression} can't be written: {reason}")
    return _FUNCTIONS[name](*parts)


def _rounded(value: _Ratio, divide: Callable[[Dim, Dim], Dim]) -> Dim:
    return value.above if value.below == 1 else divide(value.above, value.below)


def _whole(value: _Ratio) -> Dim:
    return _rounded(value, floordiv)


def _add(*parts: _Ratio) -> _Ratio:
    above, below = parts[0]
    for part in parts[1:]:
        above, below = above * part.below + part.above * below, below * part.below
    return _Ratio(above, below)


def _multiply(*parts: _Ratio) -> _Ratio:
    above: Dim = 1
    below: Dim = 1
    for part in parts:
        above, below = above * part.above, below * part.below
    if isinstance(above, int) and isinstance(below, int):
        common = math.gcd(above, below)
        return _Ratio(above // common, below // common)
    return _Ratio(above, below)


def _divide(a: _Ratio, b: _Ratio) -> _Ratio:
    return _multiply(a, _Ratio(b.below, b.above))


def _power(base: _Ratio, exponent: _Ratio) -> _Ratio:
    times = exponent.above
    if not isinstance(times, int) or exponent.below != 1 or abs(times) > 64:
        raise SourceError(f"a size with the exponent {times} can't be written")
    found = _multiply(*(base,) * abs(times)) if times else _Ratio(1)
    return found if times >= 0 else _Ratio(found.below, found.above)


def _floor_divide(a: _Ratio, b: _Ratio) -> _Ratio:
    return _Ratio(_rounded(_divide(a, b), floordiv))


def _modulo(a: _Ratio, b: _Ratio) -> _Ratio:
    x, y = _whole(a), _whole(b)
    return _Ratio(x - floordiv(x, y) * y)


def _most(*parts: _Ratio) -> _Ratio:
    found = _whole(parts[0])
    for part in parts[1:]:
        found = maximum(found, _whole(part))
    return _Ratio(found)


def _least(*parts: _Ratio) -> _Ratio:
    found = _whole(parts[0])
    for part in parts[1:]:
        found = minimum(found, _whole(part))
    return _Ratio(found)


def _floor(value: _Ratio) -> _Ratio:
    return _Ratio(_rounded(value, floordiv))


def _ceiling(value: _Ratio) -> _Ratio:
    return _Ratio(_rounded(value, ceildiv))


_FUNCTIONS: dict[str, Callable[..., _Ratio]] = {
    "Add": _add,
    "Mul": _multiply,
    "Pow": _power,
    "PowByNatural": _power,
    "FloatPow": _power,
    "FloorDiv": _floor_divide,
    "CleanDiv": _floor_divide,
    "CeilDiv": lambda a, b: _Ratio(_rounded(_divide(a, b), ceildiv)),
    "IntTrueDiv": _divide,
    "FloatTrueDiv": _divide,
    "Mod": _modulo,
    "PythonMod": _modulo,
    "ModularIndexing": lambda a, b, c: _modulo(_floor_divide(a, b), c),
    "Max": _most,
    "Min": _least,
    "FloorToInt": _floor,
    "TruncToInt": _floor,
    "floor": _floor,
    "CeilToInt": _ceiling,
    "ceiling": _ceiling,
    "ToFloat": lambda value: value,
    "Identity": lambda value: value,
}
"""torch's functions of sizes. Sizes are never negative, so that truncation rounds down."""


def fixed(value: Value, sizes: Mapping[str, Dim]) -> Value:
    """Return a value with symbols replaced by the numbers that they are fixed to."""
    if isinstance(value, tuple):
        return tuple(fixed(item, sizes) for item in value)
    if isinstance(value, dict):
        return {key: fixed(item, sizes) for key, item in value.items()}
    return substitute(value, sizes) if is_symbolic(value) else value
