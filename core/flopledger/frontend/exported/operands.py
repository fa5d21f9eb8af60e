"""The values that operators read and give: constants, and tensors that calls make."""

from __future__ import annotations

import math
import re
from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from flopledger.dims.types import Shape
    from flopledger.frontend.exported.arrays import Array

STORED = re.compile(r"(?:b?float|double|u?int(?:8|4|2)\b)")
"""The types that weights are stored in. Shapes, indices and conditions are int64, int32 and bool."""
_NAMED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+\Z")
"""How exporters write a parameter of a module: ``encoder.layer.0.weight``. Constants that they lift out of
the code have names such as ``val_12``, ``onnx::Add_345`` and ``/layer/Constant_output_0``."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of the file: its name, its type, and the identity of its memory.

    ``nonzero`` looks in the file whether any element is other than zero, and returns None where they aren't
    in it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    storage: Hashable
    nonzero: Callable[[], bool | None] | None = field(default=None, compare=False, repr=False)

    @property
    def is_data(self) -> bool:
        """Whether it may be a weight by its type and its size."""
        return STORED.match(self.dtype) is not None and math.prod(self.shape) > 1

    @property
    def is_named(self) -> bool:
        """Whether it has a name that exporters give to weights and buffers of a module."""
        return _NAMED.match(self.name) is not None


@dataclass(slots=True, eq=False)
class Operand:
    """A value at one point of the graph.

    Attributes:
        shape: Its shape, None where it can't be known.
        dtype: The type of its elements.
        array: Its elements, where they are known.
        constants: The constants that it was computed from, if from nothing else.
        owner: The value whose memory it shares.
        tensor: Its id in the graph, once it has one.
        reason: Why its shape or contents are not known.
        stored: Reads the elements of a constant from the file when they are used.
        items: The members of a sequence.
    """

    shape: Shape | None
    dtype: str = "float32"
    array: Array | None = None
    constants: tuple[Constant, ...] = ()
    owner: Operand | None = None
    tensor: int | None = None
    reason: str = ""
    stored: Callable[[], Array | None] | None = field(default=None, repr=False)
    items: tuple[Operand, ...] | None = None

    def known(self) -> Array | None:
        """Return the elements, read from the file if need be, or None."""
        if self.array is None and self.stored is not None:
            self.array, self.stored = self.stored(), None
        return self.array


def list_of(items: Sequence[Operand]) -> Operand:
    """Return a list of values, constant if all of them are."""
    dtype = items[0].dtype if items else "float32"
    whole = all(item.constants for item in items)
    constants = dict.fromkeys(constant for item in items for constant in item.constants if whole)
    return Operand(None, dtype, constants=tuple(constants), items=tuple(items))


def unlisted(values: Sequence[Operand]) -> list[Operand]:
    """Return values, the members of lists in place of these."""
    return [one for value in values for one in ((value,) if value.items is None else value.items)]
