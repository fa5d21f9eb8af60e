"""Reads a message, and all below it, out of bytes. Nothing recurses on the contents of a file.

Source: protobuf.dev/programming-guides/encoding. A field is a tag (its number and wire type) and a
value; a message that is not repeated and comes twice is merged, a value is replaced by the later one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NoReturn

from flopledger.frontend import SourceError

from flopledger_onnx.wire.fields import BYTES, FIELDS, FLOAT, INT, MESSAGE, SPAN, Field
from flopledger_onnx.wire.messages import Model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from mmap import mmap

    from flopledger_onnx.wire.fields import Fields

DEEPEST = 200
"""The maximum nesting of messages. A graph in a node takes three levels; exporters write at most
a handful of graphs in graphs, and protobuf's own readers refuse more than 100 levels."""
MOST_FIELDS = 6_000_000
"""The most fields of a file, each number of a list counted too: a node with its names takes about ten, so
that this is half a million nodes. Larger files are large by their weights, which are one field each."""

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_COUNTED = (_LEN, _VARINT)
"""The wire types that begin with a number of seven bits a byte."""
_FIXED = {_I64: 8, _I32: 4}
"""The bytes of a value of a fixed size."""


class Parser:
    """The bytes of a file, or of a part of one, and how many fields may still be read from them."""

    __slots__ = ("data", "left")

    def __init__(self, data: mmap | bytes) -> None:
        self.data, self.left = data, MOST_FIELDS

    def model(self) -> Model:
        """Read a model.

        Raises:
            SourceError: The bytes are not a message, or nest or repeat beyond the needs of a model.
        """
        model = Model()
        open_messages: list[tuple[object, int]] = [(model, len(self.data))]
        at = 0
        while open_messages:
            message, end = open_messages.pop()
            at, found = self._message(message, at, end)
            if found is not None:
                open_messages += [(message, end), found]
                if len(open_messages) > DEEPEST:
                    self._wrong(at, f"messages are nested more than {DEEPEST} deep")
        return model

    def _message(self, message: object, at: int, end: int) -> tuple[int, tuple[object, int] | None]:
        """Read fields up to the end, or up to a message: where it begins, it, and where it ends."""
        fields: Fields = FIELDS[type(message)]
        data, varint = self.data, self._varint
        while at < end:
            self.left -= 1
            if self.left < 0:
                self._wrong(at, f"it has more than {MOST_FIELDS:,} fields")
            tag = data[at]
            at += 1
            if tag > 127:
                tag, at = varint(at - 1, end)
            wire = tag & 7
            start, value = at, 0
            if wire in _COUNTED:
                # Nearly all numbers and lengths are below 128, one byte.
                value, behind = (data[at], at + 1) if at < end and data[at] < 128 else varint(at, end)
                start, at = (behind, behind + value) if wire == _LEN else (at, behind)
            elif wire in _FIXED:
                at += _FIXED[wire]
            else:
                self._wrong(start, f"there is no wire type {wire}")
            if at > end:
                self._wrong(start, f"a field of {at - start:,} bytes goes on beyond the end of its message")
            field = fields.get(tag >> 3)
            if field is None:
                continue
            if field.form == MESSAGE:
                if wire != _LEN:
                    self._wrong(start, f"the field {field.name!r} is no message")
                below = _below(message, field)
                if not field.flat:
                    return start, (below, at)
                self._message(below, start, at)
                continue
            self._store(message, field, wire, (start, at), value)
        return at, None

    def _store(self, message: object, field: Field, wire: int, span: tuple[int, int], value: int) -> None:
        """Put a value into its message."""
        form = field.form
        if form == SPAN:
            found: object = span
        elif form == INT:
            if wire == _LEN and field.many:
                _list(message, field).extend(self._numbers(span))
                return
            if wire != _VARINT:
                self._wrong(span[0], f"the field {field.name!r} is no whole number")
            found = signed(value)
        elif form == FLOAT:
            count = (span[1] - span[0]) // 4
            if wire not in (_I32, _LEN) or (wire == _LEN and not field.many):
                self._wrong(span[0], f"the field {field.name!r} is no number")
            self.left -= count
            floats = struct.unpack(f"<{count}f", self.data[span[0] : span[0] + 4 * count])
            if field.many:
                _list(message, field).extend(floats)
                return
            found = floats[0]
        else:
            if wire != _LEN:
                self._wrong(span[0], f"the field {field.name!r} is no text")
            text = self.data[span[0] : span[1]]
            found = text if form == BYTES else text.decode("utf-8", "replace")
        if field.many:
            _list(message, field).append(found)
        else:
            setattr(message, field.name, found)

    def _numbers(self, span: tuple[int, int]) -> list[int]:
        """Read whole numbers that are packed into one field."""
        at, end = span
        found = []
        while at < end:
            self.left -= 1
            if self.left < 0:
                self._wrong(at, f"it has more than {MOST_FIELDS:,} fields")
            value, at = self._varint(at, end)
            found.append(signed(value))
        return found

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """Read a number of seven bits a byte, the lowest first, and return it and where it ends."""
        data = self.data
        if at >= end:
            self._wrong(at, "it ends within a field")
        byte = data[at]
        if byte < 128:
            return byte, at + 1
        value, shift = byte & 127, 7
        for place in range(at + 1, min(at + 10, end)):
            byte = data[place]
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFF_FFFF_FFFF_FFFF, place + 1
            shift += 7
        return self._wrong(at, "a number has no end")

    def varints(self, spans: Sequence[tuple[int, int]]) -> list[int]:
        """Read the whole numbers of fields whose places alone were kept."""
        return [number for span in spans for number in self._numbers(span)]

    def _wrong(self, at: int, reason: str) -> NoReturn:
        raise SourceError(f"it is no ONNX model: at byte {at:,}: {reason}")


def _below(message: object, field: Field) -> object:
    """Return the message that a field's bytes are read into: a new one, or the one that is there."""
    if field.many:
        found = field.message()
        _list(message, field).append(found)
        return found
    found = getattr(message, field.name)
    if found is None:
        found = field.message()
        setattr(message, field.name, found)
    return found


def _list(message: object, field: Field) -> list[object]:
    """Return the values so far of a field that may come many times."""
    found: list[object] | tuple[()] = getattr(message, field.name)
    if not isinstance(found, list):
        found = []
        setattr(message, field.name, found)
    return found


def signed(value: int) -> int:
    """Return the number that 64 bits represent in two's complement."""
    return value - (1 << 64) if value >> 63 else value
