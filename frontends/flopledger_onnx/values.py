"""The values of the names of a graph: constants, and tensors that calls give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopledger.frontend import SourceError

from flopledger_onnx.arrays import MOST_ITEMS, Array
from flopledger_onnx.wire.tensors import shape_of, storage_of, type_name, values_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from flopledger.frontend import Shape

    from flopledger_onnx.wire.messages import SparseTensor, Tensor
    from flopledger_onnx.wire.parse import Parser


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of the file: its name, its type, and the identity of its memory."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    storage: Hashable


@dataclass(slots=True, eq=False)
class Value:
    """A value at one point of the graph.

    Attributes:
        shape: Its shape, None where it can't be known.
        dtype: The type of its elements.
        array: Its elements, where they are known.
        constants: The constants that it was computed from, if from nothing else.
        owner: The value whose memory it shares.
        tensor: Its id in the graph, once it has one.
        reason: Why its shape or contents are not known.
        stored: The constant itself, whose elements are read when they are used.
        items: The members of a sequence.
    """

    shape: Shape | None
    dtype: str = "float32"
    array: Array | None = None
    constants: tuple[Constant, ...] = ()
    owner: Value | None = None
    tensor: int | None = None
    reason: str = ""
    stored: tuple[Parser, Tensor] | None = field(default=None, repr=False)
    items: tuple[Value, ...] | None = None

    def known(self) -> Array | None:
        """Return the elements, read from the file if need be, or None."""
        if self.array is None and self.stored is not None:
            parser, tensor = self.stored
            self.stored = None
            items = values_of(parser, tensor)
            if items is not None and len(items) <= MOST_ITEMS:
                self.array = Array(shape_of(tensor), items)
        return self.array


def constant(parser: Parser, tensor: Tensor, name: str, where: Hashable) -> Value:
    """Return the value of a tensor of the file; ``where`` identifies it among others of its name."""
    shape, dtype = shape_of(tensor), type_name(tensor.data_type)
    storage = storage_of(tensor) or (where, name)
    return Value(shape, dtype, constants=(Constant(name, shape, dtype, storage),), stored=(parser, tensor))


def known(array: Array, dtype: str, name: str, where: Hashable) -> Value:
    """Return a constant whose elements a node spells out."""
    return Value(array.shape, dtype, array, (Constant(name, array.shape, dtype, (where, name)),))


def sparse_constant(tensor: SparseTensor, name: str, where: Hashable) -> Value:
    """Return the value of a tensor of which only some elements are stored."""
    values = tensor.values
    dtype = type_name(values.data_type) if values is not None else "float32"
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape):
        raise SourceError(f"the tensor {name!r} has the shape {shape}, sizes below 0 are none")
    return Value(shape, dtype, constants=(Constant(name, shape, dtype, (where, name)),))
