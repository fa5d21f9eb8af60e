"""Figures, shapes and shares as people read them."""

from __future__ import annotations

import unicodedata
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import is_symbolic, readable, symbol_names, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.dims.types import Number, Shape

PREFIXES = ((10**18, "E"), (10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
BEYOND = 10**300
"""The bound above which no double exists."""
EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"
BAR_CELLS = 10


def grouped(value: Number) -> str:
    """Write a count in full, its digits in groups of three."""
    if isinstance(value, Fraction):
        return f"{value.numerator:,}/{value.denominator:,}"
    return text(value) if is_symbolic(value) else f"{value:,}"


def scaled(value: Number, unit: str = "") -> str:
    """Write a count with four digits and a prefix, as in ``724.4 MMAC``; nothing below a thousand.

    A count without a unit is one of parameters, whose thousand millions are written B: ``1.5 B``.
    """
    if not isinstance(value, (int, Fraction)):
        return ""
    if not -BEYOND < value < BEYOND:
        return ""
    for scale, prefix in PREFIXES:
        if value * 100_000 >= 99_995 * scale:
            letter = "B" if prefix == "G" and not unit else prefix
            return f"{float(Fraction(value) / scale):.4g} {letter}{unit}"
    return ""


SECONDS = ((1, "s"), (10**3, "ms"), (10**6, "us"), (10**9, "ns"), (10**12, "ps"))


def seconds(value: Fraction) -> str:
    """Write a time with four digits in the unit that gives it one to three before the point."""
    for scale, unit in SECONDS:
        if value * scale >= 1:
            return f"{float(value * scale):,.4g} {unit}"
    return "0 s" if not value else f"{float(value):.4g} s"


def in_words(value: Number, unit: str = "") -> str:
    """Write a count in full, and again with a prefix: ``724,406,816 MAC = 724.4 MMAC``.

    An expression is followed by the definitions of the names in it.
    """
    if is_symbolic(value):
        written, names = readable(value)
        where = ", ".join(f"{name} = {size}" for name, size in names.items())
        return f"{written} {unit}".rstrip() + (f" where {where}" if where else "")
    short = scaled(value, unit)
    return f"{grouped(value)} {unit}".rstrip() + (f" = {short}" if short else "")


def at_least(value: Number, unit: str, unknown_calls: int) -> str:
    """Write operations in words; where calls are unknown, as ``at least 163,840 MAC (1 call unknown)``."""
    written = in_words(value, unit)
    if not unknown_calls:
        return written
    exact = f"{readable(value)[0] if is_symbolic(value) else grouped(value)} {unit}"
    return f"at least {exact} ({calls_text(unknown_calls)} unknown){written.removeprefix(exact)}"


def calls_text(number: int) -> str:
    """Write how many calls there are."""
    return "1 call" if number == 1 else f"{number:,} calls"


def shape_text(shape: Shape | None) -> str:
    """Write a shape as ``1x3x224x224``; ``scalar`` for no axes, ``?`` where it is not known."""
    if shape is None:
        return "?"
    return "x".join(_factor(text(dim)) for dim in shape) or "scalar"


def _factor(written: str) -> str:
    return f"({written})" if " " in written or "*" in written else written


def shapes_text(shapes: Iterable[Shape | None]) -> str:
    """Write several shapes, separated by commas."""
    return ", ".join(map(shape_text, shapes))


def share_of(count: Number, whole: Number) -> Fraction | None:
    """Return the share of a total, exactly; None where symbols or a total of zero leave it open."""
    if isinstance(count, (int, Fraction)) and isinstance(whole, (int, Fraction)):
        return Fraction(count) / Fraction(whole) if whole else None
    if not is_symbolic(whole):
        return None
    quotient = count / whole
    return None if symbol_names(quotient) else Fraction(text(quotient))


def percent(share: Fraction | None) -> str:
    """Write a share in percent with one decimal."""
    return "" if share is None or abs(share) >= BEYOND else f"{float(100 * share):.1f}%"


def bar(share: Fraction | None) -> str:
    """Draw a share as a bar of at most ten characters, exact to an eighth of one."""
    eighths = 0 if share is None else round(min(max(share, Fraction(0)), Fraction(1)) * BAR_CELLS * 8)
    return FULL * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def width_of(written: str) -> int:
    """Return how many columns a text takes on a terminal; ideographs take two."""
    if written.isascii():
        return len(written)
    return sum(_columns(character) for character in written)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
