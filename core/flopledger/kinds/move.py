"""Movement of data: the shape changes, nothing is computed.

Shapes follow NumPy's functions of the same names (numpy.org/doc/stable/reference) unless a rule
names another source. All kinds but dropout in training are free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import ceildiv, floordiv, is_dim, maximum, minimum, product, total
from flopledger.kinds.axes import axes_of, axis_of, broadcast, differ, nth_axis, without
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, same_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Dim, Shape

MOST_COPIES = 1_000_000
"""The most outputs that share one input."""


def input_shapes(call: Call) -> tuple[Shape, ...]:
    """The shapes are given."""
    shapes = call.get("shapes")
    if not isinstance(shapes, tuple):
        raise call.impossible(f"the attribute 'shapes' is {shapes!r}, expected a list of shapes")
    found: list[Shape] = []
    for shape in shapes:
        if not isinstance(shape, tuple) or not all(is_dim(size) for size in shape):
            raise call.impossible(f"{shape!r} is not a shape")
        found.append(shape)
    return tuple(found)


def given_shape(call: Call) -> tuple[Shape, ...]:
    """The shape is given."""
    return (_natural(call, call.dims("shape")),)


def _natural(call: Call, sizes: Shape) -> Shape:
    if any(isinstance(size, int) and size < 0 for size in sizes):
        raise call.impossible(f"the sizes {sizes} have one below 0")
    return sizes


def identity_shapes(call: Call) -> tuple[Shape, ...]:
    """Each copy has the shape of the input."""
    copies = call.whole("copies")
    if not 0 <= copies <= MOST_COPIES:
        raise call.impossible(f"{copies} copies are no number of outputs")
    return (call.input,) * copies


def reshape_shapes(call: Call) -> tuple[Shape, ...]:
    """The elements stay; a size of -1 is inferred from their number. The first ``lead`` axes stay."""
    lead = call.whole("lead")
    if not 0 <= lead <= len(call.input):
        raise call.impossible(f"there are no {lead} leading axes to leave as they are")
    shape, elements = call.dims("shape"), product(call.input[lead:])
    known = product(size for size in shape if size != -1)
    unknown = sum(size == -1 for size in shape)
    if unknown > 1 or (unknown and known == 0):
        raise call.impossible(f"the shape {shape} leaves its size of -1 open")
    if unknown:
        left = floordiv(elements, known)
        shape = tuple(left if size == -1 else size for size in shape)
    if differ(product(shape), elements):
        raise call.impossible(f"{elements} elements don't fit the shape {call.dims('shape')}")
    return ((*call.input[:lead], *shape),)


def flatten_shapes(call: Call) -> tuple[Shape, ...]:
    """The axes from ``start`` to ``end`` become one; a scalar becomes a vector of one element."""
    shape = call.input
    if not shape:
        return ((1,),)
    start, end = axis_of(call, shape, "start"), axis_of(call, shape, "end")
    if start > end:
        raise call.impossible(f"the first axis to flatten, {start}, lies after the last, {end}")
    return ((*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :]),)


def concat_shapes(call: Call) -> tuple[Shape, ...]:
    """The sizes along ``axis`` add up; all others are equal."""
    first = call.input
    axis = axis_of(call, first)
    for shape in call.inputs[1:]:
        same_rank = len(shape) == len(first)
        pairs = zip(without(first, (axis,)), without(shape, (axis,)), strict=False)
        if not same_rank or any(differ(a, b) for a, b in pairs):
            raise call.impossible(f"the inputs don't agree outside axis {axis}")
    return (without(first, (axis,), total(shape[axis] for shape in call.inputs)),)


def stack_shapes(call: Call) -> tuple[Shape, ...]:
    """A new axis holds the inputs, which have one shape."""
    first = call.input
    axis = nth_axis(call, call.whole("axis"), len(first) + 1)
    for shape in call.inputs[1:]:
        if len(shape) != len(first) or any(differ(a, b) for a, b in zip(first, shape, strict=True)):
            raise call.impossible("the inputs to stack have different shapes")
    return ((*first[:axis], len(call.inputs), *first[axis:]),)


def split_shapes(call: Call) -> tuple[Shape, ...]:
    """The sizes along ``axis`` are given and add up to the input's."""
    axis, sizes = axis_of(call, call.input), _natural(call, call.dims("sizes"))
    if differ(total(sizes), call.input[axis]):
        raise call.impossible(f"the sizes {sizes} don't add up to {call.input[axis]}")
    return tuple(without(call.input, (axis,), size) for size in sizes)


def unstack_shapes(call: Call) -> tuple[Shape, ...]:
    """An output for each place along ``axis``, without the axis, whose size is a number."""
    axis = axis_of(call, call.input)
    count = call.input[axis]
    if not isinstance(count, int) or count > MOST_COPIES:
        raise call.impossible(f"the size {count} of axis {axis} is no number of outputs")
    return (without(call.input, (axis,)),) * count


def slice_shapes(call: Call) -> tuple[Shape, ...]:
    """``ceil((stop - start) / step)`` elements, the ends clipped as Python's ``slice`` clips them."""
    axis = axis_of(call, call.input)
    size, step = call.input[axis], call.whole("step")
    if step == 0:
        raise call.impossible("the step of a slice can't be 0")
    lower, upper = (0, size) if step > 0 else (-1, size - 1)
    start = _clipped(call, "start", size, (lower, upper), default=lower if step > 0 else upper)
    stop = _clipped(call, "stop", size, (lower, upper), default=upper if step > 0 else lower)
    length = ceildiv(stop - start, step) if step > 0 else ceildiv(start - stop, -step)
    if call.flag("drop"):
        if length != 1:
            raise call.impossible(f"an axis of size {length} can't be dropped")
        return (without(call.input, (axis,)),)
    return (without(call.input, (axis,), maximum(length, 0)),)


def _clipped(call: Call, name: str, size: Dim, ends: tuple[Dim, Dim], default: Dim) -> Dim:
    if call.get(name) is None:
        return default
    value = call.dim(name)
    if isinstance(value, int) and value < 0:
        return maximum(value + size, ends[0])
    return minimum(value, ends[1])


def pad_shapes(call: Call) -> tuple[Shape, ...]:
    """Each size grows by the padding before and after it; negative padding cuts off."""
    shape, pairs = call.input, call.get("padding")
    paired = isinstance(pairs, tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs)
    if not isinstance(pairs, tuple) or not paired or len(pairs) != len(shape):
        raise call.impossible(f"the padding {pairs!r} is not a (before, after) pair for each axis")
    padded: list[Dim] = []
    for size, (before, after) in zip(shape, pairs, strict=True):
        grown: Dim = size + before + after
        if isinstance(grown, int) and grown < 0:
            raise call.impossible(f"the padding ({before}, {after}) cuts off more than {size}")
        padded.append(grown)
    return (tuple(padded),)


def crop_shapes(call: Call) -> tuple[Shape, ...]:
    """From ``axis`` on the sizes are those of the second input (Caffe's ``crop_layer.cpp``)."""
    if len(call.inputs) != 2 or len(call.inputs[0]) != len(call.inputs[1]):
        raise call.impossible("a crop needs two inputs with as many axes")
    shape, like = call.inputs
    axis = axis_of(call, shape)
    for size, wanted in zip(shape[axis:], like[axis:], strict=True):
        if isinstance(size, int) and isinstance(wanted, int) and wanted > size:
            raise call.impossible(f"{wanted} can't be cropped from {size}")
    return ((*shape[:axis], *like[axis:]),)


def tile_shapes(call: Call) -> tuple[Shape, ...]:
    """Each size times its repeats, aligned at the last axis."""
    shape, repeats = call.input, _natural(call, call.dims("repeats"))
    rank = max(len(shape), len(repeats))
    sizes = (1,) * (rank - len(shape)) + shape
    times = (1,) * (rank - len(repeats)) + repeats
    return (tuple(size * n for size, n in zip(sizes, times, strict=True)),)


def expand_shapes(call: Call) -> tuple[Shape, ...]:
    """Sizes of 1 stretch to the given shape, aligned at the last axis; -1 keeps a size."""
    shape, wanted = call.input, call.dims("shape")
    new = len(wanted) - len(shape)
    if new < 0 or -1 in wanted[:new]:
        raise call.impossible(f"the shape {wanted} does not give the size of each axis")
    kept = (*wanted[:new], *(b if a == -1 else a for a, b in zip(wanted[new:], shape, strict=True)))
    if broadcast(call, (shape, kept)) != kept:
        raise call.impossible(f"the input can't be expanded to {wanted}")
    return (kept,)


def squeeze_shapes(call: Call) -> tuple[Shape, ...]:
    """Axes of size 1 disappear: those given, or all of them."""
    shape = call.input
    if call.get("axes") is None:
        return (tuple(size for size in shape if size != 1),)
    axes = axes_of(call, shape)
    for axis in axes:
        if differ(shape[axis], 1):
            raise call.impossible(f"axis {axis} has the size {shape[axis]}, only 1 can be squeezed")
    return (without(shape, axes),)


def unsqueeze_shapes(call: Call) -> tuple[Shape, ...]:
    """Axes of size 1 appear where they are given, as numbered in the output."""
    rank = len(call.input) + len(call.dims("axes"))
    axes = {nth_axis(call, axis, rank) for axis in call.dims("axes")}
    if len(axes) != len(call.dims("axes")):
        raise call.impossible(f"the axes {call.dims('axes')} name one twice")
    sizes = iter(call.input)
    return (tuple(1 if axis in axes else next(sizes) for axis in range(rank)),)


def no_shapes(_: Call) -> tuple[Shape, ...]:
    """There is no output."""
    return ()


def filter_shapes(call: Call) -> tuple[Shape, ...]:
    """All inputs but the last, the selector, as large as they are where every item passes.

    Source: Caffe's ``filter_layer.cpp``.
    """
    if len(call.inputs) < 2:
        raise call.impossible("a filter takes the tensors to filter and a selector")
    return call.inputs[:-1]


def dropout_parts(call: Call) -> Parts:
    """In training ``y = x m / (1 - rate)``: each element times its mask, then scaled; else nothing.

    Source: Srivastava et al., *Dropout*, JMLR 15, 2014, in the inverted form of all frameworks.
    """
    return {"multiplies": 2 * call.in_elems} if call.flag("training") else {}


def _free(name: str, doc: str, shapes: Callable[[Call], tuple[Shape, ...]], *attributes: Attribute) -> Kind:
    return Kind(name=name, doc=doc, group="move", shapes=shapes, attributes=attributes)


_SHAPE = Attribute("shape", "shape of the output")

KINDS = (
    _free("input", "inputs of the network", input_shapes, Attribute("shapes", "shape of each input")),
    _free(
        "identity",
        "the input as it is, or copies of it",
        identity_shapes,
        Attribute("copies", "number of outputs", default=1),
    ),
    _free(
        "reshape",
        "the same elements in another shape",
        reshape_shapes,
        Attribute("shape", "shape of the output after the leading axes; one size may be -1"),
        Attribute("lead", "how many leading axes stay as they are", default=0),
    ),
    _free("view", "a movement whose output shape is simply given", given_shape, _SHAPE),
    _free("gather", "elements picked by index", given_shape, _SHAPE),
    _free(
        "index_arithmetic",
        "whole numbers and truth values that give positions, not data",
        given_shape,
        _SHAPE,
    ),
    _free("fill", "a new tensor of one value", given_shape, _SHAPE),
    _free("parameter", "a weight by itself, of a file that holds no network", given_shape, _SHAPE),
    _free(
        "flatten",
        "several axes made one",
        flatten_shapes,
        Attribute("start", "first axis to flatten", default=1),
        Attribute("end", "last axis to flatten", default=-1),
    ),
    _free(
        "concat",
        "inputs side by side along an axis",
        concat_shapes,
        Attribute("axis", "axis along which the sizes add up", default=1),
    ),
    _free(
        "stack",
        "inputs side by side along a new axis",
        stack_shapes,
        Attribute("axis", "the new axis", default=0),
    ),
    _free(
        "split",
        "parts of the input along an axis",
        split_shapes,
        Attribute("axis", "axis that is split", default=1),
        Attribute("sizes", "size of each part"),
    ),
    _free(
        "unstack",
        "the input split along an axis, which disappears",
        unstack_shapes,
        Attribute("axis", "axis that disappears", default=0),
    ),
    _free(
        "slice",
        "a range of an axis",
        slice_shapes,
        Attribute("axis", "axis that is cut"),
        Attribute("start", "first index; negative from the end", default=None),
        Attribute("stop", "index after the last; negative from the end", default=None),
        Attribute("step", "distance of the indices", default=1),
        Attribute("drop", "whether the axis, of one element then, disappears", default=False),
    ),
    _free(
        "pad",
        "borders put around the input",
        pad_shapes,
        Attribute("padding", "(before, after) for each axis of the tensor"),
    ),
    _free(
        "crop",
        "the first input cut to the sizes of the second",
        crop_shapes,
        Attribute("axis", "first axis that is cut", default=2),
    ),
    _free(
        "tile",
        "the input repeated along its axes",
        tile_shapes,
        Attribute("repeats", "repeats of each axis"),
    ),
    _free(
        "expand",
        "axes of size 1 stretched",
        expand_shapes,
        Attribute("shape", "shape of the output; -1 keeps a size"),
    ),
    _free(
        "squeeze",
        "axes of size 1 taken out",
        squeeze_shapes,
        Attribute("axes", "axes to take out; None for all of size 1", default=None),
    ),
    _free(
        "unsqueeze",
        "axes of size 1 put in",
        unsqueeze_shapes,
        Attribute("axes", "the new axes, as numbered in the output"),
    ),
    _free("cast", "the same values in another type", same_shape),
    _free("roll", "elements moved round along axes", same_shape),
    _free("flip", "axes reversed", same_shape),
    _free("filter", "the items of a batch that the last input selects", filter_shapes),
    _free("silence", "an input that is used up without output", no_shapes),
    Kind(
        name="dropout",
        doc="elements dropped at random in training; nothing otherwise",
        group="move",
        attributes=(
            Attribute("rate", "share of the elements that is dropped", default=0.5),
            Attribute("training", "whether elements are dropped", default=False),
        ),
        shapes=same_shape,
        parts=dropout_parts,
    ),
)
