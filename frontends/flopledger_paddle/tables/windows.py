"""Convolutions, pooling and other ops on windows, as kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import ceildiv, floordiv, maximum

from flopledger_paddle.tables.call import Meaning, Open, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Dim, Shape, Value

    from flopledger_paddle.tables.call import Op


def _last(op: Op) -> bool:
    return str(op.attr("data_format", "NCHW"))[-1] == "C"


def _sizes(op: Op, rank: int) -> Shape:
    """Return the spatial sizes of the input."""
    shape = op.shape(0)
    return shape[1 : 1 + rank] if _last(op) else shape[2:]


def _pairs(op: Op, kernel: Sequence[Dim], stride: Sequence[int]) -> tuple[tuple[Dim, Dim], ...]:
    """Return the padding before and after along each axis."""
    algorithm = op.attr("padding_algorithm", "EXPLICIT")
    if algorithm == "VALID":
        return ((0, 0),) * len(kernel)
    if algorithm == "SAME":
        pairs: list[tuple[Dim, Dim]] = []
        for size, k, s in zip(_sizes(op, len(kernel)), kernel, stride, strict=True):
            whole = maximum((ceildiv(size, s) - 1) * s + k - size, 0)
            before = floordiv(whole, 2)
            pairs.append((before, whole - before))
        return tuple(pairs)
    given = list(op.attr("paddings"))
    if len(given) == len(kernel):
        return tuple((p, p) for p in given)
    return tuple(zip(given[::2], given[1::2], strict=True))


def _dilations(op: Op, rank: int) -> tuple[int, ...]:
    """Return the dilations; with the padding SAME Paddle takes 1."""
    same = op.attr("padding_algorithm", "EXPLICIT") == "SAME"
    return (1,) * rank if same else tuple(op.attr("dilations"))


def conv(op: Op) -> Meaning:
    """A convolution; its weight is (C_out, C_in / g, K...)."""
    out, _, *kernel = op.shape(1)
    stride = tuple(op.attr("strides"))
    same = op.attr("padding_algorithm", "EXPLICIT") == "SAME"
    attrs: dict[str, Value] = {
        "kernel": tuple(kernel),
        "out_channels": out,
        "stride": stride,
        "padding": "same" if same else _pairs(op, kernel, stride),
        "dilation": _dilations(op, len(kernel)),
        "groups": op.attr("groups"),
        "channels_last": _last(op),
    }
    return Meaning("conv", attrs)


def deform_conv(op: Op) -> Meaning:
    """A deformable convolution: offsets are its second operand, its weight the third, a mask the fourth."""
    out, _, *kernel = op.shape(2)
    attrs: dict[str, Value] = {
        "kernel": tuple(kernel),
        "out_channels": out,
        "stride": tuple(op.attr("strides")),
        "padding": tuple(op.attr("paddings")),
        "dilation": tuple(op.attr("dilations")),
        "groups": op.attr("groups"),
        "mask": op.given(3),
    }
    return Meaning("deform_conv", attrs)


def conv_transpose(op: Op) -> Meaning:
    """A transposed convolution; its weight is (C_in, C_out / g, K...).

    Whatever an asked-for output size adds is its output padding; with open sizes nothing is added.
    """
    _, out, *kernel = op.shape(1)
    rank, groups = len(kernel), op.attr("groups")
    stride, dilation = tuple(op.attr("strides")), _dilations(op, rank)
    pairs = _pairs(op, kernel, stride)
    try:
        result = op.result(0)
        reached = result[1 : 1 + rank] if _last(op) else result[2:]
    except Open:
        reached = ()
    extra = tuple(
        after - (s * (size - 1) + d * (k - 1) + 1 - before - behind)
        for after, size, k, s, d, (before, behind) in zip(
            reached, _sizes(op, rank), kernel, stride, dilation, pairs, strict=False
        )
    )
    attrs: dict[str, Value] = {
        "kernel": tuple(kernel),
        "out_channels": out * groups,
        "stride": stride,
        "padding": pairs,
        "dilation": dilation,
        "groups": groups,
        "channels_last": _last(op),
        "output_padding": extra or None,
    }
    return Meaning("conv_transpose", attrs)


def pool(op: Op) -> Meaning:
    """A pooling of two or three axes; the kernel is an attribute or a constant."""
    kernel = tuple(op.attr("kernel_size", None) or op.constant(1))
    what = {"max": "max", "avg": "avg", "lp": "lp"}[op.attr("pooling_type", "max")]
    if op.attr("adaptive"):
        return Meaning(f"adaptive_{what}_pool", {"output_size": kernel, "channels_last": _last(op)})
    if op.attr("global_pooling"):
        attrs: dict[str, Any] = {"kernel": (0,) * len(kernel), "whole": True, "channels_last": _last(op)}
        return Meaning(f"{what}_pool", attrs)
    stride = tuple(op.attr("strides"))
    attrs = {
        "kernel": kernel,
        "stride": stride,
        "padding": _pairs(op, kernel, stride),
        "ceil": op.attr("ceil_mode"),
        "channels_last": _last(op),
    }
    if what == "lp":
        attrs["p"] = int(op.attr("norm_type"))
    return Meaning(f"{what}_pool", attrs)


def unfold(op: Op) -> Meaning:
    """The elements under each position of a kernel, as columns; paddings are top, left, bottom, right."""
    top, left, bottom, right = op.attr("paddings")
    attrs: dict[str, Value] = {
        "kernel": tuple(op.attr("kernel_sizes")),
        "stride": tuple(op.attr("strides")),
        "padding": ((top, bottom), (left, right)),
        "dilation": tuple(op.attr("dilations")),
        "flat": True,
    }
    return Meaning("im2col", attrs)


def pad3d(op: Op) -> Meaning:
    """Padding of three axes, the last axis first."""
    given = list(op.constant(1))
    pairs = tuple(zip(given[::2], given[1::2], strict=True))[::-1]
    outer = ((0, 0),)
    padding = (*outer, *pairs, *outer) if _last(op) else (*outer, *outer, *pairs)
    return Meaning("pad", {"padding": padding})


def pad(op: Op) -> Meaning:
    """Padding of every axis, the first axis first."""
    given = list(op.attr("paddings"))
    return Meaning("pad", {"padding": tuple(zip(given[::2], given[1::2], strict=True))})


def interpolate(op: Op) -> Meaning:
    """A resampling to the sizes of the output."""
    mode = op.attr("interp_method")
    modes = {"nearest": "nearest", "bicubic": "cubic"}
    axes = len(op.shape(0)) - 2
    try:
        result = op.result(0)
        size = result[1:-1] if _last(op) else result[2:]
    except Open:
        size = _asked_size(op, axes)
    attrs: dict[str, Value] = {
        "mode": modes.get(mode, "linear"),
        "size": tuple(size),
        "axes": axes,
        "channels_last": _last(op),
    }
    return Meaning("resample", attrs)


def _asked_size(op: Op, axes: int) -> Shape:
    """Return the sizes that an interpolation is asked for: by a tensor, tensors, numbers or factors."""
    for place in (1, 2):
        if op.given(place):
            return tuple(whole(size) for size in op.constant(place))
    numbers = [op.attr(name) for name in ("out_d", "out_h", "out_w")][-axes:]
    if min(numbers) > 0:
        return tuple(numbers)
    factors = list(op.attr("scale")) or op.constant(3)
    factors = list(factors) if isinstance(factors, (list, tuple)) else [factors]
    factors = factors * axes if len(factors) == 1 else factors
    if not all(float(factor).is_integer() for factor in factors):
        raise Open(f"the output of {op.name} is a fraction of its input's sizes")
    return tuple(size * int(factor) for size, factor in zip(_sizes(op, axes), factors, strict=True))
