"""Texts about sizes and counts, in which a formula stays one until the text is written.

A page has sliders for symbols, and its texts show what a formula is at their values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims.arithmetic import is_symbolic, text
from flopledger.dims.bounds import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.dims.types import Number, Shape

AGAINST = " against "
"""The word between two figures that differ."""

Phrase: TypeAlias = "str | tuple[str | Number, ...]"
"""Words, or words and figures in their order."""


def parts(phrase: Phrase) -> tuple[str | Number, ...]:
    """Return the words and figures of a phrase."""
    return (phrase,) if isinstance(phrase, str) else phrase


def written(phrase: Phrase) -> str:
    """Return a phrase as one text."""
    return "".join(map(_text, parts(phrase)))


def joined(separator: str, phrases: Iterable[Phrase]) -> tuple[str | Number, ...]:
    """Return several phrases as one."""
    return tuple(part for phrase in phrases for part in (separator, *parts(phrase)))[1:]


def by(sizes: Shape) -> tuple[str | Number, ...]:
    """Return sizes with an ``x`` between them."""
    return joined("x", ((size,) for size in sizes)) or ("none",)


def alternating(phrase: Phrase) -> str | list[str]:
    """Return words at the even places and formulas at the odd ones, or one text where there are none."""
    found = [""]
    for part in parts(phrase):
        if not isinstance(part, str) and is_symbolic(part):
            found += [text(part), ""]
        else:
            found[-1] += _text(part)
    return found if len(found) > 1 else found[0]


def differences(phrase: Phrase) -> list[Number]:
    """Return the differences of the figures on both sides of AGAINST; none where not as many are on each."""
    found = parts(phrase)
    if AGAINST not in found:
        return []
    middle = found.index(AGAINST)
    before, behind = (
        [part for part in some if not isinstance(part, str)] for some in (found[:middle], found[middle:])
    )
    if len(before) != len(behind):
        return []
    return [number(b - a) for a, b in zip(before, behind, strict=True)]


def _text(part: str | Number) -> str:
    return part if isinstance(part, str) else text(part)
