"""Operators that move data. Source: the kernels in tensorflow/lite/kernels.

Elements that are known are moved too, so that the shapes that converters calculate are followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    Array,
    Attrs,
    Operand,
    Row,
    Step,
    Unshaped,
    arrays,
    dependent,
    floordiv,
    is_symbolic,
    moved,
    row,
    same,
    scalar,
    shapes_by_rule,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Dim, Shape

    from flopledger_tflite.node import Call


def wanted(call: Call, index: int) -> Shape:
    """Return the shape that an input holds, or the one that the file states of the output."""
    try:
        return call.dims(index)
    except Unshaped:
        stated = call.output()
        if stated is None:
            raise
        return stated


def reshape(call: Call) -> Step:
    """The same elements in another shape; -1 is inferred. Old files have it in the options alone."""
    shape = wanted(call, 1) if call.has(1) else call.wholes("new_shape")
    out = shapes_by_rule("reshape", {"shape": shape}, [call.shape()], call.where)[0]
    known = call.value(0).known()
    array = None if known is None else arrays.reshaped(known, out)
    return moved("reshape", {"shape": shape}, out, array, alias=True)


def stated_reshape(call: Call) -> Step:
    """The same elements in the shape that the file states of the output."""
    shape = call.output()
    if shape is None:
        raise Unshaped("the shape of its output is open")
    return moved("reshape", {"shape": shape}, shape, None, alias=True)


def transpose(call: Call) -> Step:
    """Axes in another order."""
    return transposed(call, call.dims(1))


def transposed(call: Call, order: Sequence[Dim]) -> Step:
    """Return the step of axes in another order."""
    axes = tuple(call.axis(axis, call.rank()) for axis in order)
    out = shapes_by_rule("transpose", {"order": axes}, [call.shape()], call.where)[0]
    known = call.value(0).known()
    return moved("transpose", {"order": axes}, out, None if known is None else arrays.transposed(known, axes))


def squeeze(call: Call) -> Step:
    """Axes of size 1 taken out, all of them where none is named."""
    shape = call.shape()
    axes = tuple(call.axis(axis, len(shape)) for axis in call.wholes("squeeze_dims"))
    if not axes:
        if any(map(is_symbolic, shape)):
            raise Unshaped("which axes have the size 1 is not known with symbols")
        axes = tuple(i for i, size in enumerate(shape) if size == 1)
    out = shapes_by_rule("squeeze", {"axes": axes}, [shape], call.where)[0]
    known = call.value(0).known()
    return moved(
        "squeeze", {"axes": axes}, out, None if known is None else arrays.reshaped(known, out), alias=True
    )


def expand_dims(call: Call) -> Step:
    """An axis of size 1 put in."""
    axis = call.axis(call.dims(1)[0], call.rank() + 1)
    out = shapes_by_rule("unsqueeze", {"axes": (axis,)}, [call.shape()], call.where)[0]
    known = call.value(0).known()
    array = None if known is None else arrays.reshaped(known, out)
    return moved("unsqueeze", {"axes": (axis,)}, out, array, alias=True)


def concat(call: Call) -> Step:
    """Inputs side by side."""
    return joined(call, call.whole("axis"))


def joined(call: Call, axis: int) -> Step:
    """Return the step of inputs side by side along an axis."""
    shapes = call.shapes()
    place = call.axis(axis, len(shapes[0]) if shapes else 0)
    out = shapes_by_rule("concat", {"axis": place}, shapes, call.where)[0]
    known = call.folded()
    array = arrays.joined(known, place) if known else None
    return Step("concat", {"axis": place}, None, [out], arrays=[array], constant=True)


def pack(call: Call) -> Step:
    """Inputs side by side along a new axis."""
    shapes = call.shapes()
    axis = call.axis(call.whole("axis"), len(shapes[0]) + 1 if shapes else 0)
    out = shapes_by_rule("stack", {"axis": axis}, shapes, call.where)[0]
    parts = [_elements(value) for value in call.inputs if value is not None]
    array = None
    if axis == 0 and all(part is not None for part in parts) and all(isinstance(size, int) for size in out):
        items = tuple(item for part in parts if part is not None for item in part.items)
        few = len(items) <= arrays.MOST_ITEMS and any(item is not None for item in items)
        array = Array(tuple(size for size in out if isinstance(size, int)), items) if few else None
    return Step("stack", {"axis": axis}, None, [out], arrays=[array], constant=True)


def _elements(value: Operand) -> Array | None:
    """Return known elements; a whole number that is not known is one that is None."""
    known = value.known()
    return scalar(None) if known is None and value.shape == () and "int" in value.dtype else known


def unpack(call: Call) -> Step:
    """Slices along an axis, each an output."""
    shape = call.shape()
    axis = call.axis(call.whole("axis"), len(shape))
    if shape[axis] != call.outputs:
        raise call.impossible(f"unpacks {shape[axis]} slices into {call.outputs} outputs")
    out: Shape = (*shape[:axis], *shape[axis + 1 :])
    known = call.value(0).known()
    found: list[Array | None] = []
    for place in range(call.outputs):
        part = None if known is None else arrays.sliced(known, axis, range(place, place + 1))
        found.append(None if part is None else arrays.reshaped(part, out))
    return Step("unstack", {"axis": axis}, (0,), [out] * call.outputs, arrays=found, constant=True)


def split(call: Call) -> Step:
    """Equal parts along an axis: the axis, then the input."""
    shape, count = call.shape(1), max(call.outputs, 1)
    axis = call.axis(call.dims(0)[0], len(shape))
    size = shape[axis]
    if isinstance(size, int) and size % count:
        raise call.impossible(f"splits {size} into {count} equal parts")
    return _parts(call, 1, axis, [floordiv(size, count)] * count)


def split_by_sizes(call: Call) -> Step:
    """Parts of given sizes: the input, the sizes, the axis; a size of -1 is the rest."""
    axis = call.axis(call.dims(2)[0], call.rank())
    sizes, whole = list(call.dims(1)), call.shape()[axis]
    open_ = [i for i, size in enumerate(sizes) if size == -1]
    if len(open_) == 1:
        rest = sum(size for size in sizes if isinstance(size, int) and size != -1)
        sizes[open_[0]] = whole - rest
    return _parts(call, 0, axis, sizes)


def _parts(call: Call, source: int, axis: int, sizes: Sequence[Dim]) -> Step:
    attrs: Attrs = {"axis": axis, "sizes": tuple(sizes)}
    out = shapes_by_rule("split", attrs, [call.shape(source)], call.where)
    return Step("split", attrs, (source,), out, constant=True)


def gather(call: Call) -> Step:
    """Slices by index; from a table of constants along the first axis they are embeddings."""
    shape, indices = call.shape(0), call.shape(1)
    axis = call.axis(call.whole("axis"), len(shape))
    lead = call.whole("batch_dims")
    lead = lead + len(indices) if lead < 0 else lead
    if not 0 <= lead <= min(axis, len(indices)):
        raise call.impossible(f"has {lead} batch axes and the axis {axis}")
    out: Shape = (*shape[:axis], *indices[lead:], *shape[axis + 1 :])
    table = call.value(0)
    if table.constants and len(shape) == 2 and axis == 0 and not call.value(1).constants:
        return _embedding(1, shape, out)
    known, places = table.known(), call.value(1).known()
    array = (
        arrays.taken(known, places, axis) if known is not None and places is not None and not lead else None
    )
    constant = bool(table.constants and call.value(1).constants)
    return Step("gather", {"shape": out}, None, [out], arrays=[array], constant=constant)


def _embedding(indices: int, table: Shape, out: Shape) -> Step:
    attrs: Attrs = {"num_embeddings": table[0], "embedding_dim": table[1]}
    return Step("embedding", attrs, (indices,), [out])


def embedding(call: Call) -> Step:
    """Rows of a table by index: the indices, then the table."""
    indices, table = call.shape(0), call.shape(1)
    out: Shape = (*indices, *table[1:])
    if len(table) == 2:
        return _embedding(0, table, out)
    return Step("gather", {"shape": out}, None, [out])


def gather_nd(call: Call) -> Step:
    """Slices by lists of indices."""
    shape, indices = call.shape(0), call.shape(1)
    last = indices[-1] if indices else None
    if not isinstance(last, int) or last > len(shape):
        raise call.impossible(f"has indices of {last} axes for an input of {len(shape)}")
    return Step("gather", {"shape": (*indices[:-1], *shape[last:])})


def scatter_nd(call: Call) -> Step:
    """Elements added into zeros by index: indices, updates, shape."""
    shape = wanted(call, 2)
    return Step("accumulate", {"shape": shape, "join": "sum"}, (1,), [shape])


def segments(join: str) -> Callable[[Call], Step]:
    """Return the rule of rows joined by segment: the rows, their segments, and how many there are."""

    def rule(call: Call) -> Step:
        shape = call.shape()
        count = call.dims(2)[0] if call.has(2) else (call.output() or (None,))[0]
        if count is None:
            raise Unshaped("how many segments there are depends on data")
        out: Shape = (count, *shape[call.rank(1) :])
        return Step("accumulate", {"shape": out, "join": join}, (0,), [out])

    return rule


def sparse_to_dense(call: Call) -> Step:
    """Elements written into a filling by index: indices, shape, values, filling."""
    shape = wanted(call, 1)
    return Step("view", {"shape": shape}, (2,), [shape])


def diagonal(call: Call) -> Step:
    """Matrices with the input's vectors as their diagonals."""
    shape: Shape = (*call.shape(), *call.shape()[-1:])
    return Step("view", {"shape": shape}, (0,), [shape])


def expand(call: Call) -> Step:
    """Axes of size 1 stretched to a given shape."""
    shape = wanted(call, 1)
    out = shapes_by_rule("select", {}, [call.shape(), shape], call.where)[0]
    known = call.value(0).known()
    return moved("expand", {"shape": out}, out, None if known is None else arrays.expanded(known, out))


def tile(call: Call) -> Step:
    """Repeats along each axis."""
    repeats = call.dims(1)
    out = shapes_by_rule("tile", {"repeats": repeats}, [call.shape()], call.where)[0]
    return moved("tile", {"repeats": repeats}, out, None)


def pad(call: Call) -> Step:
    """Borders around the input, of zeros, a number or reflected elements."""
    pads, shape = call.dims(1), call.shape()
    if len(pads) != 2 * len(shape):
        raise call.impossible(f"has {len(pads)} pads for {len(shape)} axes, expected two for each")
    pairs = tuple((pads[2 * i], pads[2 * i + 1]) for i in range(len(shape)))
    return Step("pad", {"padding": pairs}, (0,))


DEPENDENT = (
    "LSH_PROJECTION", "HASHTABLE_LOOKUP", "SKIP_GRAM", "CONCAT_EMBEDDINGS", "EMBEDDING_LOOKUP_SPARSE",
    "UNIQUE", "WHERE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "HASHTABLE", "HASHTABLE_FIND",
    "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "BUCKETIZE", "STABLEHLO_SORT",
)  # fmt: skip
"""Operators whose work depends on data: searches, sorting, tables by key, texts."""

ROWS: Mapping[str, Row[Call]] = {
    **{name: row(dependent, *range(9)) for name in DEPENDENT},
    "RESHAPE": row(reshape, 1),
    "STABLEHLO_RESHAPE": row(stated_reshape),
    "TRANSPOSE": row(transpose, 1),
    "STABLEHLO_TRANSPOSE": row(lambda call: transposed(call, call.wholes("permutation"))),
    "SQUEEZE": row(squeeze),
    "EXPAND_DIMS": row(expand_dims, 1),
    "CONCATENATION": row(concat),
    "STABLEHLO_CONCATENATE": row(lambda call: joined(call, call.whole("dimension"))),
    "PACK": row(pack),
    "UNPACK": row(unpack),
    "SPLIT": row(split, 0),
    "SPLIT_V": row(split_by_sizes, 1, 2),
    "GATHER": row(gather),
    "GATHER_ND": row(gather_nd),
    "EMBEDDING_LOOKUP": row(embedding, weights={1: "weight"}),
    "SCATTER_ND": row(scatter_nd, 0, 2),
    "SEGMENT_SUM": row(segments("sum"), 1),
    "UNSORTED_SEGMENT_SUM": row(segments("sum"), 1, 2),
    "UNSORTED_SEGMENT_PROD": row(segments("prod"), 1, 2),
    "UNSORTED_SEGMENT_MAX": row(segments("max"), 1, 2),
    "UNSORTED_SEGMENT_MIN": row(segments("min"), 1, 2),
    "SPARSE_TO_DENSE": row(sparse_to_dense, 0, 1),
    "DYNAMIC_UPDATE_SLICE": row(written, 2),
    "STABLEHLO_DYNAMIC_UPDATE_SLICE": row(written),
    "MATRIX_DIAG": row(diagonal),
    "MATRIX_SET_DIAG": row(written),
    "BROADCAST_TO": row(expand, 1),
    "TILE": row(tile, 1),
    "PAD": row(pad, 1),
    "PADV2": row(pad, 1, 2),
    "MIRROR_PAD": row(pad, 1),
    "REVERSE_V2": row(same("flip"), 1),
    "REVERSE_SEQUENCE": row(same("flip"), 1),
}
