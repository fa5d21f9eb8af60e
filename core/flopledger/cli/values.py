"""How values on the command line are read: sizes in bytes, times, names, and pairs such as KEY=VALUE."""

from __future__ import annotations

import ast
import math
import re
from fractions import Fraction
from typing import Any

import click

from flopledger.errors import UsageError, nearest, shown

SIZE = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([KMGT]?)(?:I?B)?\Z", re.IGNORECASE)

SCALES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Size(click.ParamType[int]):
    """A number of bytes, with K, M, G or T for powers of 1024."""

    name = "bytes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size such as ``512M``."""
        if isinstance(value, int):
            return value
        match = SIZE.match(str(value))
        if match is None:
            self.fail(
                f"{shown(value)} is not a size; expected a number of bytes, as in 512M or 4G", param, ctx
            )
        return int(Fraction(match[1]) * SCALES[match[2].upper()])


class Name(click.Choice[str]):
    """One of several names; of a wrong one, the nearest is named."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return click's message, with the name that may be meant."""
        message: str = super().get_invalid_choice_message(value, ctx)
        return message.removesuffix(".") + (nearest(str(value), self.choices) or ".")


class Seconds(click.FloatRange):
    """A time in seconds, more than 0 and a finite number; the reading itself checks the upper limit."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a time such as ``90`` or ``0.5``."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{shown(value)} is not a number of seconds, as in 90 or 0.5", param, ctx)
        return found


def pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """Split ``KEY=VALUE`` arguments.

    Raises:
        UsageError: One has no key or no ``=``, or a key is given twice.
    """
    found: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"{option} {pair!r} can't be read; expected KEY=VALUE")
        if key in found:
            raise UsageError(f"{option} {key} is given twice, as {found[key]!r} and {value!r}")
        found[key] = value
    return found


def numbers(option: str, given: tuple[str, ...]) -> dict[str, int]:
    """Split ``NAME=NUMBER`` arguments, the numbers of symbols.

    Raises:
        UsageError: A name is no symbol's, or a number no size.
    """
    if not given:
        return {}
    from flopledger.reading import sizes  # noqa: PLC0415  (the help needs none of it)

    found = pairs(option, given)
    return sizes.checked(
        {name: int(v) if v.isascii() and v.isdigit() and len(v) < 20 else v for name, v in found.items()}
    )


def literals(option: str, given: tuple[str, ...]) -> dict[str, object]:
    """Split ``KEY=VALUE`` arguments; a value is a Python literal, else the text itself."""
    return {key: _literal(value) for key, value in pairs(option, given).items()}


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
