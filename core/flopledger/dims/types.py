"""The types of sizes and counts: whole numbers, exact fractions, or expressions over named symbols."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from fractions import Fraction


SYMBOL = re.compile(r"[A-Z][A-WYZa-wyz0-9_]*\Z")
"""How a symbol is written: a capital letter, then letters, digits or ``_``, without x."""


class Symbolic(Protocol):
    """An expression over symbols. It has no ``//``: use :func:`floordiv`, which keeps it exact."""

    is_Integer: bool  # noqa: N815  (sympy's own name)

    def __add__(self, other: Number, /) -> Symbolic: ...
    def __radd__(self, other: Number, /) -> Symbolic: ...
    def __sub__(self, other: Number, /) -> Symbolic: ...
    def __rsub__(self, other: Number, /) -> Symbolic: ...
    def __mul__(self, other: Number, /) -> Symbolic: ...
    def __rmul__(self, other: Number, /) -> Symbolic: ...
    def __truediv__(self, other: Number, /) -> Symbolic: ...
    def __rtruediv__(self, other: Number, /) -> Symbolic: ...
    def __pow__(self, other: Number, /) -> Symbolic: ...
    def __neg__(self) -> Symbolic: ...
    def __int__(self) -> int: ...
    def __hash__(self) -> int: ...


Dim: TypeAlias = "int | Symbolic"


Shape: TypeAlias = "tuple[Dim, ...]"


Number: TypeAlias = "int | Fraction | Symbolic"
"""A count: whole, an exact fraction (some tools divide), or an expression over symbols."""


MOST_NODES = 50_000
"""The maximum number of nodes of an expression over symbols, when written out."""
