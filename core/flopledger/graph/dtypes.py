"""How much memory an element of each type takes."""

from __future__ import annotations

import re
from fractions import Fraction

from flopledger.errors import UsageError, nearest

BITS: dict[str, Fraction] = {
    **dict.fromkeys(("bool", "int8", "uint8", "qint8", "quint8"), Fraction(8)),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), Fraction(16)),
    **dict.fromkeys(("int32", "uint32", "float32", "complex32"), Fraction(32)),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), Fraction(64)),
    **dict.fromkeys(("int4", "uint4"), Fraction(4)),
    "complex128": Fraction(128),
    "mxfp4": Fraction(17, 4),  # 32 elements of 4 bits share a scale of 8
}
"""Bits of an element, by the name of its type."""
SHORT = {"fp32": "float32", "f32": "float32", "fp16": "float16", "f16": "float16", "half": "float16",
         "bf16": "bfloat16", "fp64": "float64", "double": "float64", "float": "float32", "int": "int64",
         "fp8": "float8", "nf4": "int4", "fp4": "int4"}  # fmt: skip
"""Short names that people use for types."""
_FLOAT8 = re.compile(r"float8(_[a-z0-9]+)?\Z")


def bytes_each(dtype: str) -> Fraction:
    """Return the bytes of one element, which of small types may be a fraction.

    Raises:
        UsageError: No type has that name.
    """
    name = SHORT.get(dtype, dtype)
    if _FLOAT8.match(name):
        return Fraction(1)
    if name not in BITS:
        raise UsageError(f"no dtype is called {dtype!r}{nearest(dtype, (*BITS, *SHORT))}")
    return BITS[name] / 8
