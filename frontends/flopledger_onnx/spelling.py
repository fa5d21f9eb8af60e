"""A node's attributes in ONNX's own terms; only conventions read it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.frontend import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Value as AttrValue

    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Attribute

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
    found["constant_inputs"] = tuple(v is not None and bool(v.constants) for v in call.inputs)
    return found


@dataclass(slots=True)
class Readers:
    """The operators that have read a constant so far: tools that list constants by node count each once."""

    known: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def read(self, call: Call, source: str) -> tuple[AttrValue, ...]:
        """Return the shape of each constant that a node reads, and the operators that read it before.

        A node of constants alone is not a reader: its result is a constant itself.
        """
        if all(value is None or value.constants for value in call.inputs):
            return ()
        found: list[AttrValue] = []
        for value in call.inputs:
            if value is not None and value.constants:
                before = self.known.get(id(value), ())
                found.append((value.shape, before))
                if source not in before:
                    self.known[id(value)] = (*before, source)
        return tuple(found)


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
