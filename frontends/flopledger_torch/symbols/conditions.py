"""Where formulas over symbols hold, in the user's symbols.

torch runs a model on sizes that stand for its symbols, and where something asks about a size, in a branch of
the model or where shapes have to fit, it goes on as for those. So the answers are conditions of all that
follows. One that follows from the others is left out.
"""

from __future__ import annotations

import itertools
import math
import operator
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy
from flopledger.frontend import SourceError, text

from flopledger_torch.symbols.sizes import NAMES, dim_of_expression, fraction_of, ratio_of_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flopledger_torch.symbols.questions import Condition, Questions

    Point = dict[Any, int]

_SIZES = (*range(1, 1024), *(2**power + more for power in range(10, 21) for more in range(3)))
"""The sizes at which a condition on one symbol is tried."""
_POINTS = 600
"""The combinations of sizes at which conditions on several symbols are tried."""
_LINES = 40
"""From how many points a size is looked for at which a condition is about to fail."""
_FAILURES = 20
"""How many of those are looked at."""
_MANY = 100
"""After how many conditions no other one is tested for redundancy: the test takes longer with each."""
_ENOUGH = 20
"""At how many sizes, among those at which all else holds, a condition has to hold to be redundant."""

_SIGNS = {
    "Equality": "=",
    "Unequality": "!=",
    "GreaterThan": ">=",
    "LessThan": "<=",
    "StrictGreaterThan": ">",
    "StrictLessThan": "<",
}

_VALUES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "Add": sum,
    "Mul": math.prod,
    "Max": max,
    "Min": min,
    "And": all,
    "Or": any,
    **dict.fromkeys(("Pow", "PowByNatural", "FloatPow"), lambda parts: parts[0] ** parts[1]),
    **dict.fromkeys(("FloorDiv", "CleanDiv"), lambda parts: parts[0] // parts[1]),
    **dict.fromkeys(("Mod", "PythonMod"), lambda parts: parts[0] % parts[1]),
    "CeilDiv": lambda parts: -(-parts[0] // parts[1]),
    **dict.fromkeys(("IntTrueDiv", "FloatTrueDiv"), lambda parts: Fraction(parts[0]) / parts[1]),
    **dict.fromkeys(("FloorToInt", "floor"), lambda parts: math.floor(parts[0])),
    **dict.fromkeys(("CeilToInt", "ceiling"), lambda parts: math.ceil(parts[0])),
    "TruncToInt": lambda parts: math.trunc(parts[0]),
    "RoundToInt": lambda parts: round(parts[0]),
    **dict.fromkeys(("ToFloat", "Identity"), operator.itemgetter(0)),
    "Equality": lambda parts: parts[0] == parts[1],
    "Unequality": lambda parts: parts[0] != parts[1],
    "GreaterThan": lambda parts: parts[0] >= parts[1],
    "LessThan": lambda parts: parts[0] <= parts[1],
    "StrictGreaterThan": lambda parts: parts[0] > parts[1],
    "StrictLessThan": lambda parts: parts[0] < parts[1],
}


def _parts(holds: Any) -> Sequence[Any]:
    return holds.args if isinstance(holds, sympy.And) else (holds,)


def _function(expression: Any) -> Callable[[Point], Any]:
    """Return a function that works an expression out.

    Raises:
        KeyError: It is written with a function that is not known here.
    """
    if expression.is_Symbol:
        return operator.itemgetter(expression)
    if expression.is_Rational or expression.is_Float:
        number = fraction_of(expression)
        plain = int(number) if number.denominator == 1 else number
        return lambda _: plain
    apply = _VALUES[type(expression).__name__]
    parts = [_function(part) for part in expression.args]
    return lambda point: apply([part(point) for part in parts])


def _tried(holds: Any, points: Sequence[Point]) -> tuple[list[Point], bool]:
    """Return the points at which a condition holds, and whether it fails at any.

    Points where it can't be evaluated count for neither.
    """
    try:
        function = _function(holds)
    except KeyError:
        return [], True
    left = []
    fails = False
    for point in points:
        try:
            if function(point):
                left.append(point)
            else:
                fails = True
        except (ArithmeticError, TypeError):  # such as a division by a size that is 0 there, or a root of -1
            continue
    return left, fails


def notes(questions: Questions, symbols: Sequence[Any], shown: Sequence[int]) -> Iterator[str]:
    """Yield where the formulas hold: a note for each line that asked, one for questions about a size of 1.

    Args:
        questions: The questions about sizes.
        symbols: The symbols of the inputs.
        shown: The sizes that stood for them.
    """
    asked = list(_known(questions, frozenset(symbols)))
    singles, others = _singles([c for c in asked if not c.direct], symbols)
    found = _not_implied([*(c for c in asked if c.direct), *singles, *others], _points(symbols, shown))
    by_line: dict[str, list[str]] = {}
    more: dict[str, str] = {}
    for condition in found:
        if _holds_but_for_one(condition.holds):
            more.setdefault(f"{_size(*condition.holds.free_symbols)} > 1", condition.line)
            continue
        written = by_line.setdefault(condition.line, [])
        if (text_of := _written(condition.holds)) not in written:
            written.append(text_of)
    if more:
        by_line["; ".join(line for line in dict.fromkeys(more.values()) if line)] = list(more)
    for line, written in by_line.items():
        yield f"the formulas hold only where {' and '.join(written)}" + (f" ({line})" if line else "")


def _holds_but_for_one(holds: Any) -> bool:
    """Return whether a condition holds for every size but 1."""
    symbols = list(holds.free_symbols)
    return len(symbols) == 1 and _tried(holds, [{symbols[0]: size} for size in _SIZES])[0] == [
        {symbols[0]: size} for size in _SIZES if size > 1
    ]


def _known(questions: Questions, symbols: frozenset[Any]) -> Iterator[Condition]:
    """Yield the conditions on the symbols that are not true of every size."""
    numbers = questions.from_data.numbers()
    for condition in tuple(questions.conditions.values()):
        for part in _parts(condition.holds):
            part = part.xreplace(numbers)  # noqa: PLW2901
            free = part.free_symbols & symbols
            replaced = {symbol: questions.replace(symbol) for symbol in free}
            holds = _shortened(part.xreplace({a: b for a, b in replaced.items() if a != b}))
            if holds.free_symbols and holds.free_symbols <= symbols:
                yield condition._replace(holds=holds)


def _shortened(holds: Any) -> Any:
    """Return an equation without the factors that both of its sides have."""
    if not isinstance(holds, sympy.Eq) or not all(isinstance(side, sympy.Expr) for side in holds.args):
        return holds
    (a, left), (b, right) = (side.as_coeff_Mul() for side in holds.args)
    if not (a.is_Integer and b.is_Integer and a * b):
        return holds
    common = math.gcd(int(a), int(b))
    factors = [set(sympy.Mul.make_args(side)) for side in (left, right)]
    for factor in factors[0] & factors[1]:
        if factor.is_Symbol:
            left, right = left / factor, right / factor
    return sympy.Eq(left * (a // common), right * (b // common))


def _singles(
    conditions: Iterable[Condition], symbols: Iterable[Any]
) -> tuple[list[Condition], list[Condition]]:
    """Merge the conditions of each single symbol to a least size, a divisor; return these, and the others."""
    groups: dict[Any, list[Condition]] = {symbol: [] for symbol in symbols}
    found: list[Condition] = []
    others: list[Condition] = []
    for condition in sorted(conditions, key=lambda c: not isinstance(c.holds, sympy.Eq)):
        free = list(condition.holds.free_symbols)
        (groups[free[0]] if len(free) == 1 else others).append(condition)
    for symbol, group in groups.items():
        informative, sizes = _informative(symbol, group)
        plain = _range_of(symbol, sizes)
        if plain is None:
            found += informative
        elif plain is not sympy.true:
            found.append(informative[-1]._replace(holds=plain))
    return found, others


def _informative(symbol: Any, group: Sequence[Condition]) -> tuple[list[Condition], list[int]]:
    """Return the conditions of one symbol that don't follow from the others, and the sizes that fit all."""
    every = [{symbol: size} for size in _SIZES]
    fits = [{point[symbol] for point in _tried(condition.holds, every)[0]} for condition in group]
    sizes = set(_SIZES).intersection(*fits)
    left = list(range(len(group)))
    for place in reversed(range(len(group))):
        rest = [fits[other] for other in left if other != place]
        if len(set(_SIZES).intersection(*rest)) == len(sizes):
            left.remove(place)
    return [group[place] for place in left], sorted(sizes)


def _range_of(symbol: Any, sizes: Sequence[int]) -> Any:
    """Return one condition for the sizes that fit, if they are all from one on, or all multiples."""
    step = math.gcd(*sizes)
    if not sizes or list(sizes) != [n for n in _SIZES if n >= sizes[0] and n % step == 0]:
        return None
    conditions: list[Any] = []
    if step > 1:
        conditions.append(sympy.Eq(sympy.Mod(symbol, step, evaluate=False), 0))
    if sizes[0] > max(step, 2):
        conditions.append(sympy.Ge(symbol, sizes[0]))
    return sympy.And(*conditions)


def _points(symbols: Sequence[Any], shown: Sequence[int]) -> list[Point]:
    """Return sizes to try conditions at: small ones, large ones, and many multiples."""
    chance = random.Random(0)  # noqa: S311  (no secret)

    def size(like: int) -> int:
        step = chance.choice((1, 1, 7, 16, 32, 64))
        top = chance.choice((2, 64, 16 * like, 1 << 20))
        return step * chance.randint(1, max(top // step, 1))

    found = [dict(zip(symbols, map(size, shown), strict=True)) for _ in range(_POINTS)]
    return [dict(zip(symbols, shown, strict=True)), dict.fromkeys(symbols, 1), *found]


def _not_implied(conditions: Iterable[Condition], points: list[Point]) -> Iterator[Condition]:
    """Yield the conditions that don't follow from the ones before, as far as the points show."""
    stated: list[Any] = []
    seen = set()
    for condition in conditions:
        if condition.holds in seen:
            continue
        seen.add(condition.holds)
        left, fails = _tried(condition.holds, points)
        may_follow = len(left) >= _ENOUGH and not fails and len(stated) < _MANY
        if may_follow and not _fails_close(condition.holds, points, stated):
            continue
        stated.append(condition.holds)
        points = left
        yield condition


def _fails_close(holds: Any, points: Sequence[Point], stated: Iterable[Any]) -> bool:
    """Return whether a condition fails near its boundary, at points where all stated before hold."""
    function = _function(holds)
    fail = (point for point in _close(holds, points[:_LINES]) if _is_false(function, point))
    left = list(itertools.islice(fail, _FAILURES))
    for other in stated:
        left, _ = _tried(other, left)
    return bool(left)


def _is_false(function: Callable[[Point], Any], point: Point) -> bool:
    try:
        return not function(point)
    except (ArithmeticError, TypeError):
        return False


def _close(holds: Any, points: Sequence[Point]) -> Iterator[Point]:
    """Yield points where both sides of a condition are equal, or nearly so, if they are linear in a symbol.

    Of one symbol alone all sizes are tried.
    """
    free = list(holds.free_symbols)
    if len(free) == 1:
        yield from ({**points[0], free[0]: size} for size in _SIZES)
    if not isinstance(holds, sympy.core.relational.Relational):
        return
    left, right = map(_function, holds.args)
    for point, symbol in itertools.product(points, free):
        one, two = ({**point, symbol: size} for size in (1, 2))
        try:
            first, second = left(one) - right(one), left(two) - right(two)
            size = 1 + math.floor(Fraction(first) / (first - second))
        except (ArithmeticError, TypeError):
            continue
        yield from ({**point, symbol: near} for near in range(max(size - 1, 1), size + 2))


def _written(holds: Any) -> str:
    """Return a condition as text."""
    if isinstance(holds, (sympy.And, sympy.Or)):
        return (" and " if isinstance(holds, sympy.And) else " or ").join(map(_written, holds.args))
    sign = _SIGNS.get(type(holds).__name__)
    if sign is None:
        return str(holds)
    if holds.lhs.is_number:
        holds = holds.reversed
        sign = _SIGNS[type(holds).__name__]
    if type(holds.lhs).__name__ in ("Mod", "PythonMod") and holds.rhs == 0 and sign in ("=", "!="):
        size, divisor = map(_size, holds.lhs.args)
        return f"{size} is {'a' if sign == '=' else 'no'} multiple of {divisor}"
    return f"{_size(holds.lhs)} {sign} {_size(holds.rhs)}"


def _size(expression: Any) -> str:
    """Return a number as text, in the user's symbols; a fraction is left as one."""
    try:
        if type(expression).__name__ in ("Mod", "PythonMod"):
            return " mod ".join(text(dim_of_expression(part)) for part in expression.args)
        above, below = map(text, ratio_of_expression(expression))
    except SourceError:
        names = {free: text(NAMES.get({})[free]) for free in expression.free_symbols}
        positive = {free: sympy.Symbol(name, integer=True, positive=True) for free, name in names.items()}
        return str(expression.xreplace(positive))
    if below == "1":
        return above
    return (f"({above})" if " " in above else above) + "/" + (below if below.isalnum() else f"({below})")
