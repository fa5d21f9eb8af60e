"""Operators that move elements, alone: the shapes of their results, by hand."""

# ruff: noqa: E501  (a table is read row by row)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.kinds import builtin
from onnx_files import BOOL, INT64, one, tensor
from onnx_operators import ints, kinds, scalar, shapes, w

if TYPE_CHECKING:
    from conftest import Read

MOVES: list[tuple[str, bytes, tuple[int, ...]]] = [
    ("reshape_zero", one("Reshape", [2, 3, 4], constants=[ints("s", 0, -1)]), (2, 12)),
    ("reshape_attribute", one("Reshape", [2, 3, 4], opset=4, shape=[6, 4]), (6, 4)),
    ("flatten", one("Flatten", [2, 3, 4], axis=2), (6, 4)),
    ("flatten_negative", one("Flatten", [2, 3, 4], axis=-1), (6, 4)),
    ("transpose", one("Transpose", [2, 3, 4]), (4, 3, 2)),
    ("squeeze_attribute", one("Squeeze", [1, 3, 1], opset=11, axes=[0]), (3, 1)),
    ("squeeze_input", one("Squeeze", [1, 3, 1], constants=[ints("a", -1)]), (1, 3)),
    ("squeeze_all", one("Squeeze", [1, 3, 1]), (3,)),
    ("unsqueeze", one("Unsqueeze", [3], constants=[ints("a", 0, -1)]), (1, 3, 1)),
    ("concat", one("Concat", [2, 3], [2, 4], axis=-1), (2, 7)),
    ("split_equal", one("Split", [2, 6], outputs=3, axis=1), (2, 2)),
    ("split_given", one("Split", [2, 6], constants=[ints("s", 1, 5)], outputs=2, axis=1), (2, 1)),
    ("split_parts", one("Split", [7, 2], outputs=3, opset=18, num_outputs=3), (3, 2)),
    ("slice", one("Slice", [5, 6], constants=[ints("s", 1, -3), ints("e", 2**63 - 1, 2**31 - 1)]), (4, 3)),
    ("slice_back", one("Slice", [5], constants=[ints("s", -1), ints("e", -(2**63)), ints("a", 0), ints("t", -1)]),
     (5,)),
    ("slice_attributes", one("Slice", [5, 6], opset=9, starts=[1], ends=[4], axes=[1]), (5, 3)),
    ("gather", one("Gather", [2, 3, 4], constants=[tensor("i", [5], [0] * 5, INT64)], axis=1), (2, 5, 4)),
    ("embedding", one("Gather", constants=[w("t", 9, 4), tensor("i", [2, 3], [0] * 6, INT64)]), (2, 3, 4)),
    ("gather_nd", one("GatherND", [2, 3, 4], constants=[tensor("i", [5, 2], [0] * 10, INT64)]), (5, 4)),
    ("gather_elements", one("GatherElements", [2, 3], constants=[tensor("i", [1, 3], [0] * 3, INT64)]), (1, 3)),
    ("scatter_nd", one("ScatterND", [4, 3], constants=[tensor("i", [2, 1], [0, 1], INT64), w("u", 2, 3)]), (4, 3)),
    ("expand", one("Expand", [3, 1], constants=[ints("s", 2, 1, 4)]), (2, 3, 4)),
    ("tile", one("Tile", [2, 3], constants=[ints("r", 2, 1)]), (4, 3)),
    ("pad", one("Pad", [2, 3], constants=[ints("p", 0, 1, 0, 2)]), (2, 6)),
    ("pad_axes", one("Pad", [2, 3], constants=[ints("p", 1, 2), None, ints("a", -1)], opset=18), (2, 6)),
    ("pad_attribute", one("Pad", [2, 3], opset=2, pads=[1, 0, 1, 0]), (4, 3)),
    ("depth_to_space", one("DepthToSpace", [1, 8, 2, 3], blocksize=2), (1, 2, 4, 6)),
    ("space_to_depth", one("SpaceToDepth", [1, 2, 4, 6], blocksize=2), (1, 8, 2, 3)),
    ("one_hot", one("OneHot", [2, 3], constants=[scalar("d", 7), tensor("v", [2], [0.0, 1.0])], dtype=INT64,
                    axis=1), (2, 7, 3)),
    ("shape", one("Shape", [2, 3, 4], opset=15, start=1), (2,)),
    ("size", one("Size", [2, 3, 4]), ()),
    ("cast", one("Cast", [2, 3], to=INT64), (2, 3)),
    ("trilu", one("Trilu", [3, 3]), (3, 3)),
    ("where", one("Where", [3], [2, 3], [1]), (2, 3)),
    ("random", one("RandomNormal", shape=[2, 3]), (2, 3)),
    ("eye", one("EyeLike", [2, 3]), (2, 3)),
    ("multinomial", one("Multinomial", [2, 9], sample_size=4), (2, 4)),
    ("center_crop", one("CenterCropPad", [5, 6], constants=[ints("s", 4)], opset=18, axes=[1]), (5, 4)),
    ("compress", one("Compress", [3, 4], constants=[tensor("c", [3], [1, 0, 1], BOOL)], axis=0), (2, 4)),
    ("reverse", one("ReverseSequence", [3, 4], constants=[ints("n", 1, 2, 3, 1)]), (3, 4)),
    ("range", one("Range", constants=[scalar("a", 7), scalar("b", 0), scalar("c", -2)]), (4,)),
    ("constant_of_shape", one("ConstantOfShape", constants=[ints("s", 2, 3)]), (2, 3)),
    ("tensor_scatter", one("TensorScatter", [1, 2, 5, 3], [1, 2, 1, 3], opset=24), (1, 2, 5, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("content", "shape"), [c[1:] for c in MOVES], ids=[c[0] for c in MOVES])
def test_a_movement_has_its_shape_and_costs_nothing(
    read: Read, content: bytes, shape: tuple[int, ...]
) -> None:
    graph = read(content)
    assert shapes(graph)[0] == shape
    assert [
        kind for kind in kinds(graph) if not builtin()[kind].free and kind not in ("draw", "embedding")
    ] == []
