"""Reading untrusted files within bounds: their bytes, and the objects that are made from them.

A small file can take a large amount of memory: a zip member that repeats itself, or JSON of
sixty million characters that is nothing but ``{}``, each of which becomes an object of 64 bytes.
So both are bounded, and the objects before they are made.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import struct
import zlib
from typing import IO, TYPE_CHECKING, TypeAlias

from flopledger import input_files
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MOST_BYTES = 1 << 26
"""The most bytes of a text. The configuration of NASNetLarge, the longest that Keras ships, has 2**20."""
MOST_VALUES = 1 << 20
"""The most values in a JSON text; a dict of one entry takes 184 bytes, so all of them 200 MB."""
DEEPEST = 200
"""The deepest nesting of JSON; each model inside a model takes five levels."""
MOST_MEMBERS = 1 << 16
"""The most members of an archive; torch writes one for each weight."""
MOST_AXES = 64
"""The most axes of a tensor, those of NumPy and PyTorch; a product of 300,000 sizes takes minutes."""

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_LONG_END = struct.Struct("<4sQ2H2L4Q")
_LONG_END_MARK = b"PK\x06\x06"
_LOCATOR_BYTES = 20
_IN_LONG_END = 0xFFFFFFFF
_DIRECTORY_ENTRY = 46
"""The bytes of the shortest entry of an archive's directory."""


def text_of(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text of a file.

    Raises:
        SourceError: It can't be read, is no UTF-8, or has more than ``most`` bytes.
    """
    try:
        return input_files.read_text(path, most)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror}") from None


@contextlib.contextmanager
def mapped(path: Path, expected: str) -> Iterator[mmap.mmap]:
    """Give a file's bytes as a memory map: pages that are not read, those of weights, are never loaded.

    Args:
        path: The file.
        expected: What it should be, for messages.

    Raises:
        SourceError: It can't be read, or is empty.
    """
    try:
        with input_files.open_regular(path) as file:
            if not os.fstat(file.fileno()).st_size:
                raise SourceError(f"{path}: it is empty, expected {expected}")
            found = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror or error}") from None
    with found:
        yield found


def names_in(path: Path) -> list[str]:
    """Return the names of an archive's members.

    Raises:
        SourceError: It can't be read, or has too many members.
    """
    import zipfile  # noqa: PLC0415  (slow to import, and few files are archives)

    try:
        with input_files.open_regular(path) as stream:
            _check_directory(stream, path)
            with zipfile.ZipFile(stream) as archive:
                return archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(f"{path}: it can't be read: {error}") from None


def member_of(path: Path, name: str, most: int = MOST_BYTES) -> bytes:
    """Return one member of an archive.

    Raises:
        KeyError: There is none of that name.
        SourceError: It can't be read, has more than ``most`` bytes, or is packed in an uncommon way.
    """
    import zipfile  # noqa: PLC0415  (slow to import, and few files are archives)

    try:
        with input_files.open_regular(path) as stream:
            _check_directory(stream, path)
            with zipfile.ZipFile(stream) as archive:
                member = archive.getinfo(name)
                # LZMA takes as much memory for its dictionary as the file asks for, up to 4 GB
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise SourceError(f"{path}: its {name} is neither stored nor deflated, as it is expected")
                with archive.open(member) as packed:
                    content = packed.read(most + 1)
    except KeyError:
        raise
    # zlib.error is no OSError and no BadZipFile; RuntimeError is an encrypted member
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path}: its {name} can't be read: {error}") from None
    if len(content) > most:
        raise SourceError(f"{path}: its {name} is larger than {most} bytes")
    return content


def _check_directory(stream: IO[bytes], path: Path) -> None:
    """Refuse an archive whose list of members is longer than an honest one's, before it is read.

    zipfile reads the whole list, at least 46 bytes a member, into objects of ten times that.
    """
    size = stream.seek(0, 2)
    start = max(0, size - (1 << 16) - _END.size)
    stream.seek(start)
    at = stream.read().rfind(_END_MARK) + start
    listed = _listed(stream, at) if start <= at <= size - _END.size else 0
    stream.seek(0)
    if listed > MOST_MEMBERS * _DIRECTORY_ENTRY * 4:
        raise SourceError(f"{path}: the list of its members has {listed} bytes, more than an archive needs")


def _listed(stream: IO[bytes], at: int) -> int:
    """Return the bytes of the list of members, from the record at the end or the longer one before it."""
    stream.seek(at)
    found: int = _END.unpack(stream.read(_END.size))[5]
    before = at - _LOCATOR_BYTES - _LONG_END.size
    if before >= 0:
        stream.seek(before)
        record = _LONG_END.unpack(stream.read(_LONG_END.size))
        if record[0] == _LONG_END_MARK:
            found = max(found if found != _IN_LONG_END else 0, record[8])
    return found


def values_in(text: str) -> int:
    """Return how many values a JSON text has at most, without reading it.

    Each but the first follows a comma, an opening bracket or, after a key, a colon. Commas and brackets
    within texts are counted too, which only makes a bound stricter.
    """
    return text.count(",") + text.count("[") + text.count("{") + 1


def json_of(
    text: str, where: str, *, most: int = MOST_VALUES, deepest: int = DEEPEST, unique: bool = False
) -> Json:
    """Return the value of a JSON text, of at most so many values, nested at most so deep.

    With ``unique``, no object may have a key twice, of which the last would be taken.

    Raises:
        SourceError: It is no JSON, or holds more.
    """
    if values_in(text) > most:
        raise SourceError(f"{where}: its JSON holds more than {most} values, the most that is read")
    try:
        value: Json = json.loads(text, object_pairs_hook=_once if unique else None)
    except RecursionError:
        raise SourceError(f"{where}: its JSON is nested deeper than {deepest} levels") from None
    except ValueError as error:
        raise SourceError(f"{where}: it is no JSON: {error}") from None
    for _, depth in walked(value):
        if depth > deepest:
            raise SourceError(f"{where}: its JSON is nested deeper than {deepest} levels")
    return value


def _once(pairs: list[tuple[str, Json]]) -> Json:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"an object has the key {key!r} twice")
        found[key] = value
    return found


def check_axes(number: int, what: str) -> None:
    """Refuse a shape of more axes than a tensor can have, before its sizes are multiplied.

    Raises:
        SourceError: It has more than ``MOST_AXES``.
    """
    if number > MOST_AXES:
        raise SourceError(f"{what} has {number:,} axes, at most {MOST_AXES} are read")


def walked(value: Json) -> Iterator[tuple[list[Json] | dict[str, Json], int]]:
    """Yield every list and object in a JSON value and how deep it lies, without recursion."""
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, (list, dict)):
            yield one, depth
            inner = one.values() if isinstance(one, dict) else one
            waiting += [(item, depth + 1) for item in inner if isinstance(item, (list, dict))]
