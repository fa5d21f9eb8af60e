"""The constants of a file as values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flopledger.frontend import Array, Constant, Operand, SourceError, arrays

from flopledger_onnx.wire.tensors import nonzero, shape_of, storage_of, type_name, values_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from flopledger_onnx.wire.messages import Attribute, SparseTensor, Tensor
    from flopledger_onnx.wire.parse import Parser


def constant(parser: Parser, tensor: Tensor, name: str) -> Operand:
    """Return the value of a tensor of the file.

    It is identified by its place in the file: one in a function or body is one however often that is called.
    """
    shape, dtype = shape_of(tensor), type_name(tensor.data_type)
    storage: Hashable = storage_of(tensor) or id(tensor)

    def elements() -> Array | None:
        items = values_of(parser, tensor)
        few = items is not None and len(items) <= arrays.MOST_ITEMS
        return Array(shape, items) if items is not None and few else None

    held = Constant(name, shape, dtype, storage, partial(nonzero, parser, tensor))
    return Operand(shape, dtype, constants=(held,), stored=elements)


def known(array: Array, dtype: str, name: str, attribute: Attribute) -> Operand:
    """Return a constant whose elements an attribute spells out."""
    held = Constant(name, array.shape, dtype, id(attribute), lambda: any(array.items))
    return Operand(array.shape, dtype, array, (held,))


def sparse_constant(parser: Parser, tensor: SparseTensor, name: str) -> Operand:
    """Return the value of a tensor of which only some elements are stored."""
    values = tensor.values
    dtype = type_name(values.data_type) if values is not None else "float32"
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape):
        raise SourceError(f"the tensor {name!r} has the shape {shape}, sizes below 0 are none")
    held = Constant(name, shape, dtype, id(tensor), partial(nonzero, parser, values))
    return Operand(shape, dtype, constants=(held,))
