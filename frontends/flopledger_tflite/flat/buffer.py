"""Reads the tables of a flat buffer where they lie. Nothing is copied, and nothing recurses.

Source: flatbuffers.dev/internals. A table begins with the distance back to its vtable, which lists where in
the table each field lies, 0 for one that has its default. Vectors, texts and inner tables lie behind the
field that names them, at the distance that it holds.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NoReturn

from flopledger.frontend import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

MOST_READ = 30_000_000
"""The most fields that are read of a file. Several entries may name one table, so that a file can hold far
more of them than it has bytes. An operator with its tensors takes a few hundred: a number in a vector and
eight bytes of a text, which are kept, count as four."""
_NUMBER = 4

_INT, _UNSIGNED, _SHORT = struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<H")
_WIDTHS = {"b": 1, "B": 1, "?": 1, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}
LONGEST_TEXT = 1 << 16


class Flat:
    """The bytes of a file, and how much may still be read of them."""

    __slots__ = ("data", "left", "size")

    def __init__(self, data: mmap | bytes) -> None:
        self.data, self.size, self.left = data, len(data), MOST_READ

    def root(self) -> Table:
        """Return the table that is the whole file."""
        return Table(self, self.follow(0))

    def spend(self, number: int, at: int) -> None:
        """Take from the bytes that may still be read."""
        self.left -= number
        if self.left < 0:
            self.wrong(at, f"it has more than {MOST_READ:,} fields")

    def number(self, form: struct.Struct, at: int) -> int:
        """Read a whole number."""
        if not 0 <= at <= self.size - form.size:
            self.wrong(at, f"the file ends at byte {self.size:,}")
        found: int = form.unpack_from(self.data, at)[0]
        return found

    def follow(self, at: int) -> int:
        """Return the place that the distance at a place leads to."""
        return at + self.number(_UNSIGNED, at)

    def vector(self, at: int, width: int) -> tuple[int, int]:
        """Return where the entries of a vector begin, and how many there are."""
        count = self.number(_UNSIGNED, at)
        if at + 4 + count * width > self.size:
            self.wrong(at, f"{count:,} entries of {width} bytes go on beyond the end of the file")
        return at + 4, count

    def wrong(self, at: int, reason: str) -> NoReturn:
        """Raise the error for bytes that are no flat buffer."""
        raise SourceError(f"it is no TFLite model: at byte {at:,}: {reason}")


class Table:
    """One table. Fields go by their number in the schema."""

    __slots__ = ("_at", "_length", "_vtable", "flat")

    def __init__(self, flat: Flat, at: int) -> None:
        flat.spend(1, at)
        self.flat, self._at = flat, at
        self._vtable = at - flat.number(_INT, at)
        self._length = flat.number(_SHORT, self._vtable)

    def _place(self, field: int) -> int:
        """Return where a field lies, 0 where it is left out."""
        self.flat.spend(1, self._at)
        entry = 4 + 2 * field
        if entry + 2 > self._length:
            return 0
        offset = self.flat.number(_SHORT, self._vtable + entry)
        return self._at + offset if offset else 0

    def whole(self, field: int, code: str, default: int = 0) -> int:
        """Read a whole number; ``code`` is its type, as the module ``struct`` names it."""
        at = self._place(field)
        return self.flat.number(struct.Struct(f"<{code}"), at) if at else default

    def real(self, field: int, default: float = 0.0) -> float:
        """Read a number of 32 bits."""
        at = self._place(field)
        return float(self.flat.number(struct.Struct("<f"), at)) if at else default

    def table(self, field: int) -> Table | None:
        """Return the table of a field."""
        at = self._place(field)
        return Table(self.flat, self.flat.follow(at)) if at else None

    def span(self, field: int, width: int = 1) -> tuple[int, int] | None:
        """Return where a vector's entries begin and how many there are, None where there is no vector."""
        at = self._place(field)
        return self.flat.vector(self.flat.follow(at), width) if at else None

    def numbers(self, field: int, code: str) -> tuple[int, ...] | None:
        """Read a vector of numbers."""
        found = self.span(field, _WIDTHS[code])
        if found is None:
            return None
        start, count = found
        self.flat.spend(_NUMBER * count, start)
        return struct.unpack_from(f"<{count}{code}", self.flat.data, start)

    def text(self, field: int) -> str:
        """Read a text, the first part of a very long one; empty where there is none."""
        found = self.span(field)
        if found is None:
            return ""
        start, count = found
        content = self.flat.data[start : start + min(count, LONGEST_TEXT)]
        self.flat.spend(len(content) // 2, start)
        return content.decode("utf-8", "replace")

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        start, count = self.span(field, 4) or (0, 0)
        for at in range(start, start + 4 * count, 4):
            yield Table(self.flat, self.flat.follow(at))
