"""The cost of an einsum: in which order its operands are contracted, and at what expense.

Follows ``numpy.einsum_path(..., optimize="optimal")`` (numpy/_core/einsumfunc.py, NumPy 2.3), which several
counters call. A contraction of n operands over the index sizes s costs::

    prod(s) * (max(1, n - 1) + (1 if an index is summed else 0))

Operands are contracted two by two in the cheapest order, but never into an intermediate larger than
the largest of the operands and the result; where only such are left, the rest is contracted at once.
NumPy's "optimized FLOP count" is 1 more than the cost, and is printed with four significant digits.
"""

from __future__ import annotations

import itertools
import math
import string
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Indices: TypeAlias = "frozenset[str]"
State: TypeAlias = "tuple[Indices, ...]"

MOST_OPERANDS = 8
"""The most operands that an order is searched for; the search grows faster than exponentially."""


def optimized_count(equation: str, shapes: Sequence[Sequence[int]]) -> int:
    """Return the figure that NumPy prints as the "optimized FLOP count" of an einsum.

    Raises:
        ValueError: The equation doesn't fit the shapes, or has too many operands.
    """
    operands, result = parse(equation, [len(shape) for shape in shapes])
    sizes = index_sizes(operands, shapes)
    return int(float(f"{_cost(operands, result, sizes) + 1:.3e}"))


def parse(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Split an equation into the indices of each operand and of the result.

    ``...`` represents the leading axes of an operand that have no letter, aligned at the last of them. A
    result that is not written has the letters that occur once, in alphabetical order.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"{equation!r} has {len(terms)} operands, {len(ranks)} are given")
    spare = [c for c in string.ascii_letters if c not in equation]
    lead = max((r - len(t.replace("...", "")) for t, r in zip(terms, ranks, strict=True)), default=0)
    broad = "".join(spare[: max(lead, 0)]) if "..." in left else ""
    operands = []
    for term, rank in zip(terms, ranks, strict=True):
        wide = rank - len(term.replace("...", "")) if "..." in term else 0
        written = term.replace("...", broad[len(broad) - wide :] if wide > 0 else "")
        if len(written) != rank:
            raise ValueError(f"{term!r} in {equation!r} has {len(written)} axes, its operand {rank}")
        operands.append(written)
    if arrow:
        return operands, right.replace("...", broad)
    joined = "".join(operands)
    once = sorted(c for c in set(joined) - set(broad) if joined.count(c) == 1)
    return operands, broad + "".join(once)


def index_sizes(operands: Sequence[str], shapes: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return the size of each index; one of size 1 in some operand is stretched to the others'."""
    sizes: dict[str, int] = {}
    for term, shape in zip(operands, shapes, strict=True):
        for index, size in zip(term, shape, strict=True):
            sizes[index] = max(sizes.get(index, 1), size)
    return sizes


def renamed(equation: str) -> str:
    """Return an equation with its letters renamed to a, b, c ... in the order in which they appear."""
    letters = dict.fromkeys(c for c in equation if c.isalpha())
    names = {ord(old): new for old, new in zip(letters, string.ascii_lowercase, strict=False)}
    return equation.replace(" ", "").translate(names)


def _cost(operands: Sequence[str], result: str, sizes: Mapping[str, int]) -> int:
    start: State = tuple(frozenset(term) for term in operands)
    kept = frozenset(result)
    if len(start) <= 2 or frozenset().union(*start) == kept:
        return _step(start, (), kept, sizes)[0]
    if len(start) > MOST_OPERANDS:
        raise ValueError(f"an einsum of {len(start)} operands; at most {MOST_OPERANDS} are ordered")
    limit = max(_volume(indices, sizes) for indices in (*operands, result))
    return _search(start, kept, sizes, limit)


def _search(start: State, kept: Indices, sizes: Mapping[str, int], limit: int) -> int:
    """Contract two operands at a time, keeping for each set of intermediates the cheapest way there."""
    found: dict[State, int] = {start: 0}
    for _ in range(len(start) - 1):
        further: dict[State, int] = {}
        for state, cost in found.items():
            for i, j in itertools.combinations(range(len(state)), 2):
                rest = tuple(s for k, s in enumerate(state) if k not in (i, j))
                price, made = _step((state[i], state[j]), rest, kept, sizes)
                if _volume(made, sizes) <= limit:
                    after = tuple(sorted((*rest, made), key=sorted))
                    further[after] = min(cost + price, further.get(after, cost + price))
        if not further:
            state, cost = min(found.items(), key=lambda item: item[1])
            return cost + _step(state, (), kept, sizes)[0]
        found = further
    return min(found.values())


def _step(
    taken: Iterable[Indices], rest: Iterable[Indices], kept: Indices, sizes: Mapping[str, int]
) -> tuple[int, Indices]:
    """Return the cost of contracting some operands, and the indices of the result."""
    operands = tuple(taken)
    joined = frozenset().union(*operands)
    made = joined & kept.union(*rest)
    factor = max(1, len(operands) - 1) + (1 if joined - made else 0)
    return _volume(joined, sizes) * factor, made


def _volume(indices: Iterable[str], sizes: Mapping[str, int]) -> int:
    return math.prod(sizes[index] for index in indices)
