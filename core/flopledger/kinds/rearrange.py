"""Movement of data that puts elements into another order: axes, channels, the windows of a kernel.

Shapes follow NumPy's functions of the same names (numpy.org/doc/stable/reference) unless a rule
names another source. All kinds are free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import floordiv, product
from flopledger.kinds.axes import axis_of, nth_axis
from flopledger.kinds.conv import joined, paddings, spatial, windows
from flopledger.kinds.kind import Attribute, Call, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Shape


def transpose_shapes(call: Call) -> tuple[Shape, ...]:
    """Output axis i is input axis ``order[i]``."""
    shape = call.input
    order = tuple(nth_axis(call, axis, len(shape)) for axis in call.dims("order"))
    if sorted(order) != list(range(len(shape))):
        raise call.impossible(f"the order {call.dims('order')} does not name each of {len(shape)} axes once")
    return (tuple(shape[axis] for axis in order),)


def channel_shuffle_shapes(call: Call) -> tuple[Shape, ...]:
    """The groups divide the channels (Zhang et al., *ShuffleNet*, 2017, arXiv:1707.01083)."""
    channels, groups = call.input[axis_of(call, call.input)], call.whole("groups")
    if groups < 1 or (isinstance(channels, int) and channels % groups):
        raise call.impossible(f"{groups} groups don't divide the {channels} channels")
    return (call.input,)


def im2col_shapes(call: Call) -> tuple[Shape, ...]:
    """``C prod(K)`` channels at each position of the kernel (Caffe's ``im2col_layer.cpp``).

    With ``flat`` the positions are one axis (torch.nn.Unfold).
    """
    lead, channels, sizes = spatial(call, call.input)
    out = tuple(floordiv(size - extent, step) + 1 for size, extent, step in windows(call, sizes))
    if any(isinstance(size, int) and size < 1 for size in out):
        raise call.impossible(f"the kernel does not fit the input with its padding {paddings(call)}")
    positions = (product(out),) if call.flag("flat") else out
    return (joined(call, lead, channels * product(call.dims("kernel")), positions),)


def pixel_shuffle_shapes(call: Call) -> tuple[Shape, ...]:
    """``C r^2, H, W`` becomes ``C, H r, W r`` (Shi et al., 2016, arXiv:1609.05158)."""
    shape, factor = call.input, call.whole("factor")
    if len(shape) < 3 or factor < 1:
        raise call.impossible(f"a shuffle by {factor} needs channels, two spatial axes and a factor above 0")
    last = call.flag("channels_last")
    channels, height, width = (shape[-1], *shape[-3:-1]) if last else shape[-3:]
    if isinstance(channels, int) and channels % factor**2:
        raise call.impossible(f"{channels} channels are not a multiple of {factor**2}")
    sizes = (height * factor, width * factor)
    left = floordiv(channels, factor**2)
    return ((*shape[:-3], *sizes, left) if last else (*shape[:-3], left, *sizes),)


def _free(name: str, doc: str, shapes: Callable[[Call], tuple[Shape, ...]], *attributes: Attribute) -> Kind:
    return Kind(name=name, doc=doc, group="move", shapes=shapes, attributes=attributes)


_CHANNELS_LAST = Attribute("channels_last", "whether the channels are the last axis", default=False)

KINDS = (
    _free(
        "transpose",
        "axes in another order",
        transpose_shapes,
        Attribute("order", "input axis of each output axis"),
    ),
    _free(
        "channel_shuffle",
        "channels of several groups interleaved",
        channel_shuffle_shapes,
        Attribute("groups", "groups that are interleaved"),
        Attribute("axis", "axis of the channels", default=1),
    ),
    _free(
        "im2col",
        "the elements under each position of a kernel, as channels",
        im2col_shapes,
        Attribute("kernel", "kernel size along each spatial axis"),
        Attribute("stride", "step along each spatial axis", default=None),
        Attribute("padding", "zeros before and after along each axis, pairs or numbers", default=None),
        Attribute("dilation", "distance between kernel elements along each axis", default=None),
        Attribute("flat", "whether the positions are one axis", default=False),
        _CHANNELS_LAST,
    ),
    _free(
        "pixel_shuffle",
        "channels spread over a finer grid",
        pixel_shuffle_shapes,
        Attribute("factor", "how much finer each of the two axes becomes"),
        _CHANNELS_LAST,
    ),
)
