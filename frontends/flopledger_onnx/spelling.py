"""What a node says in ONNX's own words; only conventions read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flopledger.graph.tables import Value as AttrValue

    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Attribute

MOST_NUMBERS = 256
"""The most numbers of an attribute that is kept; lists of more are tables, of trees or of classes."""


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


def _plain(attribute: Attribute) -> AttrValue:
    match attribute.type:
        case 1:
            return attribute.f
        case 2:
            return attribute.i
        case 3:
            return attribute.s.decode("utf-8", "replace")[:MOST_NUMBERS]
        case 6:
            return tuple(attribute.floats) if len(attribute.floats) <= MOST_NUMBERS else None
        case 7:
            return tuple(attribute.ints) if len(attribute.ints) <= MOST_NUMBERS else None
        case 8:
            texts = attribute.strings if len(attribute.strings) <= MOST_NUMBERS else ()
            return tuple(text.decode("utf-8", "replace")[:MOST_NUMBERS] for text in texts) or None
        case _:
            return None
