"""One call of an operator as a frontend's table sees it: the shapes of its inputs, and known elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.errors import ShapeError, SourceError
from flopledger.frontend.exported.steps import Unshaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.dims.types import Dim, Shape
    from flopledger.frontend.exported.arrays import Array
    from flopledger.frontend.exported.operands import Operand


class OperatorCall:
    """A node and its inputs.

    Attributes:
        type: The operator's name.
        path: The node's name, for messages.
        inputs: Its inputs, None for one that is left out.
        outputs: How many outputs it has.
    """

    __slots__ = ("inputs", "outputs", "path", "type")

    def __init__(self, type_: str, path: str, inputs: Sequence[Operand | None], outputs: int) -> None:
        self.type, self.path, self.inputs, self.outputs = type_, path, inputs, outputs

    @property
    def where(self) -> str:
        """The node, for messages."""
        return f"the node {self.path!r} ({self.type})"

    def error(self, reason: str) -> SourceError:
        """Return the error for a node that the format does not allow."""
        return SourceError(f"{self.where} {reason}")

    def impossible(self, reason: str) -> ShapeError:
        """Return the error for inputs that don't fit the node."""
        return ShapeError(f"{self.where} {reason}")

    def input_name(self, index: int) -> str:
        """Return the name of an input, for messages."""
        raise NotImplementedError

    def has(self, index: int) -> bool:
        """Return whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int) -> Operand:
        """Return an input."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise self.error(f"lacks its input {index}")
        return value

    def shape(self, index: int = 0) -> Shape:
        """Return the shape of an input.

        Raises:
            Unshaped: It is not known.
        """
        value = self.value(index)
        if value.shape is None:
            raise Unshaped(value.reason or "the shape of an input is not known")
        return value.shape

    def shapes(self) -> list[Shape]:
        """Return the shapes of all inputs that are given."""
        return [self.shape(i) for i in range(len(self.inputs)) if self.has(i)]

    def rank(self, index: int = 0) -> int:
        """Return the number of axes of an input."""
        return len(self.shape(index))

    def axis(self, axis: Dim, rank: int) -> int:
        """Return an axis, counted from the end where it is negative, as an index."""
        if not isinstance(axis, int) or not -rank <= axis < rank:
            raise self.impossible(f"names the axis {axis} of {rank}")
        return axis % rank

    def array(self, index: int) -> Array:
        """Return the elements of an input.

        Raises:
            Unshaped: They depend on data.
        """
        found = self.value(index).known()
        if found is None or None in found.items:
            raise Unshaped(f"what its input {index}, {self.input_name(index)!r}, holds depends on data")
        return found

    def dims(self, index: int) -> Shape:
        """Return the elements of an input that are sizes or axes."""
        found = self.array(index).dims
        if found is None:
            raise Unshaped(f"its input {index}, {self.input_name(index)!r}, holds no whole numbers")
        return found

    def folded(self, *indices: int) -> list[Array] | None:
        """Return the elements of inputs, of all where none is named, or None where one is not known."""
        wanted = indices or tuple(i for i in range(len(self.inputs)) if self.has(i))
        found = [self.value(i).known() for i in wanted]
        return [array for array in found if array is not None] if None not in found else None
