"""Exact arithmetic on symbols, on top of sympy. Imported only when a symbol appears.

sympy's own ``floor``, ``Min`` and ``Max`` simplify on their own, slowly, and print a form that no other
language reads; the three functions here do the few exact steps that sizes need and print as Python. No
general simplifier is ever called.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import sympy
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from flopledger.dims.types import MOST_NODES
from flopledger.errors import Unbounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.dims.types import Dim, Number

REPEATED = 2
"""A size is given a name when it occurs in at least this many terms."""


class FloorDiv(sympy.Function):
    """``a // b``: the quotient rounded down."""

    nargs = (2,)
    is_integer = True

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """Take the exact steps: numbers, whole quotients, nested divisions, multiples of ``b``."""
        if a.is_Integer and b.is_Integer and b != 0:
            return sympy.Integer(int(a) // int(b))
        quotient = a / b
        if quotient.as_numer_denom()[1] == 1:
            return quotient
        if not (b.is_Integer and b > 0):
            return None
        inner = _division(a)
        if inner is not None:
            return cls(inner[0], inner[1] * b)
        return _without_multiples(a, int(b))


def _division(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return x and k of an expression that is ``x // k``, written ``c + y // k`` or plainly so."""
    constant, rest = expr.as_coeff_Add()
    if not isinstance(rest, FloorDiv) or not constant.is_Integer:
        return None
    numerator, divisor = rest.args
    known = divisor.is_Integer and divisor > 0
    return (numerator + constant * divisor, divisor) if known else None


def _not_above(a: sympy.Expr, b: sympy.Expr) -> bool | None:
    """Return whether ``a <= b`` for all values of the symbols; None where that is not known."""
    x, y = _division(a), _division(b)
    if x is not None and y is not None and x[1] == y[1]:
        a, b = x[0], y[0]  # x // k grows with x
    difference = a - b
    if difference.is_nonpositive or any(bound.is_nonpositive for bound in _bounds(difference)):
        return True
    below = difference.is_nonnegative or any((-bound).is_nonnegative for bound in _bounds(-difference))
    return False if below else None


def _bounds(expr: sympy.Expr) -> Iterable[sympy.Expr]:
    """Yield values that an expression is never above.

    The smaller of two sizes is above neither of them, nor is the negative of the larger above that of either.
    """
    for term in sympy.Add.make_args(expr):
        coefficient, factor = term.as_coeff_Mul()
        if isinstance(factor, Maximum if coefficient.is_nonpositive else Minimum):
            for either in factor.args:
                yield expr - term + coefficient * either


def _without_multiples(a: sympy.Expr, b: int) -> sympy.Expr | None:
    """Take the multiples of ``b``, and the common factors of both sides, out of ``a // b``."""
    whole: sympy.Expr = sympy.Integer(0)
    rest: list[tuple[int, sympy.Expr]] = []
    constant = 0
    for term in sympy.Add.make_args(a):
        coefficient, factor = term.as_coeff_Mul()
        if not coefficient.is_Integer:
            return None
        number = int(coefficient)
        if factor == 1:
            constant = number % b
            whole += number // b
        elif number % b == 0:
            whole += number // b * factor
        else:
            rest.append((number, factor))
    if not rest:
        return whole
    common = functools.reduce(math.gcd, (number for number, _ in rest), b)
    if whole == 0 and common == 1:
        return None
    inner = sympy.Add(constant // common, *(number // common * factor for number, factor in rest))
    return whole + FloorDiv(inner, sympy.Integer(b // common))


class Minimum(sympy.Function):
    """The smaller of two sizes."""

    nargs = (2,)
    is_integer = True

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """Decide it if the sign of the difference is known."""
        return {True: a, False: b, None: None}[_not_above(a, b)]


class Maximum(sympy.Function):
    """The larger of two sizes."""

    nargs = (2,)
    is_integer = True

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """Decide it if the sign of the difference is known."""
        return {True: b, False: a, None: None}[_not_above(a, b)]


class _PythonPrinter(StrPrinter):
    """Writes expressions that Python can read."""

    def _print_Mul(self, expr: sympy.Expr) -> str:  # noqa: N802  (sympy finds it by this name)
        """Write a number behind a sum that it would else be multiplied into when read back."""
        number, rest = expr.as_coeff_Mul()
        if number == 1 or not isinstance(rest, sympy.Mul) or not isinstance(rest.args[0], sympy.Add):
            return super()._print_Mul(expr)
        size = abs(number)
        written = self._print(rest) + ("" if size == 1 else f"*{self._print(size)}")
        return f"-({written})" if number != size else written

    def _print_FloorDiv(self, expr: sympy.Expr) -> str:  # noqa: N802
        a = self.parenthesize(expr.args[0], PRECEDENCE["Mul"], strict=True)
        b = self.parenthesize(expr.args[1], PRECEDENCE["Mul"], strict=False)
        return f"({a}//{b})"

    def _print_Minimum(self, expr: sympy.Expr) -> str:  # noqa: N802
        return f"min({', '.join(map(self._print, expr.args))})"

    def _print_Maximum(self, expr: sympy.Expr) -> str:  # noqa: N802
        return f"max({', '.join(map(self._print, expr.args))})"


_PRINTER = _PythonPrinter({"order": "none"})


def _dim(expr: sympy.Expr) -> Dim:
    """Return an expression that has become a whole number as an ``int``."""
    return int(expr) if expr.is_Integer else expr


@functools.cache
def _symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, integer=True, positive=True)


def symbol(name: str) -> Dim:
    """Return the positive integer symbol ``name``."""
    return _symbol(name)


def add(values: Iterable[Number]) -> Dim:
    """Add many values in one step."""
    return _dim(sympy.Add(*values))


def multiply(values: Iterable[Dim]) -> Dim:
    """Multiply many values in one step."""
    return _dim(sympy.Mul(*values))


SYMBOL_BITS = 63
"""How many bits the value of a symbol is taken to have."""


@functools.lru_cache(maxsize=100_000)
def extent(expr: sympy.Expr) -> tuple[int, int]:
    """Return a bound on the bits of an expression's values, and how many nodes its text has.

    An expression shares its parts, so a small one can have an extremely long text, and a short text with
    nested powers a value that does not fit into memory.
    """
    if expr.is_Symbol:
        return SYMBOL_BITS, 1
    if not expr.args:
        return sum(int(part).bit_length() for part in expr.as_numer_denom()), 1
    below = [extent(part) for part in expr.args]
    nodes = 1 + sum(count for _, count in below)
    bits = [size for size, _ in below]
    if isinstance(expr, sympy.Pow):
        exponent = expr.args[1]
        return bits[0] * abs(int(exponent)) if exponent.is_Integer else 2 ** bits[1], nodes
    if isinstance(expr, (FloorDiv, Minimum, Maximum)):
        return max(bits), nodes
    return (max(bits) + len(bits).bit_length() if isinstance(expr, sympy.Add) else sum(bits)), nodes


def _bounded(expr: sympy.Expr) -> Dim:
    """Return an expression, or refuse one whose text is too long to print."""
    if extent(expr)[1] > MOST_NODES:
        raise Unbounded(f"an expression over symbols with more than {MOST_NODES} parts")
    return _dim(expr)


def floordiv(a: Dim, b: Dim) -> Dim:
    """Divide and round down."""
    if b == 0:
        raise ZeroDivisionError
    return _bounded(FloorDiv(sympy.sympify(a), sympy.sympify(b)))


def minimum(a: Dim, b: Dim) -> Dim:
    """Return the smaller."""
    return _bounded(Minimum(sympy.sympify(a), sympy.sympify(b)))


def maximum(a: Dim, b: Dim) -> Dim:
    """Return the larger."""
    return _bounded(Maximum(sympy.sympify(a), sympy.sympify(b)))


def truncate(value: Number) -> Dim:
    """Drop the fraction of a count, which is never negative, so that it is rounded down."""
    numerator, denominator = sympy.fraction(sympy.together(value))
    return floordiv(numerator, denominator)


def rounded_up(value: Number) -> Dim:
    """Return the next whole number of a count, which is never negative."""
    numerator, denominator = sympy.fraction(sympy.together(value))
    return floordiv(numerator + denominator - 1, denominator)


def equal(a: Number, b: Number) -> bool:
    """Return whether two expressions are the same once they are multiplied out."""
    difference: sympy.Expr = sympy.expand(sympy.sympify(a) - sympy.sympify(b))
    return bool(difference == 0)


def substitute(value: Dim, values: Mapping[str, Dim]) -> Dim:
    """Substitute whole numbers or expressions for symbols."""
    rule = {_symbol(name): sympy.sympify(dim) for name, dim in values.items()}
    return _dim(sympy.sympify(value).xreplace(rule))


def text(value: Number) -> str:
    """Write an expression in Python's syntax."""
    return _PRINTER.doprint(value)


def readable(value: Number) -> tuple[str, dict[str, str]]:
    """Write an expression with names for the sizes that occur in several terms.

    The common factors of all terms are written in front of the sum.
    """
    names: dict[sympy.Expr, sympy.Symbol] = {}
    terms = sympy.Add.make_args(value)
    for size in _repeated(terms):
        letter = (sorted(str(s) for s in size.free_symbols) or ["s"])[0].lower()
        number = 1 + sum(str(name).rstrip("0123456789") == letter for name in names.values())
        names[size] = sympy.Symbol(f"{letter}{number}", integer=True, positive=True)
    short = [_renamed(term, names) for term in terms]
    common = functools.reduce(set.intersection, (set(sympy.Mul.make_args(t)) for t in short))
    front = sorted((f for f in common if not f.is_number), key=str)
    if front and len(short) > 1:
        inner = sympy.Add(*(_without(term, front) for term in short))
        written = "*".join(map(_PRINTER.doprint, front)) + f"*({_PRINTER.doprint(inner)})"
    else:
        written = _PRINTER.doprint(sympy.Add(*short))
    return written, {str(name): _PRINTER.doprint(size) for size, name in names.items()}


def renamed(value: Number, names: Mapping[Dim, str]) -> Dim:
    """Replace sizes by names."""
    rule = {sympy.sympify(size): _symbol(name) for size, name in names.items()}
    expr = sympy.sympify(value)
    whole = _named(expr, rule)
    if whole is not expr:
        return _dim(whole)
    return _dim(sympy.Add(*(_renamed(term, rule) for term in sympy.Add.make_args(expr))))


def _repeated(terms: Iterable[sympy.Expr]) -> list[sympy.Expr]:
    """Return the factors, symbols apart, that occur in several terms, in order of appearance."""
    seen: dict[sympy.Expr, int] = {}
    for term in terms:
        for factor in sympy.Mul.make_args(term):
            base = factor.as_base_exp()[0]
            if not base.is_Symbol and not base.is_number:
                seen[base] = seen.get(base, 0) + 1
    return [size for size, count in seen.items() if count >= REPEATED]


def _renamed(term: sympy.Expr, names: Mapping[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    factors = []
    for factor in sympy.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        factors.append(_named(base, names) ** exponent)
    return sympy.Mul(*factors)


def _named(base: sympy.Expr, names: Mapping[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """Return the name of a size, or a multiple of it: sympy multiplies sums by numbers on its own."""
    if base in names:
        return names[base]
    coefficient, size = base.primitive()
    return coefficient * names[size] if size in names else base


def _without(term: sympy.Expr, front: Iterable[sympy.Expr]) -> sympy.Expr:
    left = list(sympy.Mul.make_args(term))
    for factor in front:
        left.remove(factor)
    return sympy.Mul(*left)
