"""Escapes invisible characters in all text for people.

Names come from files that someone else wrote: layers, blobs, conventions, sources. A name may hold an
escape sequence that rewrites the terminal's title or the lines above, a mark that turns the direction of
writing, or a character that takes no room and makes two names look like one. The writers of
:mod:`flopledger.report`, the command line's one way to stdout and stderr, and the messages of
:mod:`flopledger.errors` all call this module; nothing else prints. Escaping is idempotent, so a text may
pass twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00016fe4\U0001d159\U000e0100-\U000e0fff]"
)
"""Characters that Python calls printable although they are invisible: default-ignorables and blanks.

``str.isprintable`` refuses every other control, format, separator, surrogate, private and unassigned
character.
"""


def line(text: str) -> str:
    """Return a text as one line in which every character can be seen, the others as Python's escapes."""
    if text.isprintable() and (text.isascii() or not _IGNORABLE.search(text)):
        return text
    return "".join(c if _visible(c) else c.encode("unicode_escape").decode() for c in text)


def lines(text: str) -> str:
    """Return a text of several lines in which every character but the line feed can be seen."""
    if "\n" not in text:
        return line(text)
    return "\n".join(map(line, text.split("\n")))


def in_json(text: str) -> str:
    """Return a JSON document that means the same, with invisible characters as JSON's escapes.

    Outside its strings JSON holds ASCII alone, and the encoder has escaped the control characters below
    the blank; so the remaining ones are in strings, where an escape means the character.
    """
    return _escaped(text, _utf16)


def in_toml(text: str) -> str:
    """Return a quoted TOML string that means the same, with invisible characters as escapes."""
    return _escaped(text, _scalar)


def _visible(character: str) -> bool:
    return character.isprintable() and not _IGNORABLE.match(character)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if all(map(str.isprintable, text.split("\n"))) and (text.isascii() or not _IGNORABLE.search(text)):
        return text
    return "".join(c if c == "\n" or _visible(c) else escape(c) for c in text)


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _scalar(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
