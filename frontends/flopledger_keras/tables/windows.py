"""Neutral attributes of operations on windows: convolutions and pools, as layers and as operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from flopledger.frontend import Shape, Value


def channels_last(op: Any) -> bool:
    """Return the layout of a layer or operation, the configured one where it is open.

    Cropping1D and UpSampling1D have no layout to choose: they work on (batch, steps, features).
    """
    layout = getattr(op, "data_format", "channels_last")
    return str(layout or keras.config.image_data_format()) == "channels_last"


def spread(value: object, rank: int) -> tuple[int, ...]:
    """Return a number, or one for each axis, as one for each axis."""
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    return tuple(int(str(v)) for v in found)


def _window(op: Any, rank: int) -> dict[str, Value]:
    attrs: dict[str, Value] = {}
    strides = getattr(op, "strides", 1)
    if any(s != 1 for s in spread(strides, rank)):
        attrs["stride"] = spread(strides, rank)
    dilation = getattr(op, "dilation_rate", 1)
    if any(d != 1 for d in spread(dilation, rank)):
        attrs["dilation"] = spread(dilation, rank)
    if channels_last(op):
        attrs["channels_last"] = True
    return attrs


def padding(op: Any, kernel: tuple[int, ...]) -> dict[str, Value]:
    """Return the padding: none, "same", or before the first step only."""
    word = str(op.padding).lower()
    if word == "valid":
        return {}
    if word == "causal":
        (dilation,) = spread(op.dilation_rate, 1)
        return {"padding": ((dilation * (kernel[0] - 1), 0),)}
    return {"padding": "same"}


def conv_layer_attrs(layer: Any) -> dict[str, Value]:
    """Return the attributes of a convolution layer."""
    kernel = spread(layer.kernel_size, layer.rank)
    attrs = {"kernel": kernel, "out_channels": int(layer.filters), **_window(layer, layer.rank)}
    groups = int(getattr(layer, "groups", 1))
    if groups != 1:
        attrs["groups"] = groups
    return {**attrs, **padding(layer, kernel), **bias(layer)}


def bias(layer: Any) -> dict[str, Value]:
    """Return the attribute of a layer that adds a bias."""
    return {"bias": True} if layer.use_bias else {}


def depthwise_layer_attrs(layer: Any, channels: int) -> dict[str, Value]:
    """Return the attributes of a depthwise convolution: one group for each channel."""
    kernel = spread(layer.kernel_size, layer.rank)
    attrs: dict[str, Value] = {
        "kernel": kernel,
        "out_channels": channels * int(layer.depth_multiplier),
        "groups": channels,
    }
    return {**attrs, **_window(layer, layer.rank), **padding(layer, kernel)}


def pointwise_attrs(layer: Any) -> dict[str, Value]:
    """Return the attributes of the second half of a separable convolution."""
    attrs: dict[str, Value] = {"kernel": (1,) * layer.rank, "out_channels": int(layer.filters)}
    if channels_last(layer):
        attrs["channels_last"] = True
    return {**attrs, **bias(layer)}


def conv_attrs(op: Any, data: Shape, weight: Shape) -> dict[str, Value]:
    """Return the attributes of ``keras.ops.conv``; the weight is kernel, input channels, filters."""
    kernel = tuple(int(str(k)) for k in weight[:-2])
    attrs: dict[str, Value] = {"kernel": kernel, "out_channels": weight[-1], **_window(op, len(kernel))}
    channels = data[-1] if channels_last(op) else data[-len(kernel) - 1]
    if isinstance(channels, int) and isinstance(weight[-2], int) and channels != weight[-2]:
        attrs["groups"] = channels // weight[-2]
    return {**attrs, **padding(op, kernel)}


def depthwise_attrs(op: Any, data: Shape, weight: Shape) -> dict[str, Value]:
    """Return the attributes of ``keras.ops.depthwise_conv``; the weight is kernel, channels, multiplier."""
    kernel = tuple(int(str(k)) for k in weight[:-2])
    channels = data[-1] if channels_last(op) else data[-len(kernel) - 1]
    attrs: dict[str, Value] = {
        "kernel": kernel,
        "out_channels": channels * weight[-1],
        "groups": channels,
    }
    return {**attrs, **_window(op, len(kernel)), **padding(op, kernel)}


def _transposed(op: Any, kernel: tuple[int, ...]) -> dict[str, Value]:
    """Return padding and output padding as Keras takes them from its words.

    "valid" gives ``s (L - 1) + max(K, s)`` with K the dilated kernel, "same" ``s L``; an output
    padding that is given goes on top of ``s (L - 1) + K``, less ``2 floor(K / 2)`` for "same".
    """
    rank = len(kernel)
    given = getattr(op, "output_padding", None)
    extras = (None,) * rank if given is None else spread(given, rank)
    pads, extra = [], []
    sizes = zip(kernel, spread(op.strides, rank), spread(op.dilation_rate, rank), extras, strict=True)
    for k, stride, dilation, more in sizes:
        extent = dilation * (k - 1) + 1
        same = str(op.padding).lower() == "same"
        if more is not None:
            pads.append((extent // 2, extent // 2) if same else (0, 0))
            extra.append(more)
        else:
            pads.append((max(extent - stride, 0), 0) if same else (0, 0))
            extra.append(max(stride - extent, 0))
    return {"padding": tuple(pads), "output_padding": tuple(extra)}


def conv_transpose_layer_attrs(layer: Any) -> dict[str, Value]:
    """Return the attributes of a transposed convolution layer."""
    kernel = spread(layer.kernel_size, layer.rank)
    attrs: dict[str, Value] = {"kernel": kernel, "out_channels": int(layer.filters)}
    return {**attrs, **_window(layer, layer.rank), **_transposed(layer, kernel), **bias(layer)}


def conv_transpose_attrs(op: Any, weight: Shape) -> dict[str, Value]:
    """Return the attributes of ``keras.ops.conv_transpose``; the weight is kernel, filters, channels."""
    kernel = tuple(int(str(k)) for k in weight[:-2])
    attrs: dict[str, Value] = {"kernel": kernel, "out_channels": weight[-2]}
    return {**attrs, **_window(op, len(kernel)), **_transposed(op, kernel)}


def pool_attrs(op: Any, rank: int) -> dict[str, Value]:
    """Return the attributes of a pool; where no stride is given it is the window."""
    kernel = spread(op.pool_size, rank)
    stride = kernel if op.strides is None else spread(op.strides, rank)
    attrs: dict[str, Value] = {"kernel": kernel, "stride": stride}
    if channels_last(op):
        attrs["channels_last"] = True
    return {**attrs, **padding(op, kernel)}
