"""The types of tensors' elements, and the values of small constants."""

from __future__ import annotations

import math
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.frontend import Array, arrays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger_tflite.flat.buffer import Flat

TYPES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        0: ("float32", "f"),
        1: ("float16", "e"),
        2: ("int32", "i"),
        3: ("uint8", "B"),
        4: ("int64", "q"),
        5: ("string", ""),
        6: ("bool", "?"),
        7: ("int16", "h"),
        8: ("complex64", ""),
        9: ("int8", "b"),
        10: ("float64", "d"),
        11: ("complex128", ""),
        12: ("uint64", "Q"),
        13: ("resource", ""),
        14: ("variant", ""),
        15: ("uint32", "I"),
        16: ("uint16", "H"),
        17: ("int4", ""),
        18: ("bfloat16", ""),
        19: ("int2", ""),
        20: ("uint4", ""),
    }
)
"""``TensorType`` of the schema: each type's name, and how the module ``struct`` calls it, empty where it has
no name there."""


def type_name(number: int) -> str:
    """Return the name of a type by its number."""
    return TYPES.get(number, ("unknown", ""))[0]


def values_of(flat: Flat, number: int, shape: tuple[int, ...], span: tuple[int, int]) -> Array | None:
    """Return the elements of a small constant, None of a large one or one whose bytes don't fit its shape."""
    code, count = TYPES.get(number, ("", ""))[1], math.prod(shape)
    if not code or count > arrays.MOST_ITEMS or count * struct.calcsize(code) != span[1]:
        return None
    return Array(shape, struct.unpack_from(f"<{count}{code}", flat.data, span[0]))
