"""Each type of layer: its kind, what its tops' shapes are, and which blobs it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger.kinds import Call, builtin
from flopledger_caffe.tables.layers import TABLE

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer

CONV = "convolution_param {{ num_output: {} {} }}"


def one(
    read: Read, layer: str, *inputs: str, given: tuple[str, ...] = (), **options: str
) -> tuple[Graph, Layer]:
    """Read a layer on inputs ``a``, ``b``, ``c`` .. of the shapes given."""
    text = ""
    bottoms = ""
    for name, sizes in zip("abcdefg", inputs, strict=False):
        dims = "".join(f"dim: {size} " for size in sizes.split("x") if size)
        shape = f"input_param {{ shape {{ {dims} }} }}"
        text += f'layer {{ name: "in_{name}" type: "Input" top: "{name}" {shape} }}\n'
        bottoms += f'bottom: "{name}" '
    kind, _, fields = layer.partition(" ")
    tops = "" if "top:" in fields or kind in ("Silence", "HDF5Output") else 'top: "y"'
    graph = read(f'{text}layer {{ name: "l" type: "{kind}" {bottoms} {tops} {fields} }}', *given, **options)
    return graph, graph.layers[-1]


def shapes(graph: Graph, layer: Layer) -> list[Shape | None]:
    return [graph.shape(tensor) for tensor in layer.outputs]


def blobs(graph: Graph, layer: Layer) -> dict[str, Shape]:
    assert layer.module is not None
    return {name: graph.parameters[i].shape for name, i in graph.modules[layer.module].parameters}


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "top"),
    [
        ("ReLU", "2x3x4x4", "relu", (2, 3, 4, 4)),
        ("ReLU relu_param { negative_slope: 0.1 }", "2x3", "leaky_relu", (2, 3)),
        ("ReLU relu_param { negative_slope: 0 }", "2x3", "relu", (2, 3)),
        ("ReLU6", "2x3", "relu6", (2, 3)),
        ("ELU", "2x3", "elu", (2, 3)),
        ("SELU", "2x3", "selu", (2, 3)),
        ("Sigmoid", "2x3", "sigmoid", (2, 3)),
        ("TanH", "2x3", "tanh", (2, 3)),
        ("Swish swish_param { beta: 2 }", "2x3", "swish", (2, 3)),
        ("Mish", "2x3", "mish", (2, 3)),
        ("HardSigmoid", "2x3", "hard_sigmoid", (2, 3)),
        ("HSwish", "2x3", "hard_swish", (2, 3)),
        ("BNLL", "2x3", "bnll", (2, 3)),
        ("AbsVal", "2x3", "abs", (2, 3)),
        ("Clip clip_param { min: 0 max: 6 }", "2x3", "hard_tanh", (2, 3)),
        ("Threshold", "2x3", "threshold", (2, 3)),
        ("Power power_param { power: 2 scale: 0.5 shift: 1 }", "2x3", "power_law", (2, 3)),
        ("Exp exp_param { base: 2 }", "2x3", "exp_law", (2, 3)),
        ("Log", "2x3", "log_law", (2, 3)),
        ("Softmax", "2x3", "softmax", (2, 3)),
        ("Dropout", "2x3", "dropout", (2, 3)),
        ("LRN lrn_param { local_size: 3 }", "2x3x4x4", "lrn", (2, 3, 4, 4)),
        ("MVN", "2x3x4x4", "mvn", (2, 3, 4, 4)),
        ("Flatten", "2x3x4x5", "flatten", (2, 60)),
        ("Flatten flatten_param { axis: 0 end_axis: 1 }", "2x3x4", "flatten", (6, 4)),
        ("Reshape reshape_param { shape { dim: 0 dim: -1 } }", "2x3x4", "reshape", (2, 12)),
        (
            "Reshape reshape_param { shape { dim: 4 dim: 1 } axis: 1 num_axes: 1 }",
            "2x4x5",
            "reshape",
            (2, 4, 1, 5),
        ),
        ("Reshape reshape_param { shape { dim: 1 } axis: -1 num_axes: 0 }", "2x4", "reshape", (2, 4, 1)),
        ("Reshape reshape_param { shape { dim: 8 } axis: 0 num_axes: 2 }", "2x4x5", "reshape", (8, 5)),
        ("Permute permute_param { order: 0 order: 2 }", "2x3x4x5", "transpose", (2, 4, 3, 5)),
        ("Tile tile_param { axis: -1 tiles: 3 }", "2x4", "tile", (2, 12)),
        ("Tile tile_param { tiles: 3 }", "2x4x5", "tile", (2, 12, 5)),
        ("ShuffleChannel shuffle_channel_param { group: 2 }", "1x4x2x2", "channel_shuffle", (1, 4, 2, 2)),
        ("Reorg reorg_param { stride: 2 }", "1x3x4x6", "view", (1, 12, 2, 3)),
        ("Reduction", "2x3x4", "reduce_sum", ()),
        ("Reduction reduction_param { operation: MEAN axis: 1 }", "2x3x4", "reduce_mean", (2,)),
        ("Reduction reduction_param { operation: 2 axis: -1 }", "2x3x4", "reduce_asum", (2, 3)),
        ("Reduction reduction_param { operation: SUMSQ coeff: 0.5 }", "2x3x4", "reduce_sumsq", ()),
        ("ArgMax argmax_param { axis: 1 }", "2x9x4x4", "arg_max", (2, 1, 4, 4)),
        ("ArgMax argmax_param { top_k: 5 }", "2x9", "arg_max", (2, 1, 5)),
        ("ArgMax argmax_param { top_k: 5 out_max_val: true }", "2x9x3x3", "arg_max", (2, 2, 5, 1)),
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


@pytest.mark.parametrize("kind", ["DepthwiseConvolution", "ConvolutionDepthwise"])
@pytest.mark.parametrize("group", ["", "group: 4"])
def test_depthwise_convolution_of_the_forks(read: Read, kind: str, group: str) -> None:
    graph, found = one(read, f"{kind} " + CONV.format(4, f"kernel_size: 3 pad: 1 {group}"), "1x4x8x9")
    assert (found.kind, found.attrs["groups"]) == ("conv", 4)
    assert shapes(graph, found) == [(1, 4, 8, 9)]
    assert blobs(graph, found) == {"weight": (4, 1, 3, 3), "bias": (4,)}


@pytest.mark.parametrize(
    ("fields", "top", "weight"),
    [
        ("", (2, 10), (10, 60)),
        ("transpose: true", (2, 10), (60, 10)),
        ("axis: 2", (2, 3, 10), (10, 20)),
        ("axis: -1", (2, 3, 4, 10), (10, 5)),
        ("axis: 0", (10,), (10, 120)),
    ],
)
def test_inner_product(read: Read, fields: str, top: Shape, weight: Shape) -> None:
    graph, found = one(read, f"InnerProduct inner_product_param {{ num_output: 10 {fields} }}", "2x3x4x5")
    assert (found.kind, shapes(graph, found)) == ("linear", [top])
    assert blobs(graph, found) == {"weight": weight, "bias": (10,)}


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "top", "expected"),
    [
        (
            "Embed embed_param { num_output: 8 input_dim: 100 }",
            "5x2",
            "embedding",
            (5, 2, 8),
            {"weight": (100, 8), "bias": (8,)},
        ),
        (
            "BatchNorm",
            "2x3x4x4",
            "batch_norm",
            (2, 3, 4, 4),
            {"running_mean": (3,), "running_var": (3,), "counter": (1,)},
        ),
        ("BatchNorm", "7", "batch_norm", (7,), {"running_mean": (1,), "running_var": (1,), "counter": (1,)}),
        (
            "BN bn_param { bn_mode: INFERENCE }",
            "2x3x4x4",
            "batch_norm",
            (2, 3, 4, 4),
            {"scale": (1, 3, 1, 1), "shift": (1, 3, 1, 1)},
        ),
        ("Scale", "2x3x4x4", "scale", (2, 3, 4, 4), {"scale": (3,)}),
        (
            "Scale scale_param { bias_term: true }",
            "2x3x4",
            "scale",
            (2, 3, 4),
            {"scale": (3,), "shift": (3,)},
        ),
        ("Scale scale_param { axis: 0 num_axes: 2 }", "2x3x4", "scale", (2, 3, 4), {"scale": (2, 3)}),
        ("Scale scale_param { num_axes: -1 }", "2x3x4", "scale", (2, 3, 4), {"scale": (3, 4)}),
        ("Scale scale_param { num_axes: 0 }", "2x3x4", "scale", (2, 3, 4), {"scale": ()}),
        ("Bias", "2x3x4", "bias", (2, 3, 4), {"bias": (3,)}),
        ("PReLU", "2x3x4x4", "prelu", (2, 3, 4, 4), {"slope": (3,)}),
        ("PReLU prelu_param { channel_shared: true }", "2x3", "prelu", (2, 3), {"slope": ()}),
        (
            "Normalize norm_param { channel_shared: false }",
            "2x3x4x4",
            "l2_norm",
            (2, 3, 4, 4),
            {"scale": (3,)},
        ),
        ("Normalize", "2x3x4x4", "l2_norm", (2, 3, 4, 4), {"scale": ()}),
    ],
)
def test_a_layer_with_weights(  # noqa: PLR0913, PLR0917  (the columns of the table)
    read: Read, layer: str, inputs: str, kind: str, top: Shape, expected: dict[str, Shape]
) -> None:
    graph, found = one(read, layer, inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, [top], expected)


def test_a_parameter_is_its_top(read: Read) -> None:
    graph, found = one(read, "Parameter parameter_param { shape { dim: 3 dim: 4 } }")
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == ("fill", [(3, 4)], {"weight": (3, 4)})


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "tops"),
    [
        ("Eltwise", ["2x3", "2x3"], "add", [(2, 3)]),
        ("Eltwise eltwise_param { operation: PROD }", ["2x3", "2x3", "2x3"], "multiply", [(2, 3)]),
        ("Eltwise eltwise_param { operation: 2 }", ["2x3", "2x3"], "maximum", [(2, 3)]),
        ("Concat", ["2x3x4", "2x5x4"], "concat", [(2, 8, 4)]),
        ("Concat concat_param { concat_dim: 0 }", ["2x3", "4x3"], "concat", [(6, 3)]),
        ("Concat concat_param { axis: -1 }", ["2x3", "2x3"], "concat", [(2, 6)]),
        ('Slice top: "y" top: "z"', ["2x6x4"], "split", [(2, 3, 4), (2, 3, 4)]),
        (
            'Slice top: "y" top: "z" top: "w" slice_param { slice_point: 1 slice_point: 3 }',
            ["2x6"],
            "split",
            [(2, 1), (2, 2), (2, 3)],
        ),
        (
            'Slice top: "y" top: "z" slice_param { slice_dim: 0 slice_point: 1 }',
            ["3x6"],
            "split",
            [(1, 6), (2, 6)],
        ),
        ('Split top: "y" top: "z" top: "w"', ["2x3"], "identity", [(2, 3)] * 3),
        ("Crop", ["1x3x9x9", "1x5x4x6"], "crop", [(1, 3, 4, 6)]),
        (
            "Crop crop_param { axis: 1 offset: 1 offset: 2 offset: 0 }",
            ["1x3x9x9", "1x2x4x6"],
            "crop",
            [(1, 2, 4, 6)],
        ),
        ("BatchReindex", ["8x3x4", "5"], "gather", [(5, 3, 4)]),
        ("Silence", ["2x3", "2x3"], "silence", []),
        ("HDF5Output", ["2x3", "2"], "silence", []),
        ("Scale", ["2x3x4x4", "3x4"], "scale", [(2, 3, 4, 4)]),
        ("Bias bias_param { axis: 0 }", ["2x3x4", "2x3"], "bias", [(2, 3, 4)]),
        ("Axpy", ["2x3x1x1", "2x3x4x4", "2x3x4x4"], "scale", [(2, 3, 4, 4)]),
        ("SoftmaxWithLoss", ["2x9", "2"], "softmax_cross_entropy", [()]),
        ('SoftmaxWithLoss top: "y" top: "p"', ["2x9", "2"], "softmax_cross_entropy", [(), (2, 9)]),
        ("InfogainLoss", ["2x9", "2", "1x1x9x9"], "infogain", [()]),
        ("SigmoidCrossEntropyLoss", ["2x9", "2x9"], "sigmoid_cross_entropy", [()]),
        ("MultinomialLogisticLoss", ["2x9", "2"], "nll", [()]),
        ("EuclideanLoss", ["2x9", "2x9"], "mse", [()]),
        ("HingeLoss", ["2x9", "2"], "hinge", [()]),
        ("ContrastiveLoss", ["2x9", "2x9", "2"], "contrastive", [()]),
        ("SmoothL1Loss", ["2x9", "2x9"], "smooth_l1", [()]),
        ("Accuracy accuracy_param { top_k: 5 }", ["2x9", "2"], "accuracy", [()]),
        ('Accuracy top: "y" top: "each"', ["2x9", "2"], "accuracy", [(), (9,)]),
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
        ("MultiBoxLoss", ["2x9", "2x9"], "unknown", [()]),
        ('LSTMUnit top: "cell" top: "h"', ["1x2x5", "1x2x20", "1x2"], "lstm_unit", [(1, 2, 5), (1, 2, 5)]),
        ('Filter top: "y" top: "z"', ["8x3", "8x4", "8x1"], "filter", [(8, 3), (8, 4)]),
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
        ("Transpose transpose_param { dim: [3, 2, 0, 1] }", ["1x4x5x6"], "transpose", [(6, 5, 1, 4)]),
        ("Reverse reverse_param { axis: 0 }", ["6x1x4"], "flip", [(6, 1, 4)]),
        # R-FCN's: the loss, the probabilities, and a loss for each label
        (
            'SoftmaxWithLossOHEM top: "y" top: "p" top: "each"',
            ["8x21x1x1", "8x1x1x1"],
            "softmax_cross_entropy",
            [(), (8, 21, 1, 1), (8, 1, 1, 1)],
        ),
        (
            'SmoothL1LossOHEM top: "y" top: "each"',
            ["8x4x1x1", "8x4x1x1", "8x4x1x1"],
            "smooth_l1",
            [(), (8, 1, 1, 1)],
        ),
        (
            'SoftmaxWithLoss top: "y" top: "p" top: "each"',
            ["8x21", "8"],
            "softmax_cross_entropy",
            [(), (8, 21), (8,)],
        ),
        ('EuclideanLoss top: "y" top: "each"', ["8x21", "8x21"], "mse", [(), None]),
    ],
)
def test_a_layer_with_several_bottoms_or_tops(
    read: Read, layer: str, inputs: list[str], kind: str, tops: list[Shape]
) -> None:
    graph, found = one(read, layer, *inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, tops, {})
    assert bool(found.problem) == (kind == "unknown")


def test_lstm_blobs_and_shapes(read: Read) -> None:
    graph, found = one(read, "LSTM recurrent_param { num_output: 8 }", "5x2x3", "5x2")
    assert (found.kind, shapes(graph, found)) == ("lstm", [(5, 2, 8)])
    assert blobs(graph, found) == {"weight_input": (32, 3), "bias": (32,), "weight_hidden": (32, 8)}


def test_lstm_with_a_static_input_and_its_states(read: Read) -> None:
    fields = 'top: "y" top: "h" top: "cell" recurrent_param { num_output: 8 expose_hidden: true }'
    inputs = ("5x2x3x2", "5x2", "2x7", "1x2x8", "1x2x8")
    graph, found = one(read, f"LSTM {fields}", *inputs)
    assert shapes(graph, found) == [(5, 2, 8), (1, 2, 8), (1, 2, 8)]
    assert found.attrs["static_size"] == 7
    assert blobs(graph, found) == {
        "weight_input": (32, 6),
        "bias": (32,),
        "weight_static": (32, 7),
        "weight_hidden": (32, 8),
    }


def test_rnn_blobs_and_shapes(read: Read) -> None:
    graph, found = one(read, "RNN recurrent_param { num_output: 8 }", "5x2x3", "5x2")
    assert (found.kind, shapes(graph, found)) == ("rnn", [(5, 2, 8)])
    assert blobs(graph, found) == {
        "weight_input": (8, 3),
        "bias": (8,),
        "weight_hidden": (8, 8),
        "weight_output": (8, 8),
        "bias_output": (8,),
    }


def test_coefficients_reach_the_formula(read: Read) -> None:
    _, found = one(read, "Eltwise eltwise_param { coeff: 1 coeff: -0.5 }", "2x3", "2x3")
    assert found.attrs["coefficients"] == (1, -0.5)


def test_fields_are_native_facts_as_spelled(read: Read) -> None:
    _, found = one(read, "Power power_param { power: 2 }", "2x3")
    assert found.native == {"power": 2, "scale": 1, "shift": 0}
    _, found = one(read, "LRN", "2x3x4x4")
    assert found.native == {}
    _, found = one(read, "LRN lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }", "2x3x4x4")
    assert found.native == {"local_size": 3, "alpha": 0.5, "norm_region": "WITHIN_CHANNEL"}
    assert found.attrs == {"size": 3, "across": "spatial"}
    _, found = one(read, "Convolution " + CONV.format(6, "kernel_size: 3 kernel_size: 1"), "1x4x8x9")
    assert found.native == {"num_output": 6, "kernel_size": (3, 1), "bias_term": True}
    _, found = one(read, "Eltwise eltwise_param { operation: 0 }", "2x3", "2x3")
    assert found.native == {"operation": "PROD"}


def test_training_shows_in_dropout_and_batch_norm(read: Read) -> None:
    _, found = one(read, "Dropout dropout_param { dropout_ratio: 0.3 }", "2x3", phase="train")
    assert found.attrs == {"rate": 0.3, "training": True}
    _, found = one(read, "BatchNorm", "2x3", phase="train")
    assert found.attrs["batch_stats"] is True
    _, found = one(read, "BatchNorm batch_norm_param { use_global_stats: true }", "2x3", phase="train")
    assert found.attrs["batch_stats"] is False


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
        ("InnerProduct inner_product_param { num_output: -5 }", ["1x4"], "num_output is -5"),
        ("LRN lrn_param { local_size: 4 }", ["1x4x8x8"], "has the local_size 4, expected an odd one"),
        ("Scale scale_param { num_axes: 4 }", ["1x4x8"], "covers 4 axes from axis 1 on, its input has 3"),
        ("Scale", ["2x3x4", "5"], "the second input has not the sizes of the first"),
        ("Eltwise", ["2x3", "2x1"], "joins 'a' of shape 2x3 and 'b' of shape 2x1"),
        ("Eltwise eltwise_param { coeff: 1 }", ["2x3", "2x3"], "has 1 coeff"),
        ("Concat", ["2x3", "3x3"], "don't agree outside axis 1"),
        (
            "Concat concat_param { axis: 0 concat_dim: 0 }",
            ["2x3"],
            "has axis and concat_dim, expected one of them",
        ),
        ('Slice top: "y" top: "z"', ["2x5"], "slices the size 5 into 2 equal parts"),
        (
            'Slice top: "y" top: "z" slice_param { slice_point: 5 }',
            ["2x5"],
            "expected rising ones within the size 5",
        ),
        (
            'Slice top: "y" slice_param { slice_point: 2 }',
            ["2x5"],
            "has 1 slice_point, expected 0 for 1 tops",
        ),
        ("Reshape reshape_param { shape { dim: 7 } }", ["2x5"], "10 elements don't fit"),
        (
            "Reshape reshape_param { shape { dim: 2 dim: 5 dim: 0 } }",
            ["2x5"],
            "keeps the size of axis 2, its input has 2 axes",
        ),
        ("Reshape reshape_param { shape { dim: 2 } axis: 3 }", ["2x5"], "reshapes the axes 3 to 2"),
        ("Crop", ["1x3x4x4", "1x3x5x4"], "cuts 5 from 0 on out of the size 4 of axis 2"),
        ("Crop crop_param { offset: 2 }", ["1x3x4x4", "1x3x3x3"], "cuts 3 from 2 on"),
        ("Tile", ["2x3"], "has no tiles"),
    ],
)
def test_an_impossible_layer_is_an_error_that_names_it(
    read: Read, layer: str, inputs: list[str], message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        one(read, layer, *inputs)
    assert f"net.prototxt:{len(inputs) + 1}:" in str(caught.value)


def test_a_field_without_meaning_is_noted(read: Read) -> None:
    graph, _ = one(
        read, "Convolution " + CONV.format(6, "kernel_size: 3 sparsity: 2 weight_filler { }"), "1x4x8x8"
    )
    assert graph.reading.notes == ("l: the field sparsity of convolution_param was left out",)


@pytest.mark.parametrize(
    ("layer", "inputs", "reason"),
    [
        ("Eltwise", ["2x3"], "has 1 bottom, expected 2 or more"),
        (
            "Eltwise eltwise_param { operation: SUB }",
            ["2x3", "2x3"],
            "operation is SUB, expected one of PROD",
        ),
        ("ReLU", ["2x3", "2x3"], "has 2 bottoms, expected 1"),
        ('ReLU top: "y" top: "z"', ["2x3"], "has 2 tops, expected 1"),
        (
            'Convolution top: "y" top: "z" ' + CONV.format(6, "kernel_size: 3"),
            ["1x4x8x8"],
            "has 2 tops, it makes 1",
        ),
        ("Reorg", ["2x3"], "expected 4"),
        ("Interp", ["1x3x9x9"], "has neither height and width nor zoom_factor"),
        (
            "PriorBox prior_box_param { min_size: 30 aspect_ratio: 0 }",
            ["1x8x4x4", "1x3x9x9"],
            "the aspect ratio 0",
        ),
        (
            "Correlation correlation_param { displacement: 3 }",
            ["1x3x9x9", "1x3x9x9"],
            "has no max_displacement",
        ),
        (
            "Correlation correlation_param { kernel_size: 1 max_displacement: 1 correlation_type: SUBTRACT }",
            ["1x3x9x9", "1x3x9x9"],
            "subtracts the patches",
        ),
        # CTPN's Lstm in a fork whose state is another field; Lrn spelled as upstream does not spell it
        ("Lstm lstm_param { cells: 8 }", ["6x1x3"], "has no num_output"),
        ("Lrn lrn_param { local_size: 4 }", ["1x4x8x8"], "has the local_size 4"),
        # a fork's own convolution under the known name, with a field of its own
        ("Convolution winograd_param { tiles: 3 }", ["1x4x8x8"], "has no kernel_size"),
        ('Python python_param { module: "m" }', ["2x3"], "no formula for Caffe type 'Python'"),
    ],
)
def test_a_layer_of_a_fork_that_is_not_known_is_unknown_and_the_network_is_read(
    read: Read, layer: str, inputs: list[str], reason: str
) -> None:
    graph, found = one(read, layer, *inputs)
    assert found.kind == "unknown"
    assert reason in found.problem
    assert set(shapes(graph, found)) == {None}
    assert found.problem.endswith("; give its shape, with your sizes: -i y=1x64x14x14")
    graph, found = one(read, layer, *inputs, given=("y=7x3",))
    assert (found.kind, shapes(graph, found)[0]) == ("unknown", (7, 3))


def test_what_a_fork_does_in_place_keeps_the_shape(read: Read) -> None:
    graph = read(
        'input: "x" input_shape { dim: 2 dim: 5 } layer { name: "a" type: "TReLU" bottom: "x" top: "x" }'
        'layer { name: "f" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 3 } }'
    )
    assert [layer.kind for layer in graph.layers[1:]] == ["unknown", "linear"]
    assert graph.shape(graph.outputs[0]) == (2, 3)
    assert graph.count("mac").total.macs == 30  # 2 * 5 * 3


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
    ("layer", "inputs", "kind", "top", "weight"),
    [
        # C3D: the depth goes with fields of its own, a temporal stride and pad of 1 and 0 by themselves
        (
            "CONVOLUTION3D "
            + CONV.format(6, "kernel_size: 3 kernel_depth: 3 pad: 1 temporal_pad: 1 stride: 2"),
            "1x4x16x8x8",
            "conv",
            (1, 6, 16, 4, 4),
            (6, 4, 3, 3, 3),
        ),
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 kernel_d: 1 pad: 1 pad_d: 0"),
            "1x4x5x8x8",
            "conv",
            (1, 6, 5, 8, 8),
            (6, 4, 1, 3, 3),
        ),
        (
            "NdConvolution "
            + CONV.format(6, "kernel_shape { dim: 1 dim: 3 dim: 3 } stride_shape { dim: 1 dim: 2 dim: 2 }"),
            "1x4x5x8x9",
            "conv",
            (1, 6, 5, 3, 4),
            (6, 4, 1, 3, 3),
        ),
        # DeepLab's first Caffe says hole for dilation: 2 * 2 + 1 = 5 of 8
        (
            "Convolution " + CONV.format(6, "kernel_size: 3 hole: 2"),
            "1x4x8x8",
            "conv",
            (1, 6, 4, 4),
            (6, 4, 3, 3),
        ),
    ],
)
def test_convolutions_of_the_forks(  # noqa: PLR0913, PLR0917  (the columns of the table)
    read: Read, layer: str, inputs: str, kind: str, top: Shape, weight: Shape
) -> None:
    graph, found = one(read, layer, inputs)
    assert (found.kind, shapes(graph, found)) == (kind, [top])
    assert blobs(graph, found) == {"weight": weight, "bias": (6,)}


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


def test_the_lstm_of_ctpn_has_no_marks(read: Read) -> None:
    """6 steps of 4 gates of 5 units, each fed by 3 features and 5 states: 6 * 4 * 5 * (3 + 5) = 960."""
    graph, found = one(read, "Lstm lstm_param { num_output: 5 }", "6x1x3")
    assert (found.kind, shapes(graph, found)) == ("lstm", [(6, 1, 5)])
    assert blobs(graph, found) == {"weight_input": (20, 3), "weight_hidden": (20, 5), "bias": (20,)}
    total = graph.count("mac").total
    assert (total.macs, total.params) == (960, 180)
    rows, _ = one(read, "Lstm lstm_param { num_output: 5 }", "6x3")
    assert rows.count("mac").total.macs == 960


def test_a_loss_is_counted_without_its_label(read: Read) -> None:
    text = (
        'input: "x" input_shape { dim: 2 dim: 9 } '
        'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "loss" }'
        'layer { name: "m" type: "EuclideanLoss" bottom: "x" top: "loss2" }'
    )
    graph = read(text)
    assert [layer.kind for layer in graph.layers[1:]] == ["softmax_cross_entropy", "mse"]
    note = "l: its label 'label' was left out, no layer makes it; real Caffe would refuse that"
    assert graph.reading.notes == (note,)
    assert not graph.count("ops").coverage.unknown


def test_a_filter_lets_all_items_pass_and_says_so(read: Read) -> None:
    graph, _ = one(read, 'Filter top: "y"', "8x3", "8x1")
    assert graph.reading.notes == ("l: how many items pass depends on the data; all were assumed to",)


def test_each_row_of_the_table_has_a_kind_that_exists_or_says_why_not() -> None:
    for name, row in TABLE.items():
        assert callable(row.kind) or row.kind in builtin() or (row.kind is None and row.why and row.tops), (
            name
        )
