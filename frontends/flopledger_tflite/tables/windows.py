"""Operators with a kernel or a grid: convolution, pooling, interpolation. Layout: (N, H, W, C).

Source: the operators' kernels in tensorflow/lite/kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import WEIGHT_AND_BIAS, Attrs, Row, Step, Unshaped, floordiv, row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Dim, Shape

    from flopledger_tflite.node import Call

_SAME = 0
"""``Padding``: 0 is same, 1 valid."""


def _window(call: Call, kernel: Shape) -> Attrs:
    """Return the attributes of a window; the options list strides and dilations axis by axis."""
    axes = ("d", "h", "w")[-len(kernel) :]
    stride = tuple(call.whole(f"stride_{axis}") for axis in axes)
    if min(stride) < 1:
        raise call.error(f"has the stride {stride}, expected numbers above 0")
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": "same" if call.whole("padding") == _SAME else None,
        "dilation": tuple(call.whole(f"dilation_{axis}", 1) for axis in axes),
        "channels_last": True,
    }


def conv(call: Call) -> Step:
    """A convolution; the weight is (C_out, H, W, C_in / groups)."""
    weight, channels = _four(call, 1), call.shape()[-1]
    attrs = _window(call, weight[1:3])
    groups = _groups(call, channels, weight[3])
    return Step("conv", {**attrs, "out_channels": weight[0], "groups": groups, "bias": call.has(2)}, (0,))


def depthwise_conv(call: Call) -> Step:
    """Each input channel on its own; the weight is (1, H, W, C_out)."""
    weight, channels = _four(call, 1), call.shape()[-1]
    attrs = _window(call, weight[1:3])
    return Step("conv", {**attrs, "out_channels": weight[3], "groups": channels, "bias": call.has(2)}, (0,))


def _four(call: Call, index: int) -> Shape:
    shape = call.shape(index)
    if len(shape) != 4 or call.rank() != 4:
        raise call.impossible(f"has an input of {call.rank()} axes and a weight of {len(shape)}, expected 4")
    return shape


def _groups(call: Call, channels: Dim, each: Dim) -> Dim:
    if isinstance(channels, int) and isinstance(each, int) and (each < 1 or channels % each):
        raise call.impossible(f"has an input of {channels} channels and a weight for {each}")
    return floordiv(channels, each)


def conv_3d(call: Call) -> Step:
    """A convolution; the weight is (D, H, W, C_in / groups, C_out)."""
    weight, channels = call.shape(1), call.shape()[-1]
    if len(weight) != 5 or call.rank() != 5:
        raise call.impossible(f"has an input of {call.rank()} axes and a weight of {len(weight)}, expected 5")
    groups = _groups(call, channels, weight[3])
    attrs: Attrs = {"out_channels": weight[4], "groups": groups, "bias": call.has(2)}
    return Step("conv", {**_window(call, weight[:3]), **attrs}, (0,))


def conv_transpose(call: Call) -> Step:
    """A transposed convolution: the output's sizes, the weight (C_out, H, W, C_in), the input."""
    weight = call.shape(1)
    if len(weight) not in (4, 5) or call.rank(2) != len(weight):
        raise call.impossible(f"has an input of {call.rank(2)} axes and a weight of {len(weight)}")
    flat = len(weight) == 4
    channels, given = (weight[0], weight[3]) if flat else weight[3:]
    if isinstance(given, int) and call.shape(2)[-1] != given:
        raise call.impossible(f"has an input of {call.shape(2)[-1]} channels and a weight for {given}")
    attrs = _window(call, weight[1:3] if flat else weight[:3])
    del attrs["dilation"]
    found: Attrs = {**attrs, "padding": None, "out_channels": channels, "bias": call.has(3)}
    return Step("conv_transpose", found, (2,), [_sizes(call)])


def _sizes(call: Call) -> Shape:
    """Return the sizes that the first input holds."""
    try:
        return call.dims(0)
    except Unshaped:
        stated = call.output()
        if stated is None:
            raise
        return stated


def pool(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a pooling over a window."""

    def rule(call: Call) -> Step:
        kernel = (call.whole("filter_h"), call.whole("filter_w"))
        if call.rank() != 4 or min(kernel) < 1:
            raise call.impossible(f"pools an input of {call.rank()} axes by {kernel}, expected 4 axes")
        attrs = _window(call, kernel)
        del attrs["dilation"]
        return Step(kind, {**attrs, "p": 2} if kind == "lp_pool" else attrs, (0,))

    return rule


def resize(mode: str) -> Callable[[Call], Step]:
    """Return the rule of an interpolation to given sizes."""

    def rule(call: Call) -> Step:
        return Step("resample", {"mode": mode, "size": call.dims(1), "axes": 2, "channels_last": True}, (0,))

    return rule


def _block(call: Call) -> int:
    block = call.whole("block_size")
    if block < 1 or call.rank() != 4:
        raise call.impossible(f"has an input of {call.rank()} axes and blocks of {block}")
    return block


def depth_to_space(call: Call) -> Step:
    """(N, H, W, C b b) becomes (N, H b, W b, C)."""
    return Step("pixel_shuffle", {"factor": _block(call), "channels_last": True}, (0,))


def space_to_depth(call: Call) -> Step:
    """(N, H, W, C) becomes (N, H / b, W / b, C b b)."""
    block = _block(call)
    batch, height, width, channels = call.shape()
    shape = (batch, floordiv(height, block), floordiv(width, block), channels * block * block)
    return Step("view", {"shape": shape}, (0,))


def space_to_batch(call: Call) -> Step:
    """Padded axes are cut into blocks that go into the batch: dilation, as older converters write it."""
    shape, blocks, pads = call.shape(), call.dims(1), call.dims(2)
    _fitting(call, blocks, pads)
    batch, out = shape[0], list(shape)
    for axis, block in enumerate(blocks):
        out[axis + 1] = floordiv(shape[axis + 1] + pads[2 * axis] + pads[2 * axis + 1], block)
        batch = batch * block
    return Step("view", {"shape": (batch, *out[1:])}, (0,))


def batch_to_space(call: Call) -> Step:
    """Undoes :func:`space_to_batch`, and crops."""
    shape, blocks, crops = call.shape(), call.dims(1), call.dims(2)
    _fitting(call, blocks, crops)
    batch, out = shape[0], list(shape)
    for axis, block in enumerate(blocks):
        out[axis + 1] = shape[axis + 1] * block - crops[2 * axis] - crops[2 * axis + 1]
        batch = floordiv(batch, block)
    return Step("view", {"shape": (batch, *out[1:])}, (0,))


def _fitting(call: Call, blocks: Shape, pairs: Shape) -> None:
    whole = all(isinstance(block, int) and block > 0 for block in blocks)
    if not whole or len(blocks) >= call.rank() or len(pairs) != 2 * len(blocks):
        raise call.impossible(f"has the blocks {blocks} for an input of {call.rank()} axes")


def dilate(call: Call) -> Step:
    """Elements spread by factors, with a filling between them."""
    shape, factors = call.shape(), call.dims(1)
    if len(factors) != len(shape):
        raise call.impossible(f"has {len(factors)} factors for {len(shape)} axes")
    out = tuple((size - 1) * factor + 1 for size, factor in zip(shape, factors, strict=True))
    return Step("view", {"shape": out}, (0,))


_JOINS: Mapping[int, str] = {1: "sum", 2: "prod", 3: "min", 4: "max", 5: "all", 6: "any"}


def reduce_window(call: Call) -> Step:
    """Windows joined into one element each: operand, start value, sizes, strides, and two dilations."""
    sizes, strides = call.dims(2), call.dims(3)
    spread, dilation = (call.dims(i) if call.has(i) else (1,) * call.rank() for i in (4, 5))
    return windowed(
        call, _JOINS.get(call.whole("reduce_function"), "sum"), (sizes, strides, spread, dilation)
    )


def windowed(call: Call, join: str, window: tuple[Shape, Shape, Shape, Shape], pads: Shape = ()) -> Step:
    """Return the step of windows of given sizes, strides, input and window dilations over all axes."""
    sizes, strides, spread, dilation = window
    rank = call.rank()
    if any(len(each) != rank for each in window):
        raise call.impossible(f"has a window over other than its {rank} axes")
    borders = pads or (0,) * 2 * rank
    shape = [
        floordiv(
            (size - 1) * s + 1 + borders[2 * i] + borders[2 * i + 1] - (sizes[i] - 1) * dilation[i] - 1,
            strides[i],
        )
        + 1
        for i, (size, s) in enumerate(zip(call.shape(), spread, strict=True))
    ]
    kind = {"max": "reduce_max", "min": "reduce_min", "prod": "reduce_prod"}.get(join, "reduce_sum")
    axes = tuple(range(rank, 2 * rank))
    return Step(kind, {"axes": axes}, ((*shape, *sizes),), [tuple(shape)])


ROWS: Mapping[str, Row[Call]] = {
    "CONV_2D": row(conv, weights=WEIGHT_AND_BIAS),
    "DEPTHWISE_CONV_2D": row(depthwise_conv, weights=WEIGHT_AND_BIAS),
    "CONV_3D": row(conv_3d, weights=WEIGHT_AND_BIAS),
    "TRANSPOSE_CONV": row(conv_transpose, 0, weights={1: "weight", 3: "bias"}),
    "CONV_3D_TRANSPOSE": row(conv_transpose, 0, weights={1: "weight", 3: "bias"}),
    "AVERAGE_POOL_2D": row(pool("avg_pool")),
    "MAX_POOL_2D": row(pool("max_pool")),
    "L2_POOL_2D": row(pool("lp_pool")),
    "RESIZE_BILINEAR": row(resize("linear"), 1),
    "RESIZE_NEAREST_NEIGHBOR": row(resize("nearest"), 1),
    "DEPTH_TO_SPACE": row(depth_to_space),
    "SPACE_TO_DEPTH": row(space_to_depth),
    "SPACE_TO_BATCH_ND": row(space_to_batch, 1, 2),
    "BATCH_TO_SPACE_ND": row(batch_to_space, 1, 2),
    "DILATE": row(dilate, 1, 2),
    "REDUCE_WINDOW": row(reduce_window, 1, 2, 3, 4, 5),
}
