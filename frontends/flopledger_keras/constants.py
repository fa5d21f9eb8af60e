"""Records operations on constants alone while a layer's call runs on shapes: rotary angles, causal masks.

Such operations are really executed, since nothing in them is a shape. They do no work on the data, and are
free in our own conventions; TensorFlow's profiler counts them all the same, as nodes of the traced graph.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger_keras.calls import Calls


@contextlib.contextmanager
def recording_constants(tracer: Calls) -> Iterator[None]:
    """Record the operations that TensorFlow executes in this thread while a layer's call runs on shapes."""
    if keras.config.backend() != "tensorflow":
        yield
        return
    from tensorflow.python.framework import op_callbacks  # noqa: PLC0415  (only where it is the backend)

    def record(op: Any, inputs: Any, attrs: Any, outputs: Any, *more: Any, **named: Any) -> None:
        del attrs
        graph = named.get("graph", more[1] if len(more) > 1 else None)  # after the name of the operation
        if graph is None and tracer.own_call:
            _note(tracer, op.decode() if isinstance(op, bytes) else str(op), inputs, outputs)

    op_callbacks.add_op_callback(record)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(record)


_MOVES = ("Identity", "ReadVariableOp", "VarHandleOp", "Const", "AssignVariableOp")
"""Operations that compute nothing: a traced graph holds constants and reads variables without them."""


def _note(tracer: Calls, name: str, inputs: Any, outputs: Any) -> None:
    shapes = [_shape(value) for value in (*inputs, *outputs)]
    if name in _MOVES or len(outputs) != 1 or None in shapes:
        return
    given = [tracer.builder.tensor(shape) for shape in shapes[: len(inputs)]]
    made = tracer.builder.tensor(shapes[-1])
    tracer.call(name, f"tensorflow.{name}", "fill", given, [made], attrs={"shape": shapes[-1] or ()})


def _shape(value: Any) -> tuple[int, ...] | None:
    shape = getattr(value, "shape", None)
    if shape is None or shape.rank is None or None in tuple(shape):
        return None
    return tuple(int(size) for size in shape)
