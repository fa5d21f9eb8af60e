"""Operators that make data or read shapes, and variables. Source: the kernels in tensorflow/lite/kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    Constant,
    Operand,
    Passed,
    Row,
    Step,
    Unshaped,
    arrays,
    is_symbolic,
    row,
    scalar,
    shapes_by_rule,
    vector,
)

from flopledger_tflite.tables.movement import wanted
from flopledger_tflite.variables import name_of_variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Shape

    from flopledger_tflite.node import Call


def broadcast_args(call: Call) -> Step:
    """The shape that two shapes are stretched to."""
    out = shapes_by_rule("select", {}, [call.dims(0), call.dims(1)], call.where)[0]
    found = vector(out)
    return Step("index_arithmetic", {"shape": found.shape}, (), [found.shape], arrays=[found])


def shape_of(call: Call) -> Step:
    """The sizes of the input."""
    found = vector(call.shape())
    return Step("index_arithmetic", {"shape": found.shape}, (), [found.shape], arrays=[found])


def rank_of(call: Call) -> Step:
    """The number of the input's axes."""
    return Step("index_arithmetic", {"shape": ()}, (), [()], arrays=[scalar(call.rank())])


def fill(call: Call) -> Step:
    """Copies of one element in a given shape."""
    shape = wanted(call, 0)
    known = call.value(1).known()
    numbers = tuple(size for size in shape if isinstance(size, int))
    few = known is not None and len(known.items) == 1 and len(numbers) == len(shape)
    array = arrays.filled(numbers, known.items[0]) if known is not None and few else None
    return Step("fill", {"shape": shape}, (), [shape], arrays=[array])


def zeros(call: Call) -> Step:
    """Zeros in the shape of the input."""
    return Step("fill", {"shape": call.shape()}, (), [call.shape()])


def numbers(call: Call) -> Step:
    """Numbers from a start to a limit, by a step."""
    found = [call.value(i).known() for i in range(3)]
    items = [array.items[0] for array in found if array is not None and array.items]
    plain = [item for item in items if isinstance(item, int)]
    shape: Shape | None = call.output()
    array = None
    if len(plain) == 3 and plain[2]:
        counted = range(*plain)
        shape = (len(counted),)
        array = vector(counted) if len(counted) <= arrays.MOST_ITEMS else None
    elif len(items) == 3 and items[0] == 0 and items[2] == 1 and is_symbolic(items[1]):
        shape = (items[1],)
    if shape is None:
        raise Unshaped("how many numbers there are depends on data")
    return Step("index_arithmetic", {"shape": shape}, (), [shape], arrays=[array])


def one_hot(call: Call) -> Step:
    """A new axis with one element that is on."""
    shape, depth = list(call.shape()), call.dims(1)
    axis = call.whole("axis", -1)
    shape.insert(len(shape) if axis == -1 else call.axis(axis, len(shape) + 1), depth[0] if depth else 1)
    return Step("view", {"shape": tuple(shape)}, (0,), [tuple(shape)])


def variable(call: Call) -> Passed:
    """A variable's handle; one that no inference fills holds a weight."""
    name = name_of_variable(call.graph, call.operator)
    held = Constant(name, (), "resource", ("variable", name))
    return Passed((Operand((), "resource", constants=() if name in call.model.states else (held,)),))


def contents(call: Call) -> Passed | Step:
    """The contents of a variable; the file states its shape."""
    tensor = call.graph.tensors[call.operator.outputs[0]]
    handles = call.value(0).constants
    if not handles:
        return Step("identity", {"copies": 0}, (), [tensor.shape])
    held = Constant(handles[0].name, tensor.shape, tensor.dtype, handles[0].storage)
    return Passed((Operand(tensor.shape, tensor.dtype, constants=(held,)),))


def assigned(call: Call) -> Step:
    """A variable that gets new contents."""
    return Step("view", {"shape": call.shape(1)}, (1,), [])


ROWS: Mapping[str, Row[Call]] = {
    "BROADCAST_ARGS": row(broadcast_args, 0, 1),
    "SHAPE": row(shape_of),
    "RANK": row(rank_of),
    "FILL": row(fill, 0, 1),
    "ZEROS_LIKE": row(zeros, 0),
    "RANGE": row(numbers, 0, 1, 2),
    "ONE_HOT": row(one_hot, 1, 2, 3),
    "VAR_HANDLE": row(variable),
    "READ_VARIABLE": row(contents),
    "ASSIGN_VARIABLE": row(assigned),
}
