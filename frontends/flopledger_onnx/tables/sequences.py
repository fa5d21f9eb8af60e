"""Lists of tensors, as far as their contents are known. Source: onnx.ai/onnx/operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Operand, Passed, Row, Step, Unshaped, arrays, row, scalar, total

from flopledger_onnx.tables.movement import inferred

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Dim

    from flopledger_onnx.node import Call


def sequence(call: Call) -> Step:
    """SequenceConstruct: inputs in a list."""
    items = tuple(value for value in call.inputs if value is not None)
    return Step("identity", {"copies": 0}, None, [None], members=items)


def split_to_sequence(call: Call) -> Step:
    """Parts along an axis, in a list."""
    shape = call.shape()
    axis = call.axis(call.whole("axis", 0), len(shape))
    sizes = _part_sizes(call, shape[axis])
    keep = call.flag("keepdims", default=True) or call.has(1)
    items = []
    for size in sizes:
        part = (*shape[:axis], *((size,) if keep else ()), *shape[axis + 1 :])
        items.append(Operand(part, call.value(0).dtype, constants=call.value(0).constants))
    return Step("identity", {"copies": 0}, (0,), [None], members=tuple(items))


def _part_sizes(call: Call, size: Dim) -> Sequence[Dim]:
    """Return sizes that are given, or chunks of one size, the last one smaller."""
    given = call.array(1) if call.has(1) else scalar(1)
    if given.shape:
        return given.dims or ()
    chunk = given.items[0]
    if (
        not isinstance(size, int)
        or not isinstance(chunk, int)
        or chunk < 1
        or size > arrays.MOST_ITEMS * chunk
    ):
        raise Unshaped("how many parts there are is not known")
    return [min(chunk, size - start) for start in range(0, size, chunk)]


def sequence_at(call: Call) -> Passed:
    """A member of a list."""
    items, place = call.value(0).items, call.array(1).items[0]
    if items is None or not isinstance(place, int) or not -len(items) <= place < len(items):
        raise Unshaped("the contents of a sequence depend on data")
    return Passed((items[place],))


def concat_from_sequence(call: Call) -> Step:
    """The members of a list side by side, or along a new axis."""
    items = call.value(0).items
    shapes = [item.shape for item in items or () if item.shape is not None]
    if not items or len(shapes) < len(items):
        raise Unshaped("the contents of a sequence depend on data")
    if call.flag("new_axis"):
        axis = call.axis(call.whole("axis"), len(shapes[0]) + 1)
        out = inferred(call, "stack", {"axis": axis}, *shapes)[0]
    else:
        axis = call.axis(call.whole("axis"), len(shapes[0]))
        rest = (total(shape[axis] for shape in shapes),)
        out = (*shapes[0][:axis], *rest, *shapes[0][axis + 1 :])
    return Step("view", {"shape": out}, (), [out], dtypes=(items[0].dtype,))


def sequence_length(call: Call) -> Step:
    """How many members a list has."""
    items = call.value(0).items
    if items is None:
        raise Unshaped("the contents of a sequence depend on data")
    found = scalar(len(items))
    return Step("index_arithmetic", {"shape": ()}, (), [()], dtypes=("int64",), arrays=[found])


ROWS: Mapping[str, Row[Call]] = {
    "SequenceConstruct": row(sequence),
    "SplitToSequence": row(split_to_sequence, 1),
    "SequenceAt": row(sequence_at, 1),
    "ConcatFromSequence": row(concat_from_sequence),
    "SequenceLength": row(sequence_length, 0),
}
