"""Sizes that exporters calculate from others, ``past + 1`` or ``(s0 - 1)//2``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import is_symbolic, product, substitute, symbol_names, total
from flopledger.dims.bounds import whole
from flopledger.errors import ExpressionError
from flopledger.expressions.compiler import compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flopledger.dims.types import Dim

_SUM = re.compile(r"\s*PART(?:\s*[+*]\s*PART){1,9}\s*\Z".replace("PART", r"(?:[A-Za-z_]\w*|[1-9]\d{0,17})"))
_CALCULATED = re.compile(r"(?!.*\b\d+[^\W\d])(?!.*\w\s+\w)[\w\s+*/%(),-]{1,200}\Z", re.ASCII)
"""Texts that may be arithmetic: no quoted text, comparison or word of Python, no number with letters."""
_SPELLED = {
    "ceiling(": "ceil(", "CeilToInt(": "ceil(", "FloorToInt(": "floor(", "Max(": "max(", "Min(": "min(",
}  # fmt: skip
"""The names of our functions in expressions that exporters write, which are printed by sympy."""
_SAMPLE = 1021
"""A prime: a half or a third of it is no size."""


def calculated(size: str, named: Collection[str], symbol_of: Callable[[str], Dim]) -> Dim | None:
    """Return the size that an expression over names of sizes gives, or None where a text is none.

    A sum or product is one whatever it names. A difference or a quotient is one only if all its names are
    those of sizes: ``batch-size`` and ``w/h`` are names that people write. A size is whole and above 0.

    Args:
        size: The text.
        named: The names of the network's sizes.
        symbol_of: Gives a name its symbol.
    """
    if _SUM.match(size):
        terms = [[part.strip() for part in term.split("*")] for term in size.split("+")]
        if any(not part.isdigit() for term in terms for part in term):
            return total(product(int(p) if p.isdigit() else symbol_of(p) for p in term) for term in terms)
    if size.isidentifier() or not _CALCULATED.match(size):
        return None
    for theirs, ours in _SPELLED.items():
        size = size.replace(theirs, ours)
    try:
        expression = compile_expression(size)
        if not expression.names or not expression.names <= set(named):
            return None
        found = whole(expression(symbol_of))
    except (ExpressionError, TypeError):
        return None
    if not is_symbolic(found):
        return None
    sample = substitute(found, dict.fromkeys(symbol_names(found), _SAMPLE))
    return found if isinstance(sample, int) and sample > 0 else None
