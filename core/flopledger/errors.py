"""Every exception that flopledger raises.

A message states what was found, what was expected and what to do. Only the command line turns an
exception into text and an exit code; a library caller catches :class:`FlopledgerError`.
"""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

from flopledger import printable

if TYPE_CHECKING:
    from collections.abc import Iterable


LONGEST_NAME = 60
"""Longer names have no near ones: comparing them takes too long."""
MOST_NAMES = 2_000
"""How many names are compared."""


class FlopledgerError(Exception):
    """The base of every error that flopledger raises on purpose; each argument is a line of its message."""

    def __str__(self) -> str:
        """Return the message; invisible characters of names in it, line feeds too, are escaped."""
        return "\n".join(printable.line(str(line)) for line in self.args)


class UsageError(FlopledgerError, ValueError):
    """An option, an input spec or a combination of them can't be used."""


class ConventionError(FlopledgerError, ValueError):
    """A convention is unknown, malformed, or can't be applied to this network."""


class ProfileMismatch(ConventionError):  # noqa: N818  (the name is part of the public contract)
    """A graph was read under another profile than the convention needs."""


class ExpressionError(FlopledgerError, ValueError):
    """An expression is malformed, forbidden, or has no value for this call."""


class Unbounded(FlopledgerError, OverflowError):  # noqa: N818  (it describes the number)
    """A number, an expression or a calculation grew beyond the needs of any network."""


class SourceError(FlopledgerError, ValueError):
    """A source is missing, malformed, or can't be read."""


class GraphError(SourceError):
    """A graph breaks its own rules: an unknown id, a wrong attribute, an impossible shape."""


class ShapeError(GraphError):
    """A kind's shape rule has no output shape for these inputs and attributes."""


class PluginError(FlopledgerError, RuntimeError):
    """A frontend plugin can't be loaded, or clashes with another."""


class OutputError(FlopledgerError, OSError):
    """A result can't be written."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name closest to ``name``, or nothing."""
    match = near_names(name, known)
    return f"; did you mean {match[0]!r}?" if match else ""


def choices(name: str, known: Iterable[str], listing: str = "there are") -> str:
    """Return the known name closest to ``name``, if one is close, and then all of them, as a message ends."""
    names = list(known)
    near, listed = nearest(name, names), f"{listing} {', '.join(names)}"
    return f"{near} {listed[0].upper()}{listed[1:]}" if near else f"; {listed}"


def near_names(name: str, known: Iterable[str], alike: float = 0.5) -> list[str]:
    """Return the known name that is spelled most like ``name``, in any case; none where all differ.

    ``alike`` is how much of the two has to be the same, 1 for all.
    """
    if len(name) > LONGEST_NAME:
        return []
    import difflib  # noqa: PLC0415  (only a message needs it)

    short = {other.lower(): other for other in sorted(known) if len(other) <= LONGEST_NAME}
    compared = list(short)[:MOST_NAMES]
    return [short[match] for match in difflib.get_close_matches(name.lower(), compared, n=1, cutoff=alike)]


def of_type(value: object) -> str:
    """Name a value by its type, for a message: ``an int``, ``None``."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def shown(value: object) -> str:
    """Write a value for a message; a long or deep one only in part."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = LONGEST_NAME
