"""Numbers that a computation may hand on: exact, and no larger than any network needs."""

from __future__ import annotations

import math
from fractions import Fraction

from flopledger.dims.arithmetic import (
    extent,
    is_symbolic,
    plain,
)
from flopledger.dims.types import MOST_NODES, Dim, Number, Symbolic
from flopledger.errors import Unbounded, shown
from flopledger.meter import spend

MOST_BITS = 4096
"""The largest whole number that an expression may reach, in bits, with every symbol at 2**63."""


def number(value: object) -> Number:
    """Return a value that is a number, bounded; refuse all else."""
    if isinstance(value, int):
        _check_bits(value.bit_length())
        return int(value)
    if isinstance(value, Fraction):
        _check_bits(max(value.numerator.bit_length(), value.denominator.bit_length()))
        return value.numerator if value.denominator == 1 else value
    if is_symbolic(value):
        return _bounded(value)
    if isinstance(value, float) and math.isfinite(value):
        return number(Fraction(str(value)))
    raise TypeError(f"{shown(value)} is not a number")


def _check_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise Unbounded(f"a number of more than {MOST_BITS} bits")


def _bounded(value: Symbolic) -> Number:
    """Refuse an expression over symbols that is too long or can become too large."""
    bits, nodes = extent(value)
    if nodes > MOST_NODES:
        raise Unbounded(f"an expression over symbols with more than {MOST_NODES} parts")
    _check_bits(bits)
    spend(nodes)
    found = plain(value)
    return number(found) if isinstance(found, int) else found


def whole(value: object) -> Dim:
    """Return a value that is a whole number or an expression over symbols; refuse all else."""
    found = number(value)
    if isinstance(found, Fraction):
        raise TypeError(f"{found} is not a whole number")
    return found
