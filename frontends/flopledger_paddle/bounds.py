"""Bounds on a saved program, checked before Paddle reads it.

Paddle's parsers are native code that makes an object of each message, of which the smallest takes two bytes
of a file and some two hundred of memory. Programs are data: Paddle translates them into its own form and
runs nothing of them, and of the parameters beside a program no file is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import SourceError, bounded, input_files

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1 << 27
"""The most bytes of a program; one of a thousand ops takes a million."""
MOST_VALUES = 1 << 22
"""The most values in a program's JSON, and messages in one of the older form; an op takes some 30 to 60."""

_WITHIN: dict[str, dict[int, str]] = {
    "program": {1: "block", 5: "versions"},
    "block": {3: "variable", 4: "op"},
    "variable": {2: "type"},
    "type": {5: "plain"},
    "op": {1: "plain", 2: "plain", 4: "plain"},
    "versions": {},
    "plain": {},
}
"""The fields that are messages whose fields become objects, by their numbers in Paddle's framework.proto.

The others are texts, which may look like messages and are none (a variable's name is its field 1, and an
operator's inputs are), and messages of which each has a few.
"""
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""The wire types of protobuf's encoding; groups (3 and 4), which Paddle never writes, are refused."""


def json_text(path: Path) -> str:
    """Return a program that Paddle 3 has saved as JSON, checked.

    Raises:
        SourceError: It is no JSON, or too large.
    """
    written = bounded.text_of(path, MOST_BYTES)
    bounded.json_of(written, str(path), most=MOST_VALUES)
    return written


def message(path: Path) -> bytes:
    """Return a program in the older, binary form.

    Raises:
        SourceError: It can't be read, is malformed, or too large.
    """
    try:
        content = input_files.read_bytes(path, MOST_BYTES)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror}") from None
    if _messages(content, path) > MOST_VALUES:
        raise SourceError(f"{path}: it holds more than {MOST_VALUES} messages, more than any program")
    return content


def _messages(content: bytes, path: Path) -> int:
    """Count the messages in a program, and no more than are allowed."""
    waiting = [(0, len(content), "program")]
    found = 0
    while waiting and found <= MOST_VALUES:
        at, end, what = waiting.pop()
        while at < end and found <= MOST_VALUES:
            key, at = _varint(content, at, end, path)
            size, at = _size(content, at, end, key & 7, path)
            found += 1
            if key & 7 == _LENGTH and key >> 3 in _WITHIN[what]:
                waiting.append((at, at + size, _WITHIN[what][key >> 3]))
            at += size
        if at > end:
            raise _malformed(path)
    return found


def _size(content: bytes, at: int, end: int, wire: int, path: Path) -> tuple[int, int]:
    """Return how many bytes a field's value has, and where it begins."""
    if wire == _VARINT:
        _, after = _varint(content, at, end, path)
        return 0, after
    if wire == _LENGTH:
        return _varint(content, at, end, path)
    if wire in (_FIXED64, _FIXED32):
        return (8 if wire == _FIXED64 else 4), at
    raise _malformed(path)


def _varint(content: bytes, at: int, end: int, path: Path) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _malformed(path)


def _malformed(path: Path) -> SourceError:
    return SourceError(f"{path}: it is no inference program: its messages don't fit into each other")
