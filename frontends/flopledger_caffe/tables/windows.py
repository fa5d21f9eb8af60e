"""Layers with a kernel or a grid: convolution, pooling, resampling.

Sources: Caffe's ``base_conv_layer.cpp``, ``conv_layer.cpp``, ``deconv_layer.cpp``, ``pooling_layer.cpp``,
``im2col_layer.cpp``, ``spp_layer.cpp``; DeepLab's ``interp_layer.cpp``; SegNet's ``upsample_layer.cpp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import floordiv, product

from flopledger_caffe.tables.row import Attrs, Blob, Operand, Shapes
from flopledger_caffe.text.fields import (
    KERNEL,
    NOT_NEGATIVE,
    PAD,
    POSITIVE,
    STRIDE,
    kernel,
    spatial_rank,
    window,
)
from flopledger_caffe.text.message import INT32

if TYPE_CHECKING:
    from flopledger.frontend import Dim

    from flopledger_caffe.text.fields import View

METHODS = {"MAX": 0, "AVE": 1, "STOCHASTIC": 2}
_POOLS = {"MAX": "max_pool", "AVE": "avg_pool", "STOCHASTIC": "stochastic_pool"}
_ROUNDING = {"CEIL": 0, "FLOOR": 1}


def conv_operands(view: View) -> tuple[Operand, ...]:
    """All axes before the channels are one batch, as ``base_conv_layer.cpp`` takes them."""
    axis = view.axis(1)
    if axis < 2:
        return tuple(Operand(i) for i in range(len(view.shapes)))
    shapes = view.all_shapes()
    return tuple(Operand(i, (product(shape[:axis]), *shape[axis:])) for i, shape in enumerate(shapes))


def conv_restore(view: View, made: Shapes) -> Shapes:
    """Put the axes before the channels back."""
    axis = view.axis(1)
    if axis < 2:
        return made
    shapes = zip(view.all_shapes(), made, strict=True)
    return tuple(given[:axis] + shape[1:] for given, shape in shapes if shape is not None)


def conv_attrs(view: View) -> Attrs:
    """Return the attributes that both convolutions share."""
    return {
        **window(view, spatial_rank(view)),
        "out_channels": view.required("num_output"),
        "groups": view.params.number("group", 1, POSITIVE),
        "bias": view.flag("bias_term", default=True),
    }


def depthwise_attrs(view: View) -> Attrs:
    """Return the same for the forks whose group is the number of channels where none is given."""
    if "group" in view.params:
        return conv_attrs(view)
    return {**conv_attrs(view), "groups": view.size(view.axis(1))}


def _bias(view: View, channels: Dim) -> tuple[Blob, ...]:
    return (Blob("bias", "bias", (channels,)),) if view.flag("bias_term", default=True) else ()


def conv_blobs(view: View) -> tuple[Blob, ...]:
    """Weight (C_out, C_in / group, kernel) and bias (C_out,)."""
    return _conv_blobs(view, view.params.number("group", 1, POSITIVE))


def depthwise_blobs(view: View) -> tuple[Blob, ...]:
    """Weight (C_out, 1, kernel) and bias (C_out,), unless a group is given."""
    if "group" in view.params:
        return conv_blobs(view)
    return _conv_blobs(view, view.size(view.axis(1)))


def conv_weights(view: View, size: tuple[int, ...]) -> tuple[Blob, ...]:
    """Weight (C_out, C_in / group, size) and bias (C_out,)."""
    return _conv_blobs(view, view.params.number("group", 1, POSITIVE), size)


def _conv_blobs(view: View, groups: Dim, size: tuple[int, ...] | None = None) -> tuple[Blob, ...]:
    out, channels = view.required("num_output"), view.size(view.axis(1))
    spatial = kernel(view, spatial_rank(view)) if size is None else size
    shape = (out, floordiv(channels, groups), *spatial)
    return Blob("weight", "weight", shape), *_bias(view, out)


def deconv_blobs(view: View) -> tuple[Blob, ...]:
    """Weight (C_in, C_out / group, kernel) and bias (C_out,)."""
    out, channels = view.required("num_output"), view.size(view.axis(1))
    groups = view.params.number("group", 1, POSITIVE)
    shape = (channels, out // groups, *kernel(view, spatial_rank(view)))
    return Blob("weight", "weight", shape), *_bias(view, out)


def pool_kind(view: View) -> str:
    """Return the kind of pooling that the field ``pool`` names."""
    return _POOLS[view.params.word("pool", METHODS, "MAX")]


def pool_attrs(view: View) -> Attrs:
    """Return the window; Caffe rounds up, and clips the last window only where there is padding."""
    rank = len(view.shape()) - 2
    # BVLC's takes 4 axes alone; the clips of video-caffe and C3D 1.1 have 5 (N, C, L, H, W).
    if rank not in (2, 3):
        raise view.error(f"pools an input with {rank + 2} axes, expected 4 (N, C, H, W)")
    given = [name for name in KERNEL if name in view.params]
    stride = view.axes(rank, STRIDE, 1, POSITIVE)
    padding = view.axes(rank, PAD, 0, NOT_NEGATIVE)
    if view.flag("global_pooling", default=False):
        if given:
            raise view.error(f"has global_pooling and also {given[0]}, expected one of them")
        if any(padding) or any(step != 1 for step in stride):
            raise view.error("has global_pooling, which needs a pad of 0 and a stride of 1")
        return {"kernel": (0,) * rank, "whole": True}
    size = kernel(view, rank)
    if any(pad >= k for pad, k in zip(padding, size, strict=True)):
        raise view.error(f"has the padding {padding}, which must be smaller than the kernel {size}")
    if any(padding) and pool_kind(view) == "stochastic_pool":
        raise view.error("pads a stochastic pooling, padding goes only with MAX and AVE")
    ceil = view.params.word("round_mode", _ROUNDING, "CEIL") == "CEIL" and view.flag(
        "ceil_mode", default=True
    )
    # Intel's Caffe clips the last window for a kernel of 1 as well (its pooling_layer.cpp); where a file fits
    # only so, the reader tries that to name it in the error.
    clip = any(padding) or (view.clips_ones and 1 in size)
    return {"kernel": size, "stride": stride, "padding": padding, "ceil": ceil, "clip": clip}


def pool_mask(view: View) -> Shapes:
    """The second top, the position of each maximum, has the shape of the first; only MAX has it."""
    if pool_kind(view) != "max_pool":
        raise view.error("has a second top, the places of the maxima, which only MAX gives")
    return (None,)


def im2col_attrs(view: View) -> Attrs:
    """Return the window of im2col."""
    return {**window(view, spatial_rank(view))}


def spp_attrs(view: View) -> Attrs:
    """Return the levels, and how each is pooled."""
    method = _POOLS[view.params.word("pool", METHODS, "MAX")].removesuffix("_pool")
    view.required("pyramid_height")
    return {"height": view.params.number("pyramid_height", 1, (1, 16)), "method": method}


def interp_attrs(view: View) -> Attrs:
    """Return the spatial sizes: given, or the input's shrunk, zoomed, or both, corners aligned."""
    return {"mode": "linear", "size": tuple(_interp_size(view, axis) for axis in (2, 3))}


def _interp_size(view: View, axis: int) -> Dim:
    """Return a size of DeepLab's and PSPNet's ``Interp`` (``interp_layer.cpp``): cut, shrunk, then zoomed."""
    if len(view.shapes) > 1:
        return view.size(axis, bottom=1)
    params, given = view.params, ("height", "width")[axis - 2]
    if given in params:
        return view.required(given)
    pads = ("pad_beg", "pad_end")
    size = view.size(axis) + sum(params.number(pad, 0, INT32) for pad in pads)
    if "shrink_factor" in params:
        size = floordiv(size - 1, view.required("shrink_factor")) + 1
    if "zoom_factor" in params:
        size = size + (size - 1) * (view.required("zoom_factor") - 1)
    elif "shrink_factor" not in params:
        raise view.error("has neither height and width nor zoom_factor or shrink_factor")
    return size


def upsample_attrs(view: View) -> Attrs:
    """Return the spatial sizes: given, or the input's times a scale, less one where it is padded."""
    return {"mode": "nearest", "size": (_upsampled(view, "h", 2), _upsampled(view, "w", 3))}


def _upsampled(view: View, letter: str, axis: int) -> Dim:
    params = view.params
    if f"upsample_{letter}" in params:
        return view.required(f"upsample_{letter}")
    scale = params.number(f"scale_{letter}", params.number("scale", 2, POSITIVE), POSITIVE)
    return view.size(axis) * scale - int(view.flag(f"pad_out_{letter}", default=False))


def roi_attrs(view: View) -> Attrs:
    """Return the sizes that each region is pooled to."""
    return {"pooled": (view.required("pooled_h"), view.required("pooled_w"))}


def roi_tops(view: View) -> Shapes:
    """Each region of the second bottom gives (C, pooled_h, pooled_w)."""
    return ((view.size(0, bottom=1), view.size(1), view.required("pooled_h"), view.required("pooled_w")),)


def psroi_tops(view: View) -> Shapes:
    """Each region gives (output_dim, group_size, group_size) (R-FCN's ``psroi_pooling_layer.cpp``)."""
    size = view.required("group_size")
    return ((view.size(0, bottom=1), view.required("output_dim"), size, size),)


def prior_attrs(view: View) -> Attrs:
    """Return the boxes at each position (SSD's ``prior_box_layer.cpp``).

    Each smallest size has one box for each aspect ratio, 1 among them, and its inverse if flipped;
    each largest size has one more.
    """
    params = view.params
    ratios: list[float] = [1.0]
    for ratio in params.reals("aspect_ratio"):
        if ratio <= 0:
            raise view.error(f"has the aspect ratio {ratio}, expected more than 0")
        if all(abs(ratio - known) >= 1e-6 for known in ratios):
            ratios.append(ratio)
            if view.flag("flip", default=True):
                ratios.append(1 / ratio)
    return {"priors": len(ratios) * len(params.reals("min_size")) + len(params.reals("max_size"))}


def reorg_attrs(view: View) -> Attrs:
    """(N, C, H, W) becomes (N, C s s, H / s, W / s)."""
    stride = view.params.number("stride", 2, POSITIVE)
    if len(view.shape()) != 4:
        raise view.error(f"has an input with {len(view.shape())} axes, expected 4 (N, C, H, W)")
    batch, channels, height, width = view.shape()
    shape = (batch, channels * stride**2, floordiv(height, stride), floordiv(width, stride))
    return {"shape": shape}
