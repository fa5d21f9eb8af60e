"""The tensors and numbers of the format, as torch's types."""

from __future__ import annotations

import math
from typing import Any

import torch
from flopledger.frontend import bounded

from flopledger_torch.archive.documents import listed, malformed, mapping, union, whole

_FLOATS8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
_DTYPES: dict[int, torch.dtype] = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16,
    7: torch.float32, 8: torch.float64, 9: torch.complex32, 10: torch.complex64, 11: torch.complex128,
    12: torch.bool, 13: torch.bfloat16, 28: torch.uint16,
    **{29 + i: getattr(torch, name) for i, name in enumerate(_FLOATS8) if hasattr(torch, name)},
    34: torch.uint32, 35: torch.uint64,
}  # fmt: skip
"""``torch._export.serde.schema.ScalarType``."""
_MEMORY = {
    1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format,
}  # fmt: skip
"""``torch._export.serde.schema.MemoryFormat``."""
_LAYOUTS = {1: torch.sparse_coo, 2: torch.sparse_csr, 7: torch.strided}
"""``torch._export.serde.schema.Layout``; the others have no operators that are exported."""
MOST_ELEMENTS = 1 << 48
"""The most elements of a weight; torch's own arithmetic on sizes overflows at 2**63."""
MOST_INPUT_BYTES = 1 << 36
"""The most bytes of an input or a constant; its memory is asked for, and not touched."""


def dtype(value: object) -> torch.dtype:
    """Return an element type."""
    found: torch.dtype = _looked_up(value, _DTYPES, "an element type")
    return found


def memory_format(value: object) -> torch.memory_format:
    """Return a memory format."""
    found: torch.memory_format = _looked_up(value, _MEMORY, "a memory format")
    return found


def layout(value: object) -> torch.layout:
    """Return a layout."""
    found: torch.layout = _looked_up(value, _LAYOUTS, "a layout")
    return found


def _looked_up(value: object, table: dict[int, Any], what: str) -> Any:
    if type(value) is not int or value not in table:
        raise malformed(f"expected {what} of the format", value)
    return table[value]


def sizes(meta: object, key: str) -> list[int]:
    """Return the sizes or strides of a tensor; for a symbol, its size at export.

    A program that was exported for any batch stores an expression for each such size, which is not read,
    and a hint: the size that the sample inputs had.
    """
    found = listed(mapping(meta, "a tensor").get(key), f"the {key} of a tensor")
    if len(found) > bounded.MOST_AXES:
        raise malformed(f"expected at most {bounded.MOST_AXES} {key}", len(found))
    numbers = []
    for one in found:
        kind, value = union(one, "a size")
        if kind == "as_expr":
            hint = mapping(value, "a size").get("hint")
            _, value = union(hint, "its size at export: give the inputs with -i")
        number = whole(value, "a size")
        if number < 0:
            raise malformed("expected a size that is not negative", number)
        numbers.append(number)
    return numbers


def symbols(meta: object) -> list[str | None]:
    """Return for each size of a tensor the text of its expression, None where it is a number."""
    found = []
    for one in listed(mapping(meta, "a tensor").get("sizes"), "the sizes of a tensor"):
        kind, value = union(one, "a size")
        found.append(str(mapping(value, "a size").get("expr_str")) if kind == "as_expr" else None)
    return found


def extent(meta: object) -> int:
    """Return how many elements a tensor's memory has to have."""
    shape, strides = sizes(meta, "sizes"), sizes(meta, "strides")
    if len(shape) != len(strides):
        raise malformed("expected a stride for each size", len(strides))
    if not all(shape):
        return 0
    first = sizes({"offset": [mapping(meta, "a tensor").get("storage_offset", {"as_int": 0})]}, "offset")[0]
    elements = first + 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if max(elements, math.prod(shape)) > MOST_ELEMENTS:
        raise malformed(
            f"expected a tensor of at most {MOST_ELEMENTS} elements", max(elements, math.prod(shape))
        )
    return elements


def view(storage: torch.Tensor, meta: object) -> torch.Tensor:
    """Return a tensor in a memory that it may share with others."""
    about = mapping(meta, "a tensor")
    first = sizes({"offset": [about.get("storage_offset", {"as_int": 0})]}, "offset")[0]
    return storage.as_strided(sizes(about, "sizes"), sizes(about, "strides"), first)


def weight(meta: object) -> torch.Tensor:
    """Return a weight without memory."""
    kind = dtype(mapping(meta, "a tensor").get("dtype"))
    return view(torch.empty(extent(meta), dtype=kind, device="meta"), meta)


def parameter(made: torch.Tensor, meta: object) -> torch.nn.Parameter:
    """Return a weight as a parameter, trainable if the program marks it so."""
    grad = mapping(meta, "a tensor").get("requires_grad") is True
    return torch.nn.Parameter(made, requires_grad=grad and (made.is_floating_point() or made.is_complex()))


def zeros(meta: object) -> torch.Tensor:
    """Return a tensor of zeros on the CPU: an input, or a constant."""
    kind, elements = dtype(mapping(meta, "a tensor").get("dtype")), extent(meta)
    if elements * kind.itemsize > MOST_INPUT_BYTES:
        raise malformed(f"expected a tensor of at most {MOST_INPUT_BYTES} bytes", elements * kind.itemsize)
    try:
        return view(torch.zeros(elements, dtype=kind), meta)
    except RuntimeError as error:  # there is less memory than it asks for
        raise malformed(f"a tensor of {elements} elements can't be made: {error}") from None
