"""A message of protobuf text, and typed views of its fields."""

from __future__ import annotations

import bisect
import enum
import functools
import math
import re
from typing import TYPE_CHECKING, NamedTuple

from flopledger.frontend import SourceError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UINT32 = (0, 2**32 - 1)
INT32 = (-(2**31), 2**31 - 1)

_WHOLE = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+)\Z")
_REAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[fF]?\Z")
_LONGEST = 40
_EXACT = 2**53
_SIMILAR = 0.8
_FLAGS = {
    "true": True,
    "True": True,
    "t": True,
    "1": True,
    "false": False,
    "False": False,
    "f": False,
    "0": False,
}


class ForeignError(SourceError):
    """A word or a number of tops that upstream Caffe's layer does not have, and a fork's may."""


class Document:
    """A text, its name, and where its lines begin."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    @functools.cached_property
    def _breaks(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]

    def line(self, offset: int) -> int:
        """Return the line of an offset; the first is 1."""
        return bisect.bisect_left(self._breaks, offset) + 1

    def error(self, offset: int, message: str) -> SourceError:
        """Return an error that starts with file, line and column."""
        line = self.line(offset)
        start = self._breaks[line - 2] + 1 if line > 1 else 0
        return SourceError(f"{self.name}:{line}:{offset - start + 1}: {message}")


class Form(enum.StrEnum):
    """How a value is written."""

    WORD = "word"
    NUMBER = "number"
    STRING = "string"
    MESSAGE = "message"


class Field(NamedTuple):
    """One field: its key, how its value is written, the value, and where."""

    key: str
    form: Form
    value: str | Message
    offset: int

    @property
    def shown(self) -> str:
        """The value as errors show it, a long one only in part."""
        if isinstance(self.value, Message):
            return "{ ... }"
        text = self.value if len(self.value) <= _LONGEST else self.value[: _LONGEST - 3] + "..."
        return f'"{text}"' if self.form is Form.STRING else text


class Message:
    """Fields in order. The getters read one by name, and refuse a value of the wrong type.

    Every getter but the plural ones refuses a field that is given twice, as protobuf does.
    """

    __slots__ = ("_index", "asked", "document", "fields", "name", "offset")

    def __init__(self, document: Document, offset: int, name: str = "the file") -> None:
        self.document, self.offset, self.name = document, offset, name
        self.fields: list[Field] = []
        self.asked: set[str] | None = None
        self._index: dict[str, list[Field]] | None = None

    @property
    def line(self) -> int:
        """The line that it starts in."""
        return self.document.line(self.offset)

    def error(self, message: str, field: Field | None = None) -> SourceError:
        """Return an error at one of its fields, or at its start."""
        return self.document.error(self.offset if field is None else field.offset, message)

    def all(self, key: str) -> Sequence[Field]:
        """Return the fields of that name, in order; ``asked`` records that the name has a meaning."""
        if self.asked is not None:
            self.asked.add(key)
        index = self._index
        if index is None:
            index = self._index = {}
            for field in self.fields:
                index.setdefault(field.key, []).append(field)
        return index.get(key, ())

    def __contains__(self, key: str) -> bool:
        return bool(self.all(key))

    def refuse_slip(self, key: str, known: Iterable[str]) -> None:
        """Refuse a field without meaning whose name is nearly that of one with a meaning."""
        import difflib  # noqa: PLC0415  (only a file with a field of no meaning needs it)

        if difflib.get_close_matches(key, known, n=1, cutoff=_SIMILAR):
            field = self.all(key)[0]
            raise self.error(f"{self.name} has no field {key!r}{nearest(key, known)}", field)

    def one(self, key: str) -> Field | None:
        """Return the field of that name, if it is there."""
        fields = self.all(key)
        if len(fields) > 1:
            first = self.document.line(fields[0].offset)
            raise self.error(
                f"{key} is given twice in {self.name}, first in line {first}; it takes one", fields[1]
            )
        return fields[0] if fields else None

    def number(self, key: str, default: int, limits: tuple[int, int] = UINT32) -> int:
        """Read a whole number between two limits, both allowed."""
        field = self.one(key)
        return default if field is None else self._whole(field, limits)

    def numbers(self, key: str, limits: tuple[int, int] = UINT32) -> tuple[int, ...]:
        """Read a repeated whole number."""
        return tuple(self._whole(field, limits) for field in self.all(key))

    def real(self, key: str, default: float) -> float:
        """Read a number; one without a fraction comes as an ``int``."""
        field = self.one(key)
        return default if field is None else self._real(field)

    def reals(self, key: str) -> tuple[float, ...]:
        """Read a repeated number."""
        return tuple(self._real(field) for field in self.all(key))

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        field = self.one(key)
        if field is None:
            return default
        value = _FLAGS.get(str(field.value)) if field.form in (Form.WORD, Form.NUMBER) else None
        if value is None:
            raise self._wrong(field, "true or false")
        return value

    def text(self, key: str, default: str = "") -> str:
        """Read a quoted string."""
        field = self.one(key)
        return default if field is None else self._text(field)

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a repeated quoted string."""
        return tuple(self._text(field) for field in self.all(key))

    def word(self, key: str, words: Mapping[str, int], default: str) -> str:
        """Read one of an enumeration's words; its number represents it too."""
        field = self.one(key)
        if field is None:
            return default
        if field.form is Form.WORD and field.value in words:
            return str(field.value)
        if field.form is Form.NUMBER:
            value = self._whole(field, INT32)
            for word, number in words.items():
                if number == value:
                    return word
        error = self._wrong(field, "one of " + ", ".join(words) + nearest(str(field.value), words))
        raise ForeignError(str(error)) if field.form is Form.WORD else error

    def message(self, key: str) -> Message:
        """Read a message; one that is not there is empty."""
        field = self.one(key)
        return Message(self.document, self.offset, key) if field is None else self._message(field)

    def messages(self, key: str) -> tuple[Message, ...]:
        """Read a repeated message."""
        return tuple(self._message(field) for field in self.all(key))

    def plain(self) -> dict[str, bool | float | str | tuple[bool | float | str, ...]]:
        """Return the fields that are no messages, as they are spelled; a repeated one as a tuple."""
        values: dict[str, list[bool | float | str]] = {}
        for field in self.fields:
            if field.form is not Form.MESSAGE:
                values.setdefault(field.key, []).append(self._spelled(field))
        return {key: tuple(items) if len(items) > 1 else items[0] for key, items in values.items()}

    def spelling(self) -> tuple[object, ...]:
        """Return a key that is equal for messages with equal fields in the same order, wherever they are."""
        return tuple(
            [
                (key, form, value if isinstance(value, str) else value.spelling())
                for key, form, value, _ in self.fields
            ]
        )

    def _spelled(self, field: Field) -> bool | float | str:
        text = str(field.value)
        if field.form is Form.WORD:
            return _FLAGS.get(text, text)
        return self._real(field) if field.form is Form.NUMBER else text

    def _whole(self, field: Field, limits: tuple[int, int]) -> int:
        low, high = limits
        text = str(field.value)
        if field.form is not Form.NUMBER or not _WHOLE.match(text):
            raise self._wrong(field, "a whole number")
        value = _integer(text)
        if value is None or not low <= value <= high:
            raise self._wrong(field, f"a whole number from {low} to {high}")
        return value

    def _real(self, field: Field) -> float:
        text = str(field.value)
        whole = _integer(text) if field.form is Form.NUMBER and _WHOLE.match(text) else None
        if whole is not None:
            return whole
        value = float(text.rstrip("fF")) if field.form is Form.NUMBER and _REAL.match(text) else math.inf
        if not math.isfinite(value):
            raise self._wrong(field, "a number")
        return int(value) if value.is_integer() and abs(value) < _EXACT else value

    def _text(self, field: Field) -> str:
        if field.form is not Form.STRING or isinstance(field.value, Message):
            raise self._wrong(field, "a quoted string")
        return field.value

    def _message(self, field: Field) -> Message:
        if not isinstance(field.value, Message):
            raise self._wrong(field, "{ ... }")
        return field.value

    def _wrong(self, field: Field, expected: str) -> SourceError:
        return self.error(f"{field.key} is {field.shown}, expected {expected}", field)


def _integer(text: str) -> int | None:
    """Read decimal, hexadecimal and octal; None for one that no 64-bit field can hold."""
    if len(text) > _LONGEST:
        return None
    digits = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if digits[:2] in ("0x", "0X"):
        return sign * int(digits, 16)
    if digits[0] == "0" and len(digits) > 1 and "8" not in digits and "9" not in digits:
        return sign * int(digits, 8)
    return sign * int(digits)
