"""Operators with a kernel or a grid: convolution, pooling, resampling, regions.

Source: onnx.ai/onnx/operators.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.frontend import (
    CONTAINER,
    UNKNOWN,
    WEIGHT,
    WEIGHT_AND_BIAS,
    Attrs,
    Part,
    Row,
    Step,
    Unshaped,
    differ,
    floordiv,
    is_dim,
    is_symbolic,
    row,
    shapes_by_rule,
    truncate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Dim, Shape, Value

    from flopledger_onnx.node import Call


def _padding(call: Call, rank: int) -> Value:
    """Return the padding: "same", pairs, or None."""
    auto = call.word("auto_pad", "NOTSET") or "NOTSET"
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        return "same"
    pads = call.wholes("pads")
    if auto == "VALID" or not pads:
        return None
    if len(pads) != 2 * rank:
        raise call.error(f"has {len(pads)} pads, expected {2 * rank}: a begin and an end for each axis")
    return tuple((pads[axis], pads[axis + rank]) for axis in range(rank))


def _window(call: Call, kernel: Shape) -> Attrs:
    rank = len(kernel)
    return {
        "kernel": kernel,
        "stride": call.wholes("strides") or None,
        "padding": _padding(call, rank),
        "dilation": call.wholes("dilations") or None,
    }


def _kernel(call: Call, weight: Shape) -> Shape:
    if len(weight) < 3:
        raise call.impossible(f"has a weight of {len(weight)} axes, expected 3 or more")
    given = call.wholes("kernel_shape")
    if given and len(given) != len(weight) - 2:
        raise call.impossible(f"has the kernel {given} and a weight of {len(weight)} axes")
    if given and any(map(differ, given, weight[2:])):
        raise call.impossible(f"has the kernel_shape {given} and a weight whose kernel is {weight[2:]}")
    return given or weight[2:]


def conv(weight: int = 1, bias: int = 2, dtype: str = "") -> Callable[[Call], Step]:
    """Return the rule of a convolution whose weight, (C_out, C_in / group, kernel), is that input."""

    def rule(call: Call) -> Step:
        attrs = conv_attrs(call, call.shape()[1:2], weight, bias)
        return Step("conv", attrs, (0,), dtypes=(dtype,) if dtype else ())

    return rule


def conv_attrs(call: Call, channels: Shape, weight: int = 1, bias: int = 2) -> Attrs:
    """Return the attributes of a convolution of an input with these channels."""
    shape, groups = call.shape(weight), call.whole("group", 1)
    kernel = _kernel(call, shape)
    _check_channels(call, channels, shape[1] * groups)
    return {**_window(call, kernel), "out_channels": shape[0], "groups": groups, "bias": call.has(bias)}


def _check_channels(call: Call, channels: Shape, expected: Dim) -> None:
    """Refuse a weight for another number of channels: the kind's rule does not see it."""
    if channels and differ(channels[0], expected):
        raise call.impossible(f"has an input of {channels[0]} channels and a weight for {expected}")


def conv_transpose(call: Call) -> Step:
    """A transposed convolution; the weight is (C_in, C_out / group, kernel)."""
    weight, groups = call.shape(1), call.whole("group", 1)
    kernel = _kernel(call, weight)
    rank = len(kernel)
    _check_channels(call, call.shape()[1:2], weight[0])
    extra = call.wholes("output_padding") or (0,) * rank
    attrs: Attrs = {
        **_window(call, kernel),
        "out_channels": weight[1] * groups,
        "groups": groups,
        "bias": call.has(2),
        "output_padding": extra,
    }
    sizes, given = call.shape()[2:], call.wholes("output_shape")
    if not given and attrs["padding"] != "same":
        return Step("conv_transpose", attrs, (0,))
    # The pads follow from the output's sizes, so that these are given as they are; they take no part
    # in the count, which goes over the input.
    stride = call.wholes("strides") or (1,) * rank
    out = given[-rank:] if given else tuple(n * s for n, s in zip(sizes, stride, strict=True))
    shape = (call.shape()[0], weight[1] * groups, *out)
    return Step("conv_transpose", {**attrs, "padding": None}, (0,), [shape])


def deform_conv(call: Call) -> Step:
    """A convolution whose kernel elements are shifted; inputs X, W, offset, bias, mask."""
    step = conv(1, 3)(call)
    return Step("deform_conv", {**step.attrs, "mask": call.has(4)}, (0,))


def pool(kind: str, *, channels_last: bool = False) -> Callable[[Call], Step]:
    """Return the rule of a pooling over a window; a second output has the places of the maxima."""

    def rule(call: Call) -> Step:
        kernel = call.wholes("kernel_shape")
        if not kernel:
            raise call.error("lacks the attribute 'kernel_shape'")
        ceil = call.flag("ceil_mode")
        attrs: Attrs = {**_window(call, kernel), "ceil": ceil, "clip": ceil}
        if channels_last:
            attrs["channels_last"] = True
        if kind == "lp_pool":
            attrs["p"] = call.whole("p", 2)
        if call.outputs < 2:
            return Step(kind, attrs, (0,))
        shape = shapes_by_rule(kind, attrs, [call.shape()], f"the node {call.path!r} ({call.type})")[0]
        return Step(kind, attrs, (0,), [shape, shape], dtypes=(call.value(0).dtype, "int64"))

    return rule


def global_pool(kind: str, *, channels_last: bool = False) -> Callable[[Call], Step]:
    """Return the rule of a pooling over all spatial axes, which stay with size 1."""

    def rule(call: Call) -> Step:
        rank = call.rank() - 2
        if rank < 1:
            raise call.impossible(f"pools an input of {call.rank()} axes, expected 3 or more")
        attrs: Attrs = {"kernel": (1,) * rank, "whole": True}
        if channels_last or call.flag("channels_last"):
            attrs["channels_last"] = True
        if kind == "lp_pool":
            attrs["p"] = call.whole("p", 2)
        return Step(kind, attrs, (0,))

    return rule


def max_unpool(call: Call) -> Step:
    """Elements put back in their places: a movement; the sizes are those that pooling would undo."""
    if call.has(2):
        return Step("view", {"shape": call.dims(2)}, (0,))
    shape, kernel = call.shape(), call.wholes("kernel_shape") or ()
    rank = len(kernel)
    strides, pads = call.wholes("strides") or (1,) * rank, call.wholes("pads") or (0,) * 2 * rank
    out = [
        (size - 1) * strides[axis] - pads[axis] - pads[axis + rank] + kernel[axis]
        for axis, size in enumerate(shape[2:])
    ]
    return Step("view", {"shape": (*shape[:2], *out)}, (0,))


_MODES: Mapping[str, str] = {
    "nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear",
    "cubic": "cubic", "bicubic": "cubic",
}  # fmt: skip


def _scaled(call: Call, size: Dim, scale: object) -> Dim:
    """Return ``floor(size scale)``, exactly for the fraction that a rounded scale represents."""
    if is_symbolic(scale):
        return truncate(size * scale)
    if not isinstance(scale, (int, float, Fraction)) or not scale > 0 or scale > 1e6:
        raise call.impossible(f"scales by {scale}, expected a number above 0")
    ratio = Fraction(scale).limit_denominator(1 << 16)
    if isinstance(size, int):
        return size * ratio.numerator // ratio.denominator
    return floordiv(size * ratio.numerator, ratio.denominator)


def _resized(call: Call) -> tuple[Shape, tuple[int, ...]]:
    """Return the output's shape, and the axes that the node names (all where it names none)."""
    shape = call.shape()
    axes = call.wholes("axes")
    picked = tuple(range(len(shape))) if axes is None else tuple(call.axis(a, len(shape)) for a in axes)
    sizes_at, scales_at = (3, 2) if call.type == "Resize" and call.opset >= 11 else (None, 1)
    given = sizes_at is not None and call.has(sizes_at) and call.value(sizes_at).shape != (0,)
    out = list(shape)
    if given and sizes_at is not None:
        sizes = call.dims(sizes_at)
        if len(sizes) != len(picked):
            raise call.impossible(f"has {len(sizes)} sizes for {len(picked)} axes")
        sizes = _kept_ratio(call, [shape[axis] for axis in picked], sizes)
        for axis, size in zip(picked, sizes, strict=True):
            out[axis] = size
        return tuple(out), picked
    found = call.attributes.get("scales")
    scales: Sequence[object] = found.floats if found is not None else call.array(scales_at).items
    if len(scales) != len(picked):
        raise call.impossible(f"has {len(scales)} scales for {len(picked)} axes")
    for axis, scale in zip(picked, scales, strict=True):
        out[axis] = _scaled(call, shape[axis], scale)
    return tuple(out), picked


def _kept_ratio(call: Call, old: list[Dim], new: Shape) -> Shape:
    """Apply ``keep_aspect_ratio_policy``: one scale for all axes, the smallest or the largest."""
    policy = call.word("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return new
    ratios = [
        Fraction(b, a) for a, b in zip(old, new, strict=True) if isinstance(a, int) and isinstance(b, int)
    ]
    if len(ratios) < len(old):
        raise Unshaped("which axis decides the scale is not known with symbols")
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return tuple(truncate(scale * size + Fraction(1, 2)) for size in old if isinstance(size, int))


def resize(call: Call) -> Step:
    """Interpolation to other sizes, or for older versions by scales."""
    out, _ = _resized(call)
    shape, mode = call.shape(), call.word("mode", "nearest")
    if mode not in _MODES:
        raise call.error(f"has the mode {mode!r}, expected one of {', '.join(_MODES)}")
    # The axes that change are the spatial ones, wherever the layout has them: tf2onnx writes Resize
    # between transposes, but NHWC networks converted by others have the channels last.
    changed = [axis for axis in range(len(shape)) if out[axis] != shape[axis]]
    last = len(shape) > 2 and bool(changed) and changed[0] == 1 and changed[-1] < len(shape) - 1
    rank = len(shape) - 2
    if rank < 1 or (changed and not last and changed[0] < 2):
        # Channels or samples are interpolated too: only the output's shape is sure.
        attrs: Attrs = {
            "mode": _MODES[mode],
            "axes": max(len(changed), 1),
            "size": (1,) * max(len(changed), 1),
        }
        return Step("resample", attrs, (0,), [out])
    size = out[1:-1] if last else out[2:]
    attrs = {"mode": _MODES[mode], "size": size, "axes": rank}
    if last:
        attrs["channels_last"] = True
    return Step("resample", attrs, (0,), [out])


def grid_sample(call: Call) -> Step:
    """Elements sampled at the places of a grid."""
    return Step(
        "grid_sample", {"mode": _MODES.get(call.word("mode", "linear") or "linear", "linear")}, (0, 1)
    )


def affine_grid(call: Call) -> Step:
    """The places of a grid under affine maps: (N, L1 .. Lr, r)."""
    size = call.dims(1)
    return Step("affine_grid", {"size": size[2:]}, (0,), [(size[0], *size[2:], len(size) - 2)])


def max_roi_pool(call: Call) -> Step:
    """The largest elements within regions; how many there are depends on the regions."""
    return Step("roi_pool", {"pooled": call.wholes("pooled_shape") or (1, 1)}, (0, 1))


def roi_align(call: Call) -> Step:
    """Each cell of a region's map joins ``sampling_ratio`` squared samples of the input.

    With a ratio of 0 their number follows from the regions' sizes, which are data.
    """
    shape, boxes = call.shape(), call.shape(1)[0]
    pooled = (call.whole("output_height", 1), call.whole("output_width", 1))
    ratio = call.whole("sampling_ratio", 0)
    if ratio <= 0:
        problem = "how many samples a cell takes depends on the regions (sampling_ratio is 0)"
        return Step(UNKNOWN, shapes=[(boxes, shape[1], *pooled)], problem=problem)
    grid = (boxes, pooled[0] * ratio, pooled[1] * ratio, 2)
    sampled = (boxes, shape[1], *grid[1:3])
    window: Attrs = {"kernel": (ratio, ratio), "stride": (ratio, ratio)}
    join = "max_pool" if call.word("mode", "avg") == "max" else "avg_pool"
    parts = (
        Part("sample", "grid_sample", {"mode": "linear"}, ((boxes, *shape[1:]), grid)),
        Part("pool", join, window, (sampled,)),
    )
    return Step(CONTAINER, parts=parts, shapes=[(boxes, shape[1], *pooled)])


def image_to_columns(call: Call) -> Step:
    """Col2Im: columns added into an image (N, C, sizes)."""
    image, block = call.dims(1), call.dims(2)
    shape = call.shape()
    channels = shape[1]
    for size in block:
        channels = floordiv(channels, size)
    out = (shape[0], channels, *image)
    return Step("accumulate", {"shape": out, "join": "sum"}, (0,))


def depth_to_space(call: Call) -> Step:
    """(N, C b b, H, W) becomes (N, C, H b, W b)."""
    return Step("pixel_shuffle", {"factor": call.whole("blocksize")}, (0,))


def space_to_depth(call: Call) -> Step:
    """(N, C, H, W) becomes (N, C b b, H / b, W / b)."""
    block = call.whole("blocksize")
    if call.rank() != 4 or block < 1:
        raise call.impossible("needs an input of 4 axes and a block above 0")
    batch, channels, height, width = call.shape()
    out = (batch, channels * block * block, floordiv(height, block), floordiv(width, block))
    return Step("view", {"shape": out}, (0,))


def center_crop_pad(call: Call) -> Step:
    """Axes cut or padded to given sizes."""
    sizes, shape = call.dims(1), list(call.shape())
    axes = call.wholes("axes")
    picked = range(len(shape)) if axes is None else [call.axis(axis, len(shape)) for axis in axes]
    for axis, size in zip(picked, sizes, strict=True):
        shape[axis] = size
    if not all(map(is_dim, shape)):
        raise call.impossible("has a size that is no number")
    return Step("view", {"shape": tuple(shape)}, (0,))


ROWS: Mapping[str, Row[Call]] = {
    "Conv": row(conv(), weights=WEIGHT_AND_BIAS),
    "ConvInteger": row(conv(1, 99, "int32"), 2, 3, weights=WEIGHT),
    "ConvTranspose": row(conv_transpose, weights=WEIGHT_AND_BIAS),
    "DeformConv": row(deform_conv, weights={1: "weight", 3: "bias"}),
    "QLinearConv": row(conv(3, 8), 1, 2, 4, 5, 6, 7, weights={3: "weight", 8: "bias"}),
    "MaxPool": row(pool("max_pool")),
    "AveragePool": row(pool("avg_pool")),
    "LpPool": row(pool("lp_pool")),
    "GlobalMaxPool": row(global_pool("max_pool")),
    "GlobalAveragePool": row(global_pool("avg_pool")),
    "GlobalLpPool": row(global_pool("lp_pool")),
    "MaxUnpool": row(max_unpool, 1, 2),
    "Resize": row(resize, 1, 2, 3),
    "Upsample": row(resize, 1),
    "GridSample": row(grid_sample),
    "AffineGrid": row(affine_grid, 1),
    "RoiAlign": row(roi_align, 2),
    "MaxRoiPool": row(max_roi_pool),
    "Col2Im": row(image_to_columns, 1, 2),
    "DepthToSpace": row(depth_to_space),
    "SpaceToDepth": row(space_to_depth),
    "CenterCropPad": row(center_crop_pad, 1),
}
