"""One node as the table of operators sees it: its attributes by type, on top of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import OperatorCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Operand, Shape

    from flopledger_onnx.wire.messages import Attribute, Node
    from flopledger_onnx.wire.parse import Parser


UNSTATED, FLOAT, INT, STRING, INTS = 0, 1, 2, 3, 7
"""The forms of an attribute that rules read (AttributeProto.AttributeType); old files don't state them."""
_FORMS = {FLOAT: "a number", INT: "a whole number", STRING: "a text", INTS: "whole numbers"}


def _form(number: int) -> str:
    return _FORMS.get(number, f"an attribute of type {number}")


class Call(OperatorCall):
    """A node, its inputs, and the version of the operators that it is written in."""

    __slots__ = ("attributes", "node", "opset", "parser")

    def __init__(  # noqa: PLR0913  (the parts of a node, and its place)
        self,
        node: Node,
        attributes: Mapping[str, Attribute],
        inputs: Sequence[Operand | None],
        *,
        opset: int,
        path: str,
        parser: Parser,
    ) -> None:
        # An output without a name is not used; those behind the last one with a name are not there.
        outputs = max((i + 1 for i, name in enumerate(node.output) if name), default=0)
        super().__init__(node.op_type, path, inputs, outputs)
        self.node, self.attributes = node, attributes
        self.opset, self.parser = opset, parser

    def input_name(self, index: int) -> str:
        """Return the name of an input, for messages."""
        return self.node.input[index]

    def _given(self, name: str, form: int) -> Attribute | None:
        """Return an attribute that is of this form, or None where it is not there.

        Raises:
            SourceError: It is of another, so that its value would be read as the form's 0.
        """
        found = self.attributes.get(name)
        if found is not None and found.type not in (form, UNSTATED):
            raise self.error(f"has the attribute {name!r} as {_form(found.type)}, expected {_form(form)}")
        return found

    def whole(self, name: str, default: int | None = None) -> int:
        """Return an attribute that is a whole number."""
        found = self._given(name, INT)
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
        found = self._given(name, FLOAT)
        return default if found is None else found.f

    def word(self, name: str, default: str = "") -> str:
        """Return an attribute that is a text."""
        found = self._given(name, STRING)
        return default if found is None else found.s.decode("utf-8", "replace")

    def wholes(self, name: str) -> tuple[int, ...] | None:
        """Return an attribute that is a list of whole numbers, or None where it is not there."""
        found = self._given(name, INTS)
        return None if found is None else tuple(found.ints)

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
