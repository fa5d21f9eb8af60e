"""The types of tensors' elements, and the values of small tensors."""

from __future__ import annotations

import math
import struct
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from flopledger.frontend import SourceError, bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger_onnx.wire.messages import Model, Span, Tensor
    from flopledger_onnx.wire.parse import Parser

MOST_VALUES = 4_096
"""The most elements of a tensor whose values are read: shapes, axes, pads and scales have a few, the
tables of such numbers that exporters fold a few hundred."""
_CHUNK = bytes(1 << 16)


class ElementType(NamedTuple):
    """A type: its name, its bits, and how the module ``struct`` calls it, empty where it has no name."""

    name: str
    bits: int
    code: str = ""


TYPES: Mapping[int, ElementType] = MappingProxyType(
    {
        1: ElementType("float32", 32, "f"),
        2: ElementType("uint8", 8, "B"),
        3: ElementType("int8", 8, "b"),
        4: ElementType("uint16", 16, "H"),
        5: ElementType("int16", 16, "h"),
        6: ElementType("int32", 32, "i"),
        7: ElementType("int64", 64, "q"),
        8: ElementType("string", 0),
        9: ElementType("bool", 8, "?"),
        10: ElementType("float16", 16, "e"),
        11: ElementType("float64", 64, "d"),
        12: ElementType("uint32", 32, "I"),
        13: ElementType("uint64", 64, "Q"),
        14: ElementType("complex64", 64),
        15: ElementType("complex128", 128),
        16: ElementType("bfloat16", 16),
        17: ElementType("float8_e4m3fn", 8),
        18: ElementType("float8_e4m3fnuz", 8),
        19: ElementType("float8_e5m2", 8),
        20: ElementType("float8_e5m2fnuz", 8),
        21: ElementType("uint4", 4),
        22: ElementType("int4", 4),
        23: ElementType("float4_e2m1", 4),
        24: ElementType("float8_e8m0", 8),
        25: ElementType("uint2", 2),
        26: ElementType("int2", 2),
    }
)
"""TensorProto.DataType of onnx.proto."""

_EXTERNAL = 1
_UNKNOWN = ElementType("unknown", 0)


def type_name(number: int) -> str:
    """Return the name of a type by its number."""
    return TYPES.get(number, _UNKNOWN).name


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of a constant.

    Raises:
        SourceError: A size is below 0, there are too many, or the stored bytes do not fit the shape.
    """
    bounded.check_axes(len(tensor.dims), f"the tensor {tensor.name!r}")
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape):
        raise SourceError(f"the tensor {tensor.name!r} has the shape {shape}, sizes below 0 are none")
    kind = TYPES.get(tensor.data_type, _UNKNOWN)
    if tensor.raw_data is not None and kind.bits and tensor.data_location != _EXTERNAL:
        needed = -(-math.prod(shape) * kind.bits // 8)
        stored = tensor.raw_data[1] - tensor.raw_data[0]
        if stored not in (needed, 0):
            what = f"{stored:,} bytes, its shape {shape} of {kind.name} needs {needed:,}"
            raise SourceError(f"the tensor {tensor.name!r} has {what}")
    return shape


def storage_of(tensor: Tensor) -> tuple[str, ...] | None:
    """Return the file and place that an external tensor's data are in; tied weights share them."""
    if tensor.data_location != _EXTERNAL:
        return None
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if not entries.get("length") or not entries.get("location"):
        return None
    return entries["location"], entries.get("offset", "0"), entries["length"]


def files_beside(model: Model) -> set[str]:
    """Return the names of files in a model's own folder that hold its initializers' data."""
    stored = model.graph.initializer if model.graph is not None else ()
    entries = [
        entry for tensor in stored if tensor.data_location == _EXTERNAL for entry in tensor.external_data
    ]
    return {
        entry.value
        for entry in entries
        if entry.key == "location" and PurePath(entry.value).name == entry.value
    }


def nonzero(parser: Parser, tensor: Tensor | None) -> bool | None:
    """Return whether a tensor has an element other than zero, None where none are in the file.

    The bytes are looked at in place, however many they are; every type writes 0 as bytes of 0.
    """
    if tensor is None:
        return False
    if tensor.data_location == _EXTERNAL:
        return None
    fields = (tensor.float_data, tensor.double_data, tensor.int32_data, tensor.int64_data, tensor.uint64_data)
    spans = [span for many in fields for span in many]
    spans += [tensor.raw_data] if tensor.raw_data is not None else []
    if math.prod(shape_of(tensor)) and not any(end > start for start, end in spans):
        return None
    return any(_filled(parser, start, end) for start, end in spans)


def _filled(parser: Parser, start: int, end: int) -> bool:
    for at in range(start, end, len(_CHUNK)):
        found = parser.data[at : min(at + len(_CHUNK), end)]
        if found != _CHUNK[: len(found)]:
            return True
    return False


def values_of(parser: Parser, tensor: Tensor) -> tuple[int | float | bool, ...] | None:
    """Return the elements of a small tensor stored in the file, else None.

    Raises:
        SourceError: Their number does not fit the shape.
    """
    count = math.prod(shape_of(tensor))
    kind = TYPES.get(tensor.data_type, _UNKNOWN)
    if count > MOST_VALUES or tensor.data_location == _EXTERNAL:
        return None
    if count == 0:
        return ()
    if tensor.raw_data is not None and tensor.raw_data[0] != tensor.raw_data[1]:
        return _unpacked(parser, kind, count, [tensor.raw_data])
    found = _from_fields(parser, tensor, kind, count)
    if found is not None and len(found) != count:
        raise SourceError(f"the tensor {tensor.name!r} has {len(found)} values, its shape needs {count}")
    return found


def _from_fields(
    parser: Parser, tensor: Tensor, kind: ElementType, count: int
) -> tuple[int | float | bool, ...] | None:
    """Read the field that the standard has for the type."""
    found: tuple[int | float | bool, ...] | None = None
    if kind.name == "float32" and tensor.float_data:
        found = _unpacked(parser, kind, count, tensor.float_data)
    elif kind.name == "float64" and tensor.double_data:
        found = _unpacked(parser, kind, count, tensor.double_data)
    elif kind.name == "int64" and tensor.int64_data:
        found = tuple(parser.varints(tensor.int64_data))
    elif kind.name in ("uint32", "uint64") and tensor.uint64_data:
        found = tuple(value % 2**64 for value in parser.varints(tensor.uint64_data))
    elif tensor.int32_data:
        found = _narrow(kind, parser.varints(tensor.int32_data))
    return found


def _narrow(kind: ElementType, stored: Sequence[int]) -> tuple[int | float | bool, ...] | None:
    """Return elements of at most 32 bits, which all share one field."""
    if kind.name == "bool":
        return tuple(map(bool, stored))
    if kind.name in ("float16", "bfloat16"):
        return _halves(kind, stored)
    return tuple(stored) if kind.code in ("B", "b", "H", "h", "i") else None


def _halves(kind: ElementType, bits: Sequence[int]) -> tuple[float, ...]:
    if kind.name == "float16":
        return tuple(struct.unpack(f"<{len(bits)}e", struct.pack(f"<{len(bits)}H", *_low(bits))))
    wide = struct.pack(f"<{len(bits)}I", *(value << 16 for value in _low(bits)))
    return tuple(struct.unpack(f"<{len(bits)}f", wide))


def _low(bits: Sequence[int]) -> list[int]:
    return [value & 0xFFFF for value in bits]


def _unpacked(
    parser: Parser, kind: ElementType, count: int, spans: Sequence[Span]
) -> tuple[int | float | bool, ...] | None:
    """Read elements of a fixed size that follow each other."""
    size = kind.bits // 8
    if not size or sum(end - start for start, end in spans) != count * size:
        return None
    data = b"".join(parser.data[start:end] for start, end in spans)
    if kind.name == "bfloat16":
        return _halves(kind, struct.unpack(f"<{count}H", data))
    return tuple(struct.unpack(f"<{count}{kind.code}", data)) if kind.code else None
