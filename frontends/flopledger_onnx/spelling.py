"""What a node says in ONNX's own words; only conventions read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
