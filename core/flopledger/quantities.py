"""Figures and limits as people write them: 4.1G, 26M, 0.5%."""

from __future__ import annotations

import re
from fractions import Fraction

from flopledger.errors import UsageError, shown
from flopledger.records import dataclass

SCALES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12, "P": 10**15}
"""Powers of 1000, both in figures and in limits."""
LONGEST_NUMBER = 200
"""The longest text that is read as a number; Python refuses to read one of over 4,300 digits."""
UNITS = {
    **dict.fromkeys(("mac", "macc", "madd", "mult-add", "multiply-add", "multiply-accumulate"), "MAC"),
    **dict.fromkeys(("flop", "op", "operation"), "FLOP"),
    **dict.fromkeys(("param", "parameter", "weight"), "params"),
}
"""The units that figures are published in, in the singular, and ours."""
_UNIT = "|".join(UNITS).replace("-", "[ -]?")
_FIGURE = re.compile(
    rf"([0-9][0-9,_]*)(?:\.([0-9]+))?(?:e\+?([0-9]{{1,2}}))?\s*([KMGBTP]?)[\s-]*((?:{_UNIT})s?)?\Z",
    re.IGNORECASE,
)
_BYTES = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGTP])(i?))?B?\Z", re.IGNORECASE)
SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(%?)\Z")
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was published: its text, the range of counts that round to it, and its unit, if any."""

    text: str
    low: Fraction
    high: Fraction
    unit: str = ""

    @property
    def middle(self) -> Fraction:
        """The count that the text gives."""
        return (self.low + self.high) / 2


def parse_figure(text: str) -> Figure:
    """Read a figure such as ``4.09G``, ``0.75GMAC``, ``25.6 M params`` or ``4,089,184,256``.

    A figure represents all counts that round to it at its precision; a whole number without a scale
    represents itself.

    Raises:
        UsageError: The text is no figure.
    """
    found = _FIGURE.match(text.strip()) if len(text) <= LONGEST_NUMBER else None
    if found is None:
        raise UsageError(
            f"{shown(text)} is not a figure; expected a number such as 4.09G, 0.75GMAC, 1.5 GFLOPs or 26M"
        )
    whole, decimals, exponent, scale, word = found.groups()
    digits = whole.replace(",", "").replace("_", "")
    unit = Fraction(SCALES[scale.upper()]) * Fraction(10) ** int(exponent or 0)
    value = Fraction(f"{digits}.{decimals}" if decimals else digits) * unit
    half = unit / 10 ** len(decimals or "") / 2 if unit != 1 or decimals else Fraction(0)
    return Figure(text, value - half, value + half, _unit(word))


def is_figure(text: str) -> bool:
    """Return whether a text is a figure: unlike the convention 2mac it has a point or a scale."""
    if text.lower().startswith(("2mac", "6nd")):
        return False
    try:
        parse_figure(text)
    except UsageError:
        return False
    return True


def _unit(word: str | None) -> str:
    """Return our unit for a published one; in a figure of a network FLOPS and FLOPs are both several FLOP."""
    if word is None:
        return ""
    letters = re.sub("[ -]", "", word.lower()).removesuffix("s")
    return next(ours for written, ours in UNITS.items() if written.replace("-", "") == letters)


def parse_limit(text: str, unit: str = "") -> Fraction:
    """Read a limit such as ``4.2G``, ``26M`` or ``0.75GMAC``; a scale is a power of 1000.

    Args:
        text: The limit.
        unit: The unit of the limited figure: a MAC is not a FLOP.

    Raises:
        UsageError: The text is no limit, or one of another unit.
    """
    try:
        found = parse_figure(text)
    except UsageError:
        raise UsageError(
            f"{shown(text)} is not a limit; expected a number such as 4.2G, 0.75GMAC, 26M or 4089184256"
        ) from None
    if unit and found.unit and found.unit != unit:
        raise UsageError(f"{shown(text)} is in {found.unit}, and what it limits is in {unit}")
    return found.middle


def parse_bytes(text: str) -> Fraction:
    """Read a limit in bytes: ``8G`` and ``8GB`` are powers of 1000, ``8GiB`` of 1024.

    Raises:
        UsageError: The text is no number of bytes.
    """
    found = _BYTES.match(text.strip()) if len(text) <= LONGEST_NUMBER else None
    if found is None:
        raise UsageError(f"{shown(text)} is not a number of bytes; expected one such as 8G, 8GB or 8GiB")
    scale, binary = (found[2] or "").upper(), bool(found[3])
    return Fraction(found[1]) * (1024 ** (" KMGTP".index(scale)) if binary else SCALES[scale])


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
