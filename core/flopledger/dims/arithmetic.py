"""Dimensions and counts: whole numbers, or exact expressions over named symbols.

A dimension is a Python ``int`` until a symbol such as ``N`` appears in an input; from there on it
is an expression that :mod:`flopledger.dims.symbols` builds with sympy, which is imported at that moment
and never before. Every size that is computed goes through the functions of this module, so that
floors, ceilings and clipping stay exact for both.
"""

from __future__ import annotations

import importlib
import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeGuard, overload

from flopledger.errors import Unbounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.dims import symbols
    from flopledger.dims.types import Dim, Number, Shape, Symbolic
else:

    class _Symbols:
        """The module of symbols, imported where a symbol appears: sympy takes longer than a count."""

        def __getattr__(self, name: str) -> object:
            return getattr(importlib.import_module("flopledger.dims.symbols"), name)

    symbols = _Symbols()

SAMPLE = 1000
"""The value of every symbol when formulas are sorted by size."""


def symbol(name: str) -> Dim:
    """Return the symbol ``name``, a positive integer that is not known."""
    return symbols.symbol(name)


def is_symbolic(value: object) -> TypeGuard[Symbolic]:
    """Return whether a value is an expression over symbols."""
    # By its type alone: an attribute lookup would run on every value of the user's, and many objects claim to
    # have any attribute.
    sympy = sys.modules.get("sympy")
    return sympy is not None and type(value) is not int and issubclass(type(value), sympy.Basic)


def is_dim(value: object) -> TypeGuard[Dim]:
    """Return whether a value is a dimension: a whole number or an expression, not a truth value."""
    kind = type(value)
    return (issubclass(kind, int) and kind is not bool) or is_symbolic(value)


def plain(value: Dim) -> Dim:
    """Return an expression without symbols as the ``int`` that it is."""
    return int(value) if not isinstance(value, int) and value.is_Integer else value


MOST_BITS = 1024
"""The largest product of sizes, in bits; no tensor or kernel comes near it."""


def product(values: Iterable[Dim]) -> Dim:
    """Multiply dimensions; of none, 1.

    Raises:
        Unbounded: The product is larger than any network's.
    """
    exact = 1
    symbolic: list[Symbolic] = []
    for value in values:
        if isinstance(value, int):
            exact *= value
            if exact.bit_length() > MOST_BITS:
                raise Unbounded(f"a product of sizes that has more than {MOST_BITS} bits")
        else:
            symbolic.append(value)
    if not symbolic:
        return exact
    return symbols.multiply([exact, *symbolic])


@overload
def total(values: Iterable[Dim]) -> Dim: ...
@overload
def total(values: Iterable[Number]) -> Number: ...
def total(values: Iterable[Number]) -> Number:
    """Add counts; of none, 0."""
    exact: int | Fraction = 0
    symbolic: list[Symbolic] = []
    for value in values:
        if isinstance(value, (int, Fraction)):
            exact += value
        else:
            symbolic.append(value)
    if not symbolic:
        return exact
    return symbols.add([exact, *symbolic])


def floordiv(a: Dim, b: Dim) -> Dim:
    """Divide and round down, exactly, with symbols too."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    return symbols.floordiv(a, b)


def ceildiv(a: Dim, b: Dim) -> Dim:
    """Divide and round up, exactly, with symbols too."""
    if isinstance(a, int) and isinstance(b, int):
        return -(-a // b)
    return floordiv(a + b - 1, b)


def minimum(a: Dim, b: Dim) -> Dim:
    """Return the smaller of two dimensions."""
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    return symbols.minimum(a, b)


def maximum(a: Dim, b: Dim) -> Dim:
    """Return the larger of two dimensions."""
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return symbols.maximum(a, b)


def truncate(value: Number) -> Dim:
    """Drop the fraction, towards zero."""
    if isinstance(value, (int, Fraction)):
        return math.trunc(value)
    return symbols.truncate(value)


def rounded_up(value: Number) -> Dim:
    """Return the next whole number."""
    if isinstance(value, (int, Fraction)):
        return math.ceil(value)
    return symbols.rounded_up(value)


def equal(a: Number, b: Number) -> bool:
    """Return whether two dimensions or counts are the same, however their expressions are written."""
    if a == b:
        return True
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return False
    return symbols.equal(a, b)


def substitute(value: Dim, values: Mapping[str, Dim]) -> Dim:
    """Substitute whole numbers or expressions for symbols, by name."""
    if isinstance(value, int):
        return value
    return symbols.substitute(value, values)


def magnitude(value: Number) -> Fraction:
    """Return the key that sorts a number; a formula is compared with every symbol at a sample size."""
    if isinstance(value, (int, Fraction)):
        return Fraction(value)
    sized = substitute(truncate(value), dict.fromkeys(symbol_names(value), SAMPLE))
    return Fraction(sized if isinstance(sized, int) else 0)


def extent(value: Symbolic) -> tuple[int, int]:
    """Return how large an expression can become, in bits, and the number of its nodes when written out."""
    return symbols.extent(value)


def symbol_names(value: object) -> tuple[str, ...]:
    """Return the names of the symbols in a value, sorted."""
    found: Any = value
    return tuple(sorted(str(s) for s in found.free_symbols)) if is_symbolic(value) else ()


def text(value: Number) -> str:
    """Write a dimension or count in Python's syntax, so that it can be read back or evaluated."""
    if not is_symbolic(value):
        return str(value)
    return symbols.text(value)


@overload
def renamed(value: Dim, names: Mapping[Dim, str]) -> Dim: ...
@overload
def renamed(value: Number, names: Mapping[Dim, str]) -> Number: ...
def renamed(value: Number, names: Mapping[Dim, str]) -> Number:
    """Replace the sizes in an expression by names."""
    if not is_symbolic(value):
        return value
    return symbols.renamed(value, names)


def readable(value: Number) -> tuple[str, dict[str, str]]:
    """Write a count for people: the sizes that occur again and again get a name of their own.

    Returns:
        The expression, and the definition of each name in it.
    """
    if not is_symbolic(value):
        return str(value), {}
    return symbols.readable(value)


def plain_shape(shape: Shape) -> Shape:
    """Return a shape whose expressions without symbols are whole numbers."""
    return tuple(d if isinstance(d, int) else plain(d) for d in shape)
