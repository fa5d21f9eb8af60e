"""Writes down operations of ``keras.ops`` that are called on shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import CONTAINER, UNKNOWN

from flopledger_keras.introspect import settings, snake
from flopledger_keras.tables.call import KerasCall
from flopledger_keras.tables.composites import COMPOSITES
from flopledger_keras.tables.loops import NotFollowedError
from flopledger_keras.tables.ops import OPERATIONS, shape_given, weights_given
from flopledger_keras.tables.steps import others_read

if TYPE_CHECKING:
    from flopledger.frontend import Value

    from flopledger_keras.calls import Calls


def operation(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Write down an operation, and return its result: shapes."""
    name = type(op).__name__
    own = type(op).__module__.startswith("keras.")
    composite = COMPOSITES.get(name) if own else None
    problem = ""
    if composite is not None:
        state = tracer.mark()
        try:
            return _composite(tracer, composite, op, args, kwargs)
        except NotFollowedError as reason:
            tracer.rewind(state)
            problem = str(reason)
    with tracer.unrecorded():  # an operation may infer its shapes by calling others
        outputs = op.compute_output_spec(*args, **kwargs)
    given, made = tracer.tensors((args, kwargs)), tracer.tensors(outputs)
    scalars = sum(isinstance(v, (int, float)) for v in keras.tree.flatten((args, kwargs)))
    call = KerasCall(tracer.shapes(given), tracer.shapes(made), scalars, tracer.frame.training, args, kwargs)
    rule = OPERATIONS.get(name) if own else None
    meaning = rule(op, call) if rule else None
    kind, attrs = meaning or (UNKNOWN, {})
    native: dict[str, Value] = {"operation": name, "node": tracer.is_node(op), **settings(op)}
    if meaning is not None:
        given = given[1:] if shape_given(op) else given
        operands = given[:1] if weights_given(op) else given
        native |= others_read(given, operands)
        given = operands
        problem = tracer.problem(kind, attrs, given, call.outputs, name)
        kind, attrs = (kind, attrs) if not problem else (UNKNOWN, {})
    tracer.call(
        tracer.spelled(op), f"keras.ops.{snake(name)}", kind, given, made,
        attrs=attrs, native=native, problem=problem,
    )  # fmt: skip
    return outputs


def _composite(tracer: Calls, composite: Any, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record an operation that is others, one after the other."""
    name = snake(type(op).__name__)
    plain = {key: value for key, value in kwargs.items() if isinstance(value, (int, float, str))}
    native = {"node": tracer.is_node(op), **plain, **settings(op)}
    given = tracer.tensors((args, kwargs))
    number = tracer.call(name, f"keras.ops.{name}", CONTAINER, given, (), native=native)
    with tracer.inside(number):
        outputs = composite(tracer, op, args, kwargs)
    tracer.close(number, outputs=tuple(tracer.tensors(outputs)))
    return outputs
