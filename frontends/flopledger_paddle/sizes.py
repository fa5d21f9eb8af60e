"""Sizes that a saved program computes: ops on a few whole numbers, which follow from the shapes of others.

A program that was saved for open sizes holds ``paddle.shape(x)`` and the arithmetic on it as ops. Their
values are worked out here, as numbers or as expressions of the program's symbols, and the ops that are given
them have shapes then. (While a live layer is traced, :mod:`flopledger_paddle.known` lets Paddle do the same.)
"""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger.frontend import floordiv, is_symbolic, maximum

from flopledger_paddle.tables.call import Open

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flopledger_paddle.tables.call import Op

Known: TypeAlias = "Any"
"""A number or an expression, or a list of them."""
Rule: TypeAlias = "Callable[[Op], Known]"
MOST = 16
"""The most elements of a value that is followed; a larger one is data."""


def folded(op: Op) -> Known | None:
    """Return the value of an op's one result where it is a size; None where it isn't, or is not known."""
    rule = _RULES.get(op.name.removeprefix("pd_op.").rstrip("_"))
    if rule is None or len(op.results) != 1 or not _is_small(op.results[0]):
        return None
    try:
        return rule(op)
    except (Open, ArithmeticError, IndexError, TypeError, ValueError):
        return None


def _is_small(value: Any) -> bool:
    if not value.initialized():
        return False
    sizes = list(value.shape)
    return len(sizes) < 2 and all(0 <= size <= MOST for size in sizes)


def _listed(value: Known) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _one(value: Known) -> Any:
    (found,) = _listed(value)
    return found


def _shape(op: Op) -> Known:
    return list(op.shape(0))


def _numel(op: Op) -> Known:
    return functools.reduce(operator.mul, op.shape(0), 1)


def _each(function: Callable[[Any], Any]) -> Rule:
    def rule(op: Op) -> Known:
        value = op.constant(0)
        return [function(one) for one in value] if isinstance(value, list) else function(value)

    return rule


def _pair(function: Callable[[Any, Any], Any]) -> Rule:
    """Return the rule of a function of two operands, of which one may be stretched."""

    def rule(op: Op) -> Known:
        return _stretched(function, op.constant(0), op.constant(1))

    return rule


def _stretched(function: Callable[[Any, Any], Any], a: Known, b: Known) -> Known:
    if not isinstance(a, list) and not isinstance(b, list):
        return function(a, b)
    left, right = _listed(a), _listed(b)
    count = max(len(left), len(right))
    left, right = (side * count if len(side) == 1 else side for side in (left, right))
    return [function(x, y) for x, y in zip(left, right, strict=True)]


def _scale(op: Op) -> Known:
    factor, bias, after = _one(op.constant(1)), op.attr("bias"), op.attr("bias_after_scale", default=True)
    factor, bias = (int(n) if isinstance(n, float) and n.is_integer() else n for n in (factor, bias))
    return _each(lambda x: x * factor + bias if after else (x + bias) * factor)(op)


def _cast(op: Op) -> Known:
    whole = "int" in str(op.attr("dtype")).lower()
    return _each(lambda x: math.trunc(x) if whole and isinstance(x, float) else x)(op)


def _divided(a: Any, b: Any) -> Any:
    """Return a quotient; of expressions only a whole one."""
    if is_symbolic(a) or is_symbolic(b):
        raise Open("a quotient of symbols")
    return a / b


def _rounded(function: Callable[[float], int]) -> Rule:
    return _each(lambda x: x if is_symbolic(x) or isinstance(x, int) else float(function(x)))


def _slice(op: Op) -> Known:
    if list(op.attr("axes")) != [0]:
        raise Open("another axis")
    start, stop = (int(_one(op.constant(place))) for place in (1, 2))
    step = int(_one(op.constant(3))) if op.name.endswith("strided_slice") else 1
    picked = _listed(op.constant(0))[start:stop:step]
    return picked[0] if op.attr("decrease_axis", None) else picked


def _joined(op: Op) -> Known:
    return [one for part in op.constant(0) for one in _listed(part)]


def _stacked(op: Op) -> Known:
    parts = op.constant(0)
    if any(isinstance(part, list) for part in parts):
        raise Open("of more than one axis")
    return list(parts)


def _as_list(op: Op) -> Known:
    return _listed(op.constant(0))


def _reshaped(op: Op) -> Known:
    value = op.constant(0)
    return _listed(value) if list(op.results[0].shape) else _one(value)


def _gathered(op: Op) -> Known:
    value, places = _listed(op.constant(0)), op.constant(1)
    return [value[i] for i in places] if isinstance(places, list) else value[places]


def _reduced(function: Callable[[list[Any]], Any]) -> Rule:
    def rule(op: Op) -> Known:
        found = function(_listed(op.constant(0)))
        return [found] if list(op.results[0].shape) else found

    return rule


def _largest(values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = maximum(found, value)
    return found


def _assigned(op: Op) -> Known:
    values = [getattr(value, "value", value) for value in op.attr("values")]
    return values if list(op.results[0].shape) else _one(values)


_RULES: dict[str, Rule] = {
    "shape": _shape,
    "shape64": _shape,
    "numel": _numel,
    "assign_value": _assigned,
    "cast": _cast,
    "scale": _scale,
    "add": _pair(operator.add),
    "subtract": _pair(operator.sub),
    "multiply": _pair(operator.mul),
    "divide": _pair(_divided),
    "floor_divide": _pair(
        lambda a, b: a // b if isinstance(a, float) or isinstance(b, float) else floordiv(a, b)
    ),
    "remainder": _pair(lambda a, b: a - b * floordiv(a, b)),
    "maximum": _pair(maximum),
    "minimum": _pair(lambda a, b: -maximum(-a, -b)),
    "ceil": _rounded(math.ceil),
    "floor": _rounded(math.floor),
    "round": _rounded(round),
    "trunc": _rounded(math.trunc),
    "slice": _slice,
    "strided_slice": _slice,
    "concat": _joined,
    "stack": _stacked,
    "unsqueeze": _as_list,
    "squeeze": _reshaped,
    "reshape": _reshaped,
    "flatten": _as_list,
    "gather": _gathered,
    "prod": _reduced(lambda values: functools.reduce(operator.mul, values)),
    "sum": _reduced(sum),
    "max": _reduced(_largest),
    **dict.fromkeys(("assign", "share_data", "memcpy_d2h", "memcpy_h2d"), _each(lambda x: x)),
}
"""Rules for the values of sizes, by the name of the op."""
