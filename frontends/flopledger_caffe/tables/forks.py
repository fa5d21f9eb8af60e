"""Layers that only forks have: the meanings of their fields, where published.

Sources: C3D's ``convolution3d_layer.cpp`` and ``pooling3d_layer.cpp``; the N-d layers of Caffe's pull request
3983 (video-caffe, C3D 1.1); FlowNet's ``correlation_layer.cpp`` and ``resample_layer.cpp``; CTPN's
``lstm_layer.cpp``, ``transpose_layer.cpp`` and ``reverse_layer.cpp``; MSRA's ``deformable_conv_layer.cpp``;
R-FCN's ``psroi_pooling_layer.cpp``. A fork may give the same name to another layer: a layer that does not fit
these rows becomes an unknown row, see :func:`flopledger_caffe.trace.Tracer`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger_caffe.tables import learned, windows
from flopledger_caffe.tables.row import MANY, Attrs, Blob, Operand, Row, Shapes
from flopledger_caffe.text.fields import KERNEL, NOT_NEGATIVE, PAD, POSITIVE, STRIDE, count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger_caffe.text.fields import View

_SEVERAL = (1, MANY)
_TRUE = MappingProxyType({"bias_term": True})


def _clip(view: View) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel, stride and padding of C3D's layers, whose clips are N, C, L, H, W.

    ``kernel_depth`` goes with ``kernel_size``, ``temporal_stride`` with ``stride`` and ``temporal_pad`` with
    ``pad``; the two latter default to 1 and 0, independently of the spatial ones.
    """
    if len(view.shape()) != 5:
        raise view.error(f"has an input with {len(view.shape())} axes, expected 5 (N, C, L, H, W)")
    params = view.params
    kernel = view.axes(2, KERNEL, 1, POSITIVE)
    stride = view.axes(2, STRIDE, 1, POSITIVE)
    pad = view.axes(2, PAD, 0, NOT_NEGATIVE)
    return (
        (view.required("kernel_depth"), *kernel),
        (params.number("temporal_stride", 1, POSITIVE), *stride),
        (params.number("temporal_pad", 0, NOT_NEGATIVE), *pad),
    )


def clip_conv_attrs(view: View) -> Attrs:
    """Return the attributes of C3D's convolution."""
    kernel, stride, padding = _clip(view)
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "out_channels": view.required("num_output"),
        "groups": view.params.number("group", 1, POSITIVE),
        "bias": view.flag("bias_term", default=True),
    }


def clip_conv_blobs(view: View) -> tuple[Blob, ...]:
    """Weight (C_out, C_in / group, L, H, W) and bias (C_out,)."""
    kernel, _, _ = _clip(view)
    return windows.conv_weights(view, kernel)


def clip_pool_attrs(view: View) -> Attrs:
    """Return C3D's window; it rounds as Caffe does."""
    kernel, stride, padding = _clip(view)
    return {"kernel": kernel, "stride": stride, "padding": padding, "ceil": True, "clip": any(padding)}


def correlation_attrs(view: View) -> Attrs:
    """Return patches and displacements; the sum of differences, SUBTRACT, has no formula here."""
    params = view.params
    view.required("max_displacement")
    if params.word("correlation_type", {"MULTIPLY": 0, "SUBTRACT": 1}, "MULTIPLY") != "MULTIPLY":
        raise view.error("subtracts the patches, for which there is no formula")
    return {
        "kernel": view.required("kernel_size"),
        "displacement": view.required("max_displacement"),
        "displacement_stride": params.number("stride_2", 1, POSITIVE),
        "stride": params.number("stride_1", 1, POSITIVE),
        "padding": params.number("pad", 0, NOT_NEGATIVE),
    }


def resample_attrs(view: View) -> Attrs:
    """Return the sizes: those given, else those of the second bottom."""
    modes = {"NEAREST": 1, "LINEAR": 2, "CUBIC": 3, "AREA": 4}
    mode = view.params.word("type", modes, "LINEAR")
    if mode == "AREA":
        raise view.error("averages areas, for which there is no formula")
    if len(view.shapes) > 1:
        size = view.size(2, bottom=1), view.size(3, bottom=1)
    else:
        size = view.required("height"), view.required("width")
    return {"mode": mode.lower(), "size": size}


def turn_attrs(view: View) -> Attrs:
    """Return the order of the axes."""
    order = view.params.numbers("dim", (0, 31))
    if sorted(order) != list(range(len(view.shape()))):
        raise view.error(f"has the order {order}, its input {len(view.shape())} axes")
    return {"order": order}


def steps_operands(view: View) -> tuple[Operand, ...]:
    """The sequence as steps, batch and features; T N rows are taken for as many steps of one, as dear."""
    shape = view.shape()
    if len(shape) >= 3:
        return (Operand(0, (*shape[:2], count(shape, 2))),)
    return (Operand(0, (view.size(0), 1, count(shape, 1))),)


def steps_attrs(view: View) -> Attrs:
    """Return the state's size; one bias for each gate."""
    return {"hidden_size": view.required("num_output"), "biases": 1}


def steps_tops(view: View) -> Shapes:
    """The state of each step."""
    shape = view.shape()
    return ((*shape[: 2 if len(shape) >= 3 else 1], view.required("num_output")),)


def steps_blobs(view: View) -> tuple[Blob, ...]:
    """Input (4H, I), state (4H, H) and bias (4H,)."""
    hidden, shape = view.required("num_output"), view.shape()
    return (
        Blob("weight_input", "weight", (4 * hidden, count(shape, 2 if len(shape) >= 3 else 1))),
        Blob("weight_hidden", "weight", (4 * hidden, hidden)),
        Blob("bias", "bias", (4 * hidden,)),
    )


def instance_tops(view: View) -> Shapes:
    """The loss, and the loss of each region (N, 1, H, W)."""
    return ((), (view.size(0), 1, view.size(2), view.size(3)))[: view.tops]


def regions_tops(view: View) -> Shapes:
    """Each region gives (output_dim, pooled_height, pooled_width) (MSRA's ``deformable_psroi_pooling``)."""
    size = view.params.number("pooled_size", view.params.number("group_size", 0, NOT_NEGATIVE), POSITIVE)
    return ((view.size(0, bottom=1), view.required("output_dim"), size, size),)


ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "Convolution3D": Row(
            "conv", "convolution_param", clip_conv_attrs, clip_conv_blobs,
            bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
        ),
        "Pooling3D": Row(
            windows.pool_kind, "pooling_param", clip_pool_attrs,
            defaults={"pool": "MAX"}, words={"pool": windows.METHODS},
        ),
        "NdConvolution": Row(
            "conv", "convolution_param", windows.conv_attrs, windows.conv_blobs,
            bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
        ),
        "NdDeconvolution": Row(
            "conv_transpose", "convolution_param", windows.conv_attrs, windows.deconv_blobs,
            bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
        ),
        "NdPooling": Row(
            windows.pool_kind, "pooling_param", windows.pool_attrs,
            defaults={"pool": "MAX"}, words={"pool": windows.METHODS},
        ),
        "Correlation": Row("correlation", "correlation_param", correlation_attrs, bottoms=(2, 2)),
        "Resample": Row("resample", "resample_param", resample_attrs, bottoms=(1, 2)),
        "Transpose": Row("transpose", "transpose_param", turn_attrs),
        "Reverse": Row("flip", "reverse_param"),
        "Lstm": Row(
            "lstm", "lstm_param", steps_attrs, steps_blobs, operands=steps_operands, tops=steps_tops,
            bottoms=(1, 2),
        ),
        "DeformableConvolution": Row(
            "deform_conv", "deformable_convolution_param", windows.conv_attrs, windows.conv_blobs,
            bottoms=(2, 2), operands=lambda _: (Operand(0),), defaults=_TRUE,
        ),
        "SoftmaxWithLossOHEM": Row(
            "softmax_cross_entropy", "softmax_param", learned.classes_attrs, made=(0, MANY), bottoms=(1, 3),
            labels=1, tops=learned.loss_tops,
        ),
        "SmoothL1LossOHEM": Row(
            "smooth_l1", "smooth_l1_loss_param", made=(0, MANY), bottoms=(1, 4), labels=1, tops=instance_tops,
        ),
        "PSROIAlign": Row(
            params="psroi_align_param", tops=regions_tops, bottoms=(2, 2),
            why="the operations of 'PSROIAlign' depend on the regions",
        ),
        "DeformablePSROIPooling": Row(
            params="deformable_psroi_pooling_param", tops=regions_tops, bottoms=(2, 3),
            why="the operations of 'DeformablePSROIPooling' depend on the regions",
        ),
    }
)  # fmt: skip
"""Each type by its name."""
