"""The header of a file of weights. Source: github.com/huggingface/safetensors, README, section "Format".

Eight bytes are its length, then follow an object of JSON with a type, a shape and two offsets for each
tensor, and the bytes of all of them, which are not read: a header that was fetched alone, without any of
them, will do. A file that ends within them was cut off.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from flopledger.frontend import SourceError, bounded, input_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST = 100_000_000
"""The most bytes of a header: the bound of the format's own reader."""
LARGEST = 2**63
_LENGTH = 8
_NOTES = "__metadata__"
"""The one entry that is no tensor."""

TYPES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "F64": ("float64", 64),
        "F32": ("float32", 32),
        "F16": ("float16", 16),
        "BF16": ("bfloat16", 16),
        "F8_E4M3": ("float8_e4m3fn", 8),
        "F8_E5M2": ("float8_e5m2", 8),
        "F8_E8M0": ("float8_e8m0", 8),
        "F6_E2M3": ("float6_e2m3", 6),
        "F6_E3M2": ("float6_e3m2", 6),
        "F4": ("float4_e2m1", 4),
        "C64": ("complex64", 64),
        "I64": ("int64", 64),
        "I32": ("int32", 32),
        "I16": ("int16", 16),
        "I8": ("int8", 8),
        "U64": ("uint64", 64),
        "U32": ("uint32", 32),
        "U16": ("uint16", 16),
        "U8": ("uint8", 8),
        "BOOL": ("bool", 8),
    }
)
"""The types of the format: each one's name here, and its bits."""


class Stored(NamedTuple):
    """A tensor that a file lists; ``held`` if its bytes are in it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    held: bool = True


def stored_in(path: Path) -> list[Stored]:
    """Return the tensors that a file lists, in its order.

    Raises:
        SourceError: It can't be read, its header is none, or it ends within its data.
    """
    text, data = _header(path)
    listed = bounded.json_of(text, f"{path}: its header", unique=True)
    if not isinstance(listed, dict):
        raise SourceError(f"{path}: its header is no JSON object")
    return [_stored(path, name, entry, data) for name, entry in listed.items() if name != _NOTES]


def _header(path: Path) -> tuple[str, int]:
    """Return the text of the header, and the number of bytes behind it."""
    try:
        with input_files.open_regular(path) as file:
            size = file.read(_LENGTH)
            length = int.from_bytes(size, "little")
            if len(size) < _LENGTH or length > LONGEST:
                raise SourceError(
                    f"{path}: it is no file of safetensors: its first 8 bytes are not the length of a header"
                )
            content = file.read(length)
            data = file.seek(0, 2) - _LENGTH - length
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror or error}") from None
    if len(content) < length:
        raise SourceError(f"{path}: its header has {length:,} bytes, the file ends after {len(content):,}")
    try:
        return content.decode("utf-8"), data
    except UnicodeDecodeError:
        raise SourceError(f"{path}: its header is no text") from None


def _stored(path: Path, name: str, entry: bounded.Json, data: int) -> Stored:
    where = f"{path}: the tensor {name!r}"
    if not isinstance(entry, dict):
        raise SourceError(f"{where} is described by no object")
    dtype, bits = TYPES.get(str(entry.get("dtype")), ("", 0))
    if not dtype:
        raise SourceError(f"{where} has the type {entry.get('dtype')!r}, expected one of {', '.join(TYPES)}")
    shape = _numbers(entry.get("shape"))
    if shape is None:
        raise SourceError(f"{where} has no shape, a list of sizes")
    offsets = _numbers(entry.get("data_offsets"))
    bounded.check_axes(len(shape), where)
    needed = -(-math.prod(shape) * bits // 8)
    if offsets is None or len(offsets) != 2 or offsets[1] - offsets[0] != needed:
        raise SourceError(f"{where} needs {needed:,} bytes for {dtype}, its offsets are {offsets}")
    if 0 < data < offsets[1]:
        raise SourceError(
            f"{where} ends at byte {offsets[1]:,} of the data, the file holds {data:,}: it was cut off"
        )
    return Stored(name, dtype, shape, held=data >= offsets[1])


def _numbers(value: bounded.Json) -> tuple[int, ...] | None:
    """Return a list of whole numbers from 0 on, or None for anything else."""
    if not isinstance(value, list):
        return None
    found = tuple(each for each in value if type(each) is int and 0 <= each < LARGEST)
    return found if len(found) == len(value) else None
