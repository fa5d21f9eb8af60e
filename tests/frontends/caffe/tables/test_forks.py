"""Layers of Caffe's forks: those that are known, and those that another fork means by a known name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import blobs, one, shapes

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.dims.types import Shape

CONV = "convolution_param {{ num_output: {} {} }}"


@pytest.mark.parametrize("kind", ["DepthwiseConvolution", "ConvolutionDepthwise"])
@pytest.mark.parametrize("group", ["", "group: 4"])
def test_depthwise_convolution_of_the_forks(read: Read, kind: str, group: str) -> None:
    graph, found = one(read, f"{kind} " + CONV.format(4, f"kernel_size: 3 pad: 1 {group}"), "1x4x8x9")
    assert (found.kind, found.attrs["groups"]) == ("conv", 4)
    assert shapes(graph, found) == [(1, 4, 8, 9)]
    assert blobs(graph, found) == {"weight": (4, 1, 3, 3), "bias": (4,)}


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


def test_the_lstm_of_ctpn_has_no_marks(read: Read) -> None:
    """6 steps of 4 gates of 5 units, each fed by 3 features and 5 states: 6 * 4 * 5 * (3 + 5) = 960."""
    graph, found = one(read, "Lstm lstm_param { num_output: 5 }", "6x1x3")
    assert (found.kind, shapes(graph, found)) == ("lstm", [(6, 1, 5)])
    assert blobs(graph, found) == {"weight_input": (20, 3), "weight_hidden": (20, 5), "bias": (20,)}
    total = graph.count("mac").total
    assert (total.macs, total.params) == (960, 180)
    rows, _ = one(read, "Lstm lstm_param { num_output: 5 }", "6x3")
    assert rows.count("mac").total.macs == 960
