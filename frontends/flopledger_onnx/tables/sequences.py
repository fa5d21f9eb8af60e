"""Lists of tensors, as far as their contents are known. Source: onnx.ai/onnx/operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Passed, Row, Step, Unshaped, arrays, list_of, row, scalar

from flopledger_onnx.tables.movement import concat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Dim, Operand

    from flopledger_onnx.node import Call


MOST_MEMBERS = 256
"""The longest list that members are put into or taken out of: each time it is copied."""
_UNKNOWN = "the contents of a sequence depend on data"


def sequence(call: Call) -> Passed:
    """SequenceConstruct: inputs in a list, which is no tensor, so that nothing is computed or moved."""
    items = tuple(value for value in call.inputs if value is not None)
    return Passed((list_of(items),))


def split_to_sequence(call: Call) -> Step:
    """Parts along an axis, in a list; without sizes, each may lose the axis."""
    shape = call.shape()
    axis = call.axis(call.whole("axis", 0), len(shape))
    sizes = _part_sizes(call, shape[axis])
    if call.flag("keepdims", default=True) or call.has(1):
        return Step("split", {"axis": axis, "sizes": tuple(sizes)}, (0,), constant=True, listed=True)
    return Step("unstack", {"axis": axis}, (0,), constant=True, listed=True)


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
        raise Unshaped(_UNKNOWN)
    return Passed((items[place],))


def empty(call: Call) -> Passed:  # noqa: ARG001  (a rule takes its node)
    """SequenceEmpty: a list to put members into."""
    return Passed((list_of(()),))


def insert(call: Call) -> Passed:
    """A list with one more member, at its end where no place is given."""
    items = _members(call)
    place = _place(call, 2, len(items), last=len(items)) if call.has(2) else len(items)
    return Passed((list_of([*items[:place], call.value(1), *items[place:]]),))


def erase(call: Call) -> Passed:
    """A list without one of its members, the last where no place is given."""
    items = _members(call)
    place = _place(call, 1, len(items), last=len(items) - 1) if call.has(1) else len(items) - 1
    return Passed((list_of([*items[:place], *items[place + 1 :]]),))


def _members(call: Call) -> Sequence[Operand]:
    items = call.value(0).items
    if items is None:
        raise Unshaped(_UNKNOWN)
    if len(items) >= MOST_MEMBERS:
        raise Unshaped(f"lists of more than {MOST_MEMBERS} members are not followed")
    return items


def _place(call: Call, index: int, count: int, *, last: int) -> int:
    """Return a place in a list of a number of members; below 0 it is counted from the end."""
    place = call.array(index).items[0]
    if not isinstance(place, int) or not -count <= place <= last:
        raise Unshaped(_UNKNOWN)
    return place + count if place < 0 else place


def concat_from_sequence(call: Call) -> Step:
    """The members of a list side by side, or along a new axis."""
    items = call.value(0).items
    if not items:
        raise Unshaped(_UNKNOWN)
    # From here on the node reads the members, each with its shape and the constants in it.
    call.inputs = items
    if not call.flag("new_axis"):
        return concat(call)
    axis = call.axis(call.whole("axis"), call.rank() + 1)
    return Step("stack", {"axis": axis}, constant=True)


def sequence_length(call: Call) -> Step:
    """How many members a list has."""
    items = call.value(0).items
    if items is None:
        raise Unshaped(_UNKNOWN)
    found = scalar(len(items))
    return Step("index_arithmetic", {"shape": ()}, (), [()], dtypes=("int64",), arrays=[found])


ROWS: Mapping[str, Row[Call]] = {
    "SequenceEmpty": row(empty),
    "SequenceInsert": row(insert, 2),
    "SequenceErase": row(erase, 1),
    "SequenceConstruct": row(sequence),
    "SplitToSequence": row(split_to_sequence, 1),
    "SequenceAt": row(sequence_at, 1),
    "ConcatFromSequence": row(concat_from_sequence),
    "SequenceLength": row(sequence_length, 0),
}
