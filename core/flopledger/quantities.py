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
_NUMBER = r"([0-9][0-9,_]*)(?:\.([0-9]+))?"
"""A number, whose commas :func:`_number` judges."""
_FIGURE = re.compile(
    rf"{_NUMBER}(?:e\+?([0-9]{{1,2}}))?\s*([KMGBTP]?)[\s-]*((?:{_UNIT})s?)?\Z", re.IGNORECASE
)
_BYTES = re.compile(rf"{_NUMBER}\s*(?:([KMGTP])(i?))?B?\Z", re.IGNORECASE)
SHARE = re.compile(rf"{_NUMBER}\s*(%?)\Z")
HUNDRED = 100
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+\Z")
"""A whole number with a comma before every three digits."""


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
    unit = Fraction(SCALES[scale.upper()]) * Fraction(10) ** int(exponent or 0)
    value = _number(text, whole, decimals, scaled=unit != 1) * unit
    half = unit / 10 ** len(decimals or "") / 2 if unit != 1 or decimals else Fraction(0)
    return Figure(text, value - half, value + half, _unit(word))


def _number(text: str, whole: str, decimals: str | None, *, scaled: bool = False) -> Fraction:
    """Return the number that a text starts with; commas may only part all its groups of three digits.

    Many languages write a comma where we write a point. Taken for a separator it would multiply the number
    by a power of ten, so that whatever may be meant as a point is refused.

    Args:
        text: The text, for the message.
        whole: The number up to its point.
        decimals: The digits after it, if it has one.
        scaled: Whether a scale follows: 4,100G may be 4.1G, and 4,100 can't be 4.1, which counts nothing.

    Raises:
        UsageError: A comma is somewhere else, or may be a point.
    """
    grouped = _GROUPED.match(whole) is not None
    if "," in whole and (not grouped or (scaled and decimals is None and whole.count(",") == 1)):
        rest = text.strip()[len(whole) :]
        meant = [whole.replace(",", ".") + rest] if whole.count(",") == 1 and decimals is None else []
        meant += [whole.replace(",", "") + rest] if grouped else []
        expected = f"did you mean {' or '.join(meant)}?" if meant else "a decimal point is written as in 4.1G"
        raise UsageError(
            f"{shown(text)}: commas part groups of three digits, as in 4,089,184,256; {expected}"
        )
    return Fraction(f"{whole.replace(',', '').replace('_', '')}.{decimals or 0}")


def is_figure(text: str) -> bool:
    """Return whether a text is meant as a figure: unlike the convention 2mac it has a point or a scale."""
    return (
        not text.lower().startswith(("2mac", "6nd"))
        and len(text) <= LONGEST_NUMBER
        and _FIGURE.match(text.strip()) is not None
    )


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
    if not _FIGURE.match(text.strip()[:LONGEST_NUMBER]):
        raise UsageError(
            f"{shown(text)} is not a limit; expected a number such as 4.2G, 0.75GMAC, 26M or 4089184256"
        )
    found = parse_figure(text)
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
    scale, binary = (found[3] or "").upper(), bool(found[4])
    return _number(text, found[1], found[2], scaled=bool(scale)) * (
        1024 ** (" KMGTP".index(scale)) if binary else SCALES[scale]
    )


def parse_tolerance(text: str) -> Fraction:
    """Read a tolerance such as ``0.5%`` or ``0.005``, as a share.

    Raises:
        UsageError: The text is no share, or is more than the whole.
    """
    found = SHARE.match(text.strip()) if len(text) <= LONGEST_NUMBER else None
    number = None if found is None else _number(text, found[1], found[2], scaled=True)
    share = None if found is None or number is None else number / (HUNDRED if found[3] else 1)
    if share is None or share > 1:
        raise UsageError(f"{shown(text)} is not a tolerance; expected a share such as 0.5% or 0.005")
    return share
