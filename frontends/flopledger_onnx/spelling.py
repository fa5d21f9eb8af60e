"""A node's attributes in ONNX's own terms; only conventions read it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.frontend import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Operand
    from flopledger.frontend import Value as AttrValue

    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Attribute

KEPT = "DequantizeLinear"
MOST_NUMBERS = 256
"""The most numbers of an attribute that is kept; longer lists are tables of trees or classes, and cut."""


def spelled(call: Call) -> dict[str, AttrValue]:
    """Return a node's plain attributes, and the types and shapes of its inputs, constants included.

    ``input_types`` keeps how wide an operand is, of a quantised network 8 bits or 4;
    ``input_shapes`` has an empty place, None, for an input that is left out or has no known shape.
    """
    found: dict[str, AttrValue] = {}
    for name, attribute in call.attributes.items():
        value = _plain(attribute)
        if value is not None:
            found[name] = value
    found["input_types"] = tuple("" if v is None else v.dtype for v in call.inputs)
    found["input_shapes"] = tuple(None if v is None else v.shape for v in call.inputs)
    return found


@dataclass(slots=True)
class Readers:
    """The constants of a graph once constants are folded, and the operators that have read each so far.

    Tools that list constants by node count each once. Folding leaves :data:`KEPT` a node: weights stay
    whole numbers, and what it gives is no constant, nor what is made of that.
    """

    known: dict[int, tuple[str, ...]] = field(default_factory=dict)
    kept: dict[int, Operand] = field(default_factory=dict)

    def read(self, call: Call, source: str) -> dict[str, AttrValue]:
        """Return of each constant that a node reads its shape and the operators that read it before.

        A node that is folded is not a reader: its result is a constant itself.
        """
        if call.type != KEPT and all(v is None or self._constant(v) for v in call.inputs):
            return {"folded": bool(call.inputs)}
        found: list[AttrValue] = []
        for value in call.inputs:
            if value is not None and self._constant(value):
                before = self.known.get(id(value), ())
                found.append((value.shape, before))
                if source not in before:
                    self.known[id(value)] = (*before, source)
        return {"constants": tuple(found)} if found else {}

    def made(self, call: Call, values: Sequence[Operand]) -> None:
        """Note down the results of a node on constants where folding leaves it a node.

        The sizes of an input are no constant, so that an initial state that is expanded to its batch is none.
        """
        if call.type == KEPT or not all(v is None or self._constant(v) for v in call.inputs):
            self.kept.update((id(value), value) for value in values if value.constants)

    def _constant(self, value: Operand) -> bool:
        return bool(value.constants) and id(value) not in self.kept


_FORMS: Mapping[int, Callable[[Attribute], AttrValue]] = {
    1: lambda attribute: attribute.f,
    2: lambda attribute: attribute.i,
    3: lambda attribute: _text(attribute.s),
    6: lambda attribute: tuple(attribute.floats[:MOST_NUMBERS]),
    7: lambda attribute: tuple(attribute.ints[:MOST_NUMBERS]),
    8: lambda attribute: tuple(map(_text, attribute.strings[:MOST_NUMBERS])),
}
"""How an attribute is kept, by its type (AttributeProto.AttributeType); graphs and tensors are left out."""


def _text(value: bytes) -> str:
    return value[:MOST_NUMBERS].decode("utf-8", "replace")


def _plain(attribute: Attribute) -> AttrValue:
    form = _FORMS.get(attribute.type)
    return None if form is None else form(attribute)
