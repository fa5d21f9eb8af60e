"""Caffe's windows: convolutions, pools, resizing, regions and prior boxes, with the shapes of their tops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import blobs, one, shapes
from flopledger.errors import SourceError
from flopledger.kinds import Call, builtin

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.dims.types import Shape

CONV = "convolution_param {{ num_output: {} {} }}"


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "top"),
    [
        ("Reorg reorg_param { stride: 2 }", "1x3x4x6", "view", (1, 12, 2, 3)),
        ("Im2col convolution_param { kernel_size: 3 stride: 2 }", "1x3x7x7", "im2col", (1, 27, 3, 3)),
        ("SPP spp_param { pyramid_height: 3 }", "2x8x13x13", "pyramid_pool", (2, 168)),
    ],
)
def test_a_layer_without_weights(read: Read, layer: str, inputs: str, kind: str, top: Shape) -> None:
    graph, found = one(read, layer, inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, [top], {})


# Caffe rounds up: 6 + 1 windows of 3 step 2 on 14; with padding the last must start inside.
@pytest.mark.parametrize(
    ("fields", "size", "top"),
    [
        ("kernel_size: 3 stride: 2", "14x14", (7, 7)),  # ceil(11 / 2) + 1
        ("kernel_size: 3 stride: 2 round_mode: FLOOR", "14x14", (6, 6)),  # floor(11 / 2) + 1
        ("kernel_size: 3 stride: 2 ceil_mode: false", "14x14", (6, 6)),
        ("kernel_size: 2 stride: 2 pad: 1", "7x7", (4, 4)),  # ceil(7 / 2) + 1 = 5 would start at 8 = 7 + 1
        ("kernel_size: 2 stride: 2 pad: 1", "6x6", (4, 4)),  # 6 / 2 + 1 = 4 starts at 6 < 6 + 1
        ("kernel_size: 1 stride: 3", "5x5", (3, 3)),  # ceil(4 / 3) + 1 = 3 starts at 6; unpadded, so it stays
        (
            "kernel_size: 3 stride: 3 pad_h: 1 pad_w: 0",
            "9x4",
            (4, 2),
        ),  # ceil(8/3)+1 = 4 at 9 < 10; ceil(1/3)+1 = 2
        ("kernel_h: 3 kernel_w: 1 stride_h: 2 stride_w: 1", "7x5", (3, 5)),
        ("global_pooling: true", "7x5", (1, 1)),
        ("kernel_size: 3", "3x3", (1, 1)),
    ],
)
def test_pooling_rounds_up_and_clips_where_there_is_padding(
    read: Read, fields: str, size: str, top: Shape
) -> None:
    graph, found = one(read, f"Pooling pooling_param {{ pool: MAX {fields} }}", f"1x2x{size}")
    assert shapes(graph, found) == [(1, 2, *top)]


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("", "max_pool"),
        ("pool: AVE", "avg_pool"),
        ("pool: STOCHASTIC", "stochastic_pool"),
        ("pool: 1", "avg_pool"),
    ],
)
def test_pooling_has_three_methods(read: Read, method: str, kind: str) -> None:
    _, found = one(read, f"Pooling pooling_param {{ {method} kernel_size: 2 }}", "1x2x4x4")
    assert found.kind == kind
    assert (
        found.native["pool"] == {"max_pool": "MAX", "avg_pool": "AVE", "stochastic_pool": "STOCHASTIC"}[kind]
    )


def test_pooling_gives_the_places_of_maxima(read: Read) -> None:
    graph, found = one(
        read, 'Pooling top: "y" top: "mask" pooling_param { kernel_size: 2 stride: 2 }', "1x2x4x4"
    )
    assert shapes(graph, found) == [(1, 2, 2, 2), (1, 2, 2, 2)]
    with pytest.raises(SourceError, match="which only MAX gives"):
        one(read, 'Pooling top: "y" top: "m" pooling_param { pool: AVE kernel_size: 2 }', "1x2x4x4")


@pytest.mark.parametrize(
    ("fields", "inputs", "top", "weight"),
    [
        ("kernel_size: 3", "2x4x8x9", (2, 6, 6, 7), (6, 4, 3, 3)),
        ("kernel_size: 3 pad: 1 stride: 2", "1x4x8x9", (1, 6, 4, 5), (6, 4, 3, 3)),
        (
            "kernel_h: 1 kernel_w: 3 pad_h: 0 pad_w: 1 stride_h: 2 stride_w: 1",
            "1x4x8x9",
            (1, 6, 4, 9),
            (6, 4, 1, 3),
        ),
        ("kernel_size: 3 kernel_size: 5 pad: [1, 2]", "1x4x8x9", (1, 6, 8, 9), (6, 4, 3, 5)),
        ("kernel_size: 3 dilation: 2", "1x4x8x9", (1, 6, 4, 5), (6, 4, 3, 3)),
        ("kernel_size: 3 group: 2", "1x4x8x9", (1, 6, 6, 7), (6, 2, 3, 3)),
        ("kernel_size: 3", "1x4x9", (1, 6, 7), (6, 4, 3)),
        ("kernel_size: 3 stride: 2 stride: 1 stride: 1", "1x4x5x6x7", (1, 6, 2, 4, 5), (6, 4, 3, 3, 3)),
        ("kernel_size: 3 axis: -3", "2x4x8x9", (2, 6, 6, 7), (6, 4, 3, 3)),
    ],
)
def test_convolution(read: Read, fields: str, inputs: str, top: Shape, weight: Shape) -> None:
    graph, found = one(read, "Convolution " + CONV.format(6, fields), inputs)
    assert found.kind == "conv"
    assert shapes(graph, found) == [top]
    assert blobs(graph, found) == {"weight": weight, "bias": (6,)}


def test_convolution_without_bias(read: Read) -> None:
    graph, found = one(read, "Convolution " + CONV.format(6, "kernel_size: 1 bias_term: false"), "1x4x8x9")
    assert blobs(graph, found) == {"weight": (6, 4, 1, 1)}
    assert (found.attrs["bias"], found.native["bias_term"]) == (False, False)


def test_a_convolution_works_on_several_bottoms(read: Read) -> None:
    graph, found = one(
        read, 'Convolution top: "y" top: "z" ' + CONV.format(6, "kernel_size: 3"), "1x4x8x8", "1x4x5x5"
    )
    assert shapes(graph, found) == [(1, 6, 6, 6), (1, 6, 3, 3)]
    kind = builtin()["conv"]
    inputs, outputs = ((1, 4, 8, 8), (1, 4, 5, 5)), ((1, 6, 6, 6), (1, 6, 3, 3))
    # 3 * 3 * 4 products for each of 6 * (36 + 9) outputs
    assert kind.facts(Call(kind, found.attrs, inputs, outputs))["macs"] == 9 * 4 * 6 * 45


def test_deconvolution_keeps_input_channels_first(read: Read) -> None:
    graph, found = one(
        read, "Deconvolution " + CONV.format(6, "kernel_size: 4 stride: 2 pad: 1 group: 2"), "1x4x8x9"
    )
    assert found.kind == "conv_transpose"
    assert shapes(graph, found) == [(1, 6, 16, 18)]  # 2 * 7 + 4 - 2 and 2 * 8 + 4 - 2
    assert blobs(graph, found) == {"weight": (4, 3, 4, 4), "bias": (6,)}


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "tops"),
    [
        ("Interp interp_param { height: 33 width: 65 }", ["1x3x9x9"], "resample", [(1, 3, 33, 65)]),
        ("Interp interp_param { zoom_factor: 2 }", ["1x3x9x9"], "resample", [(1, 3, 17, 17)]),
        (
            "Interp interp_param { shrink_factor: 2 pad_beg: 0 pad_end: -1 }",
            ["1x3x10x10"],
            "resample",
            [(1, 3, 5, 5)],
        ),
        ("Interp", ["1x3x9x9", "1x7x5x6"], "resample", [(1, 3, 5, 6)]),
        ("Upsample upsample_param { scale: 2 }", ["1x3x9x9"], "resample", [(1, 3, 18, 18)]),
        (
            "Upsample upsample_param { scale: 2 pad_out_h: true }",
            ["1x3x9x9", "1x3x9x9"],
            "resample",
            [(1, 3, 17, 18)],
        ),
        ("Upsample upsample_param { upsample_h: 5 upsample_w: 6 }", ["1x3x3x3"], "resample", [(1, 3, 5, 6)]),
        # ratios 1, 2, 1/2, 3, 1/3 for the smallest size, one box more for the largest: 6; 4 * 4 * 6 * 4 = 384
        (
            "PriorBox prior_box_param { min_size: 30 max_size: 60 aspect_ratio: [2, 3] flip: true }",
            ["1x8x4x4", "1x3x300x300"],
            "prior_box",
            [(1, 2, 384)],
        ),
        (
            "ROIPooling roi_pooling_param { pooled_h: 7 pooled_w: 6 spatial_scale: 0.0625 }",
            ["1x8x14x14", "300x5"],
            "roi_pool",
            [(300, 8, 7, 6)],
        ),
        (
            "ROIAlign roi_align_param { pooled_h: 7 pooled_w: 7 }",
            ["1x8x14x14", "300x5"],
            "unknown",
            [(300, 8, 7, 7)],
        ),
        (
            "PSROIPooling psroi_pooling_param { output_dim: 21 group_size: 7 }",
            ["1x1029x14x14", "300x5"],
            "unknown",
            [(300, 21, 7, 7)],
        ),
        # 2 * (20 / 2) + 1 = 21 displacements each way; 48 + 40 - 2 * 20 = 48 places
        (
            "Correlation correlation_param { pad: 20 kernel_size: 1 max_displacement: 20 stride_2: 2 }",
            ["1x256x48x64", "1x256x48x64"],
            "correlation",
            [(1, 441, 48, 64)],
        ),
        (
            "Resample resample_param { width: 9 height: 8 type: LINEAR }",
            ["1x2x4x4"],
            "resample",
            [(1, 2, 8, 9)],
        ),
    ],
)
def test_a_layer_with_several_bottoms_or_tops(
    read: Read, layer: str, inputs: list[str], kind: str, tops: list[Shape]
) -> None:
    graph, found = one(read, layer, *inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, tops, {})
    assert bool(found.problem) == (kind == "unknown")


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        (
            "Convolution " + CONV.format(6, "kernel_size: 9"),
            ["1x4x8x8"],
            r"net.prototxt:2: layer 'l' \(Convolution\): the kernel spans 9",
        ),
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 group: 4"),
            ["1x4x8x8"],
            "4 groups don't divide the 6 output channels",
        ),
        ("Convolution " + CONV.format(6, ""), ["1x4x8x8"], "has no kernel_size"),
        ("Convolution convolution_param { kernel_size: 1 }", ["1x4x8x8"], "has no num_output"),
        ("Convolution " + CONV.format(6, "kernel_h: 3"), ["1x4x8x8"], "has one of kernel_h and kernel_w"),
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 kernel_h: 3 kernel_w: 3"),
            ["1x4x8x8"],
            "expected one spelling",
        ),
        (
            "Convolution " + CONV.format(6, "kernel_h: 3 kernel_w: 3"),
            ["1x4x8"],
            "its input 1 spatial axes, expected 2",
        ),
        (
            "Convolution " + CONV.format(6, "kernel_size: [3, 3, 3]"),
            ["1x4x8x8"],
            "has 3 numbers in kernel_size, expected 1 or 2",
        ),
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 stride: 0"),
            ["1x4x8x8"],
            "stride is 0, expected a whole number from 1",
        ),
        ("Convolution " + CONV.format(0, "kernel_size: 3"), ["1x4x8x8"], "num_output is 0"),
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 strid: 2"),
            ["1x4x8x8"],
            "convolution_param has no field 'strid'; did you mean 'stride'",
        ),
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 axis: 4"),
            ["1x4x8x8"],
            "has the axis 4, its input 4 axes",
        ),
        ("Pooling pooling_param { kernel_size: 2 }", ["1x4"], "pools an input with 2 axes, expected 4"),
        (
            "Pooling pooling_param { kernel_size: 2 global_pooling: true }",
            ["1x4x8x8"],
            "has global_pooling and also kernel_size",
        ),
        (
            "Pooling pooling_param { stride: 2 global_pooling: true }",
            ["1x4x8x8"],
            "needs a pad of 0 and a stride of 1",
        ),
        ("Pooling pooling_param { kernel_size: 2 pad: 2 }", ["1x4x8x8"], "must be smaller than the kernel"),
        ("Pooling pooling_param { kernel_size: 9 }", ["1x4x8x8"], "the window spans 9"),
        (
            "Pooling pooling_param { pool: STOCHASTIC kernel_size: 2 pad: 1 }",
            ["1x4x8x8"],
            "pads a stochastic pooling",
        ),
    ],
)
def test_an_impossible_layer_is_an_error_that_names_it(
    read: Read, layer: str, inputs: list[str], message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        one(read, layer, *inputs)
    assert f"net.prototxt:{len(inputs) + 1}:" in str(caught.value)


def test_a_convolution_on_a_trailing_axis_is_a_product_at_each_place(read: Read) -> None:
    """Upstream's ``Test0DConvolution``: no spatial axes and no kernel; the axes before are the batch."""
    graph, found = one(read, "Convolution " + CONV.format(5, "axis: 3"), "2x3x6x4")
    assert (shapes(graph, found), blobs(graph, found)) == ([(2, 3, 6, 5)], {"weight": (5, 4), "bias": (5,)})
    assert graph.count("mac").total.macs == 2 * 3 * 6 * 4 * 5
    # axis 2 of five axes: 2 * 3 pictures of 4 channels, 6 - 3 + 1 = 4 places each way
    graph, found = one(read, "Convolution " + CONV.format(5, "axis: 2 kernel_size: 3"), "2x3x4x6x6")
    assert shapes(graph, found) == [(2, 3, 5, 4, 4)]
    assert graph.count("mac").total.macs == 2 * 3 * 5 * 4 * 4 * 4 * 9


@pytest.mark.parametrize(
    ("layer", "top"),
    [
        (
            "POOLING3D pooling_param { pool: MAX kernel_size: 2 kernel_depth: 1 stride: 2 }",
            (1, 4, 16, 4, 4),
        ),
        (
            "POOLING3D pooling_param { kernel_size: 2 kernel_depth: 2 stride: 2 temporal_stride: 2 }",
            (1, 4, 8, 4, 4),
        ),
        (
            "NdPooling pooling_param { kernel_shape { dim: [16, 2, 2] } stride_shape { dim: [1, 2, 2] } }",
            (1, 4, 1, 4, 4),
        ),
        ("Pooling pooling_param { pool: MAX kernel_size: 2 stride: 2 }", (1, 4, 8, 4, 4)),
    ],
)
def test_clips_are_pooled(read: Read, layer: str, top: Shape) -> None:
    graph, found = one(read, layer, "1x4x16x8x8")
    assert shapes(graph, found) == [top]
