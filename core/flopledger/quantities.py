"""Figures and limits as people write them: 4.1G, 26M, 0.5%."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from flopledger.errors import UsageError, shown

SCALES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12, "P": 10**15}
"""Powers of 1000, both in figures and in limits."""
LONGEST_NUMBER = 200
"""The longest text that is read as a number; Python refuses to read one of over 4,300 digits."""
_FIGURE = re.compile(
    r"([0-9][0-9,_]*)(?:\.([0-9]+))?(?:e\+?([0-9]{1,2}))?\s*([KMGBTP]?)\s*(?:MACs?|MAdds?|FLOPs?|params?|ops)?\Z",
    re.IGNORECASE,
)
LIMIT = re.compile(r"([0-9][0-9,_]*(?:\.[0-9]+)?(?:e\+?[0-9]{1,2})?)\s*([KMGBTP]?)\Z", re.IGNORECASE)
SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(%?)\Z")
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was published: its text, and the range of counts that round to it."""

    text: str
    low: Fraction
    high: Fraction

    @property
    def middle(self) -> Fraction:
        """The count that the text gives."""
        return (self.low + self.high) / 2


def parse_figure(text: str) -> Figure:
    """Read a figure such as ``4.09G``, ``25.6 M params`` or ``4,089,184,256``.

    A figure represents all counts that round to it at its precision; a whole number without a scale
    represents itself.

    Raises:
        UsageError: The text is no figure.
    """
    found = _FIGURE.match(text.strip()) if len(text) <= LONGEST_NUMBER else None
    if found is None:
        raise UsageError(
            f"{shown(text)} is not a figure; expected a number such as 4.09G, 25.6M or 4089184256"
        )
    whole, decimals, exponent, scale = found.groups()
    digits = whole.replace(",", "").replace("_", "")
    unit = Fraction(SCALES[scale.upper()]) * Fraction(10) ** int(exponent or 0)
    value = Fraction(f"{digits}.{decimals}" if decimals else digits) * unit
    half = unit / 10 ** len(decimals or "") / 2 if unit != 1 or decimals else Fraction(0)
    return Figure(text, value - half, value + half)


def parse_limit(text: str) -> Fraction:
    """Read a limit such as ``4.2G``, ``26M`` or ``4,089,184,256``; a scale is a power of 1000.

    Raises:
        UsageError: The text is no limit.
    """
    found = LIMIT.match(text.strip()) if len(text) <= LONGEST_NUMBER else None
    if found is None:
        raise UsageError(f"{shown(text)} is not a limit; expected a number such as 4.2G, 26M or 4089184256")
    return Fraction(found[1].replace(",", "").replace("_", "")) * SCALES[found[2].upper()]


def parse_tolerance(text: str) -> Fraction:
    """Read a tolerance such as ``0.5%`` or ``0.005``, as a share.

    Raises:
        UsageError: The text is no share, or is more than the whole.
    """
    found = SHARE.match(text.strip()) if len(text) <= LONGEST_NUMBER else None
    share = None if found is None else Fraction(found[1]) / (HUNDRED if found[2] else 1)
    if share is None or share > 1:
        raise UsageError(f"{shown(text)} is not a tolerance; expected a share such as 0.5% or 0.005")
    return share
