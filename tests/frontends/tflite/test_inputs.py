from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import substitute
from flopledger.errors import ShapeError, SourceError, UsageError
from tflite_files import INT32, Graph, Op, Tensor, model, numbers, one, weight

if TYPE_CHECKING:
    from conftest import Read

CONV, RESHAPE, DENSE, SHAPE, STRIDED_SLICE, PACK = 3, 22, 9, 77, 45, 83
OPTIONS = "b0 i1 i1 b0 i1 i1"
PER_PICTURE = 64 * 6 * 36
"""8 x 8 places, 6 channels, 3 x 3 x 4 terms."""


def conv(signature: tuple[int, ...] | None, names: dict[str, str] | None = None) -> bytes:
    tensors = [
        Tensor("serving_x:0", (1, 8, 8, 4), signature=signature),
        weight("w", 6, 3, 3, 4),
        Tensor("y", (1, 8, 8, 6), signature=(-1, 8, 8, 6) if signature else None),
    ]
    graph = Graph(tensors, [Op(CONV, ["serving_x:0", "w"], ["y"], 1, OPTIONS)], ["serving_x:0"], ["y"])
    return model(graph, names=names)


def test_an_open_batch_is_a_symbol_and_a_note_says_so(read: Read) -> None:
    graph = read(conv((-1, 8, 8, 4)))
    found = graph.count("mac").total.count
    assert substitute(found, {"N": 5}) == 5 * PER_PICTURE
    (note,) = graph.reading.notes
    assert note.startswith("sizes that the file leaves open are symbols: N for axis 0 of serving_x:0; give")
    assert note.endswith("with -i serving_x_0=...")


def test_all_open_sizes_of_a_picture_are_called_as_its_layout_is(read: Read) -> None:
    graph = read(conv((-1, -1, -1, 4)))
    assert list(map(str, graph.shape(graph.inputs[0].tensor) or ())) == ["N", "H", "W", "4"]
    found = graph.count("mac").total.count
    assert substitute(found, {"N": 1, "H": 8, "W": 8}) == PER_PICTURE


def test_the_name_of_a_signature_names_an_input(read: Read) -> None:
    graph = read(conv(None, {"serving_x:0": "image"}), "image=2x8x8x4")
    assert graph.inputs[0].name == "image"
    assert graph.count("mac").total.count == 2 * PER_PICTURE


def test_sizes_that_are_given_replace_open_and_fixed_ones(read: Read) -> None:
    assert read(conv((-1, 8, 8, 4)), "3x8x8x4").count("mac").total.count == 3 * PER_PICTURE
    assert read(conv(None), "serving_x_0=1x16x8x4").count("mac").total.count == 2 * PER_PICTURE
    with pytest.raises(UsageError, match="is given with 3 axes, the file declares 4: 1x8x8x4"):
        read(conv(None), "8x8x4")
    with pytest.raises(
        UsageError, match=r"there is no input 'y'.* The inputs of the network are: serving_x_0"
    ):
        read(conv(None), "y=1x8x8x4")


def test_sizes_that_an_operator_contradicts_are_refused_with_it(read: Read) -> None:
    content = one(RESHAPE, [Tensor("x", (2, 6)), numbers("s", 3, 4)], [(3, 4)], 17)
    with pytest.raises(UsageError, match=r"don't fit the network: the operator 'y0' \(RESHAPE\)"):
        read(content, "x=2x7")


def test_channels_that_a_weight_does_not_fit_are_an_error_of_the_file(read: Read) -> None:
    content = one(CONV, [Tensor("x", (1, 8, 8, 5)), weight("w", 6, 3, 3, 4)], [(1, 8, 8, 6)], 1, OPTIONS)
    with pytest.raises(ShapeError, match="has an input of 5 channels and a weight for 4"):
        read(content)


def flattened() -> bytes:
    """What Keras's Flatten and Dense become with an open batch: the shape is read, cut, and joined again."""
    tensors = [
        Tensor("x", (1, 2, 3, 4), signature=(-1, 2, 3, 4)),
        Tensor("shape", (4,), INT32),
        numbers("from", 0),
        numbers("to", 1),
        numbers("step", 1),
        Tensor("batch", (), INT32),
        numbers("rest", -1, shape=()),
        Tensor("wanted", (2,), INT32),
        Tensor("flat", (1, 24), signature=(-1, 24)),
        weight("w", 10, 24),
        Tensor("y", (1, 10), signature=(-1, 10)),
    ]
    operators = [
        Op(SHAPE, ["x"], ["shape"]),
        Op(STRIDED_SLICE, ["shape", "from", "to", "step"], ["batch"], 32, "i0 i0 i0 i0 i1"),
        Op(PACK, ["batch", "rest"], ["wanted"], 59, "i2 i0"),
        Op(RESHAPE, ["x", "wanted"], ["flat"]),
        Op(DENSE, ["flat", "w"], ["y"], 8, "b0"),
    ]
    return model(Graph(tensors, operators, ["x"], ["y"]))


def test_shapes_that_converters_calculate_are_followed_over_symbols(read: Read) -> None:
    graph = read(flattened())
    assert substitute(graph.count("mac").total.count, {"N": 7}) == 7 * 240
    assert read(flattened(), "x=7x2x3x4").count("mac").total.count == 7 * 240


def test_a_tensor_that_nothing_gives_is_an_error(read: Read) -> None:
    graph = Graph([Tensor("x", (1, 3)), Tensor("y", (1, 3))], [Op(19, ["y"], ["y"])], ["x"], ["y"])
    with pytest.raises(SourceError, match="reads the tensor 1, 'y', which no input, constant or earlier"):
        read(model(graph))
