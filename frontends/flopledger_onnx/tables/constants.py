"""Operators that give constants, sizes, and positions in known values. Source: onnx.ai/onnx/operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    Array,
    Constant,
    Operand,
    Passed,
    Row,
    Step,
    Unshaped,
    arrays,
    dependent,
    is_symbolic,
    product,
    row,
    scalar,
    vector,
)

from flopledger_onnx.values import constant as stored_constant
from flopledger_onnx.values import known as known_constant
from flopledger_onnx.values import sparse_constant
from flopledger_onnx.wire.tensors import type_name, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Item

    from flopledger_onnx.node import Call


def shape_of(call: Call) -> Step:
    """The sizes of the input, or a range of them."""
    shape = call.shape()
    start, end = call.whole("start", 0), call.whole("end", len(shape))
    sizes = shape[slice(*slice(start, end).indices(len(shape)))]
    found = vector(sizes)
    return Step(
        "index_arithmetic", {"shape": found.shape}, (), [found.shape], dtypes=("int64",), arrays=[found]
    )


def size_of(call: Call) -> Step:
    """The number of elements of the input."""
    found = scalar(product(call.shape()))
    return Step("index_arithmetic", {"shape": ()}, (), [()], dtypes=("int64",), arrays=[found])


def filled(call: Call) -> Passed | Step:
    """ConstantOfShape: copies of one element; of a constant shape they are a constant (a weight's, too)."""
    shape = call.dims(0)
    value = call.attributes.get("value")
    dtype = "float32" if value is None or value.t is None else type_name(value.t.data_type)
    numbers = tuple(size for size in shape if isinstance(size, int))
    item: Item = 0.0 if dtype.startswith("float") else 0
    if value is not None and value.t is not None:
        items = values_of(call.parser, value.t)
        item = items[0] if items else None
    known = arrays.filled(numbers, item) if len(numbers) == len(shape) else None
    if call.value(0).constants and len(numbers) == len(shape):
        name = call.node.output[0] if call.node.output else ""
        storage = (id(call.node), id(value), numbers)
        stored = Constant(name, numbers, dtype, storage, lambda: None if item is None else item != 0)
        return Passed((Operand(numbers, dtype, known, (stored,)),))
    return Step("fill", {"shape": shape}, (), [shape], dtypes=(dtype,), arrays=[known])


def constant(call: Call) -> Passed | Step:
    """Constant: a tensor, or numbers that the node spells out."""
    name = call.node.output[0] if call.node.output else ""
    given = call.attributes
    if "value" in given and given["value"].t is not None:
        return Passed((stored_constant(call.parser, given["value"].t, name),))
    if "value_int" in given:
        found, dtype = scalar(given["value_int"].i), "int64"
    elif "value_float" in given:
        found, dtype = scalar(given["value_float"].f), "float32"
    elif "value_ints" in given:
        found, dtype = vector(given["value_ints"].ints), "int64"
    elif "value_floats" in given:
        found, dtype = vector(given["value_floats"].floats), "float32"
    elif "sparse_value" in given and given["sparse_value"].sparse_tensor is not None:
        sparse = given["sparse_value"].sparse_tensor
        return Passed((sparse_constant(call.parser, sparse, name),))
    elif "value_string" in given or "value_strings" in given:
        strings = given.get("value_strings")
        return Passed((Operand((len(strings.strings),) if strings else (), "string"),))
    else:
        raise call.error("holds no value")
    return Passed((known_constant(found, dtype, name, next(iter(given.values()))),))


def one_hot(call: Call) -> Step:
    """A new axis with one element that is on."""
    depth = call.array(1).items[0]
    axis = call.axis(call.whole("axis", -1), call.rank() + 1)
    if not (isinstance(depth, int) or is_symbolic(depth)):
        depth = arrays.whole(depth)
    shape = list(call.shape())
    if not (isinstance(depth, int) or is_symbolic(depth)):
        raise Unshaped("the depth of OneHot depends on data")
    shape.insert(axis, depth)
    return Step("view", {"shape": tuple(shape)}, (0,), [tuple(shape)], dtypes=(call.value(2).dtype,))


def non_zero(call: Call) -> Step:
    """The places of elements other than zero: known for known values, else they depend on data."""
    known = call.value(0).known()
    if known is None or None in known.items:
        return dependent(call)
    places = [i for i, item in enumerate(known.items) if item]
    columns = []
    for axis in range(len(known.shape)):
        below = 1
        for size in known.shape[axis + 1 :]:
            below *= size
        columns += [place // below % known.shape[axis] for place in places]
    found = Array((len(known.shape), len(places)), tuple(columns))
    return Step(
        "index_arithmetic", {"shape": found.shape}, (), [found.shape], dtypes=("int64",), arrays=[found]
    )


def compress(call: Call) -> Step:
    """Slices where a condition holds."""
    chosen = call.value(1).known()
    if chosen is None or None in chosen.items:
        return dependent(call)
    shape, count = call.shape(), sum(bool(item) for item in chosen.items)
    if "axis" not in call.attributes:
        return Step("gather", {"shape": (count,)}, None, [(count,)])
    axis = call.axis(call.whole("axis"), len(shape))
    out = (*shape[:axis], count, *shape[axis + 1 :])
    return Step("gather", {"shape": out}, None, [out])


ROWS: Mapping[str, Row[Call]] = {
    "Shape": row(shape_of, 0),
    "Size": row(size_of, 0),
    "Constant": row(constant),
    "ConstantOfShape": row(filled, 0),
    "OneHot": row(one_hot, 1, 2),
    "NonZero": row(non_zero),
    "Compress": row(compress, 1),
}
