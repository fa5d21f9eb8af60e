"""Layers of Caffe that move, join, cut or reduce: the shapes of their tops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import blobs, one, shapes
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.dims.types import Shape


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "top"),
    [
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
        ("Reduction", "2x3x4", "reduce_sum", ()),
        ("Reduction reduction_param { operation: MEAN axis: 1 }", "2x3x4", "reduce_mean", (2,)),
        ("Reduction reduction_param { operation: 2 axis: -1 }", "2x3x4", "reduce_asum", (2, 3)),
        ("Reduction reduction_param { operation: SUMSQ coeff: 0.5 }", "2x3x4", "reduce_sumsq", ()),
        ("ArgMax argmax_param { axis: 1 }", "2x9x4x4", "arg_max", (2, 1, 4, 4)),
        ("ArgMax argmax_param { top_k: 5 }", "2x9", "arg_max", (2, 1, 5)),
        ("ArgMax argmax_param { top_k: 5 out_max_val: true }", "2x9x3x3", "arg_max", (2, 2, 5, 1)),
    ],
)
def test_a_layer_without_weights(read: Read, layer: str, inputs: str, kind: str, top: Shape) -> None:
    graph, found = one(read, layer, inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, [top], {})


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "tops"),
    [
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
        ('Filter top: "y" top: "z"', ["8x3", "8x4", "8x1"], "filter", [(8, 3), (8, 4)]),
        ("Transpose transpose_param { dim: [3, 2, 0, 1] }", ["1x4x5x6"], "transpose", [(6, 5, 1, 4)]),
        ("Reverse reverse_param { axis: 0 }", ["6x1x4"], "flip", [(6, 1, 4)]),
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


def test_a_filter_lets_all_items_pass_and_says_so(read: Read) -> None:
    graph, _ = one(read, 'Filter top: "y"', "8x3", "8x1")
    assert graph.reading.notes == ("l: how many items pass depends on the data; all were assumed to",)
