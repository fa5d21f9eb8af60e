"""One node as the table of operators sees it: its attributes by type, its inputs' shapes and elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import ShapeError, SourceError, text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from flopledger.frontend import Dim, Shape

    from flopledger_onnx.arrays import Array
    from flopledger_onnx.values import Value
    from flopledger_onnx.wire.messages import Attribute, Node
    from flopledger_onnx.wire.parse import Parser


class Unshaped(Exception):  # noqa: N818  (it says what is not known)
    """The outputs or the work of a call depend on data or on a value whose shape is not known."""


class Call:
    """A node, its inputs, and the version of the operators that it is written in."""

    __slots__ = ("attributes", "inputs", "node", "opset", "parser", "path", "scope")

    def __init__(  # noqa: PLR0913  (what a node is and where it stands)
        self,
        node: Node,
        attributes: Mapping[str, Attribute],
        inputs: Sequence[Value | None],
        *,
        opset: int,
        path: str,
        scope: Hashable,
        parser: Parser,
    ) -> None:
        self.node, self.attributes, self.inputs = node, attributes, inputs
        self.opset, self.path, self.scope, self.parser = opset, path, scope, parser

    @property
    def type(self) -> str:
        """The operator's name."""
        return self.node.op_type

    @property
    def outputs(self) -> int:
        """The number of outputs that are used, up to the last one with a name."""
        return max((i + 1 for i, name in enumerate(self.node.output) if name), default=0)

    def error(self, reason: str) -> SourceError:
        """Return the error for a node that the standard does not allow."""
        return SourceError(f"the node {self.path!r} ({self.type}) {reason}")

    def impossible(self, reason: str) -> ShapeError:
        """Return the error for inputs that don't fit the node."""
        return ShapeError(f"the node {self.path!r} ({self.type}) {reason}")

    def whole(self, name: str, default: int | None = None) -> int:
        """Return an attribute that is a whole number."""
        found = self.attributes.get(name)
        if found is not None:
            return found.i
        if default is None:
            raise self.error(f"lacks the attribute {name!r}")
        return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return an attribute that is 0 or 1."""
        return bool(self.whole(name, int(default)))

    def real(self, name: str, default: float) -> float:
        """Return an attribute that is a number."""
        found = self.attributes.get(name)
        return default if found is None else found.f

    def word(self, name: str, default: str = "") -> str:
        """Return an attribute that is a text."""
        found = self.attributes.get(name)
        return default if found is None else found.s.decode("utf-8", "replace")

    def wholes(self, name: str) -> tuple[int, ...] | None:
        """Return an attribute that is a list of whole numbers, or None where it is not there."""
        found = self.attributes.get(name)
        return None if found is None else tuple(found.ints)

    def has(self, index: int) -> bool:
        """Return whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int) -> Value:
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
            raise Unshaped(f"what its input {index}, {self.node.input[index]!r}, holds depends on data")
        return found

    def dims(self, index: int) -> Shape:
        """Return the elements of an input that are sizes or axes."""
        found = self.array(index).dims
        if found is None:
            raise Unshaped(f"its input {index}, {self.node.input[index]!r}, holds no whole numbers")
        return found

    def listed(self, name: str, index: int) -> Shape | None:
        """Return a value that older versions have as an attribute and later ones as an input, or None."""
        found = self.wholes(name)
        if found is not None:
            return found
        return self.dims(index) if self.has(index) else None

    def axes(self, name: str, index: int, rank: int) -> tuple[int, ...] | None:
        """Return axes likewise, as indices."""
        found = self.listed(name, index)
        return None if found is None else tuple(self.axis(axis, rank) for axis in found)

    def folded(self, *indices: int) -> list[Array] | None:
        """Return the elements of inputs, of all where none is named, or None where one is not known."""
        wanted = indices or tuple(i for i in range(len(self.inputs)) if self.has(i))
        found = [self.value(i).known() for i in wanted]
        return [array for array in found if array is not None] if None not in found else None


def shown(shape: Shape | None) -> str:
    """Write a shape for a message."""
    return "an unknown shape" if shape is None else "x".join(map(text, shape)) or "a scalar"
