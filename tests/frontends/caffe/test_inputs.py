"""Inputs: the shapes that a file gives, and those that the user gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import DATA, LOSS, inputs, relu
from flopledger.errors import UsageError

if TYPE_CHECKING:
    from conftest import Read


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "notes"),
    [
        (
            "Data",
            "data_param { batch_size: 50 } transform_param { crop_size: 227 }",
            (50, 3, 227, 227),
            ("data: 3 channels were assumed, the file gives only 227x227",),
        ),
        (
            "Data",
            "data_param { batch_size: 5 } transform_param { crop_size: 9 force_gray: 1 }",
            (5, 1, 9, 9),
            (),
        ),
        (
            "Data",
            "data_param { batch_size: 5 } transform_param { crop_size: 9 force_color: 1 }",
            (5, 3, 9, 9),
            (),
        ),
        ("ImageData", "image_data_param { batch_size: 5 new_height: 8 new_width: 9 }", (5, 3, 8, 9), ()),
        (
            "ImageData",
            "image_data_param { batch_size: 5 is_color: false } transform_param { crop_size: 7 }",
            (5, 1, 7, 7),
            (),
        ),
        ("WindowData", "window_data_param { batch_size: 5 crop_size: 9 }", (5, 3, 9, 9), ()),
        (
            "MemoryData",
            "memory_data_param { batch_size: 5 channels: 2 height: 8 width: 9 }",
            (5, 2, 8, 9),
            (),
        ),
    ],
)
def test_a_data_layer_states_its_shape(
    read: Read, kind: str, fields: str, shape: tuple[int, ...], notes: tuple[str, ...]
) -> None:
    graph = read(DATA % (kind, fields) + LOSS)
    assert inputs(graph) == {"data": shape, "label": (shape[0],)}
    assert graph.reading.notes == notes
    assert (graph.layers[1].kind, graph.layers[1].source) == ("input", kind)


def test_dummy_data_states_the_shape_of_each_top(read: Read) -> None:
    graph = read(DATA % ("DummyData", "dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 } }") + LOSS)
    assert inputs(graph) == {"data": (4, 3), "label": (4,)}
    old = "dummy_data_param { num: 4 channels: 3 height: 2 width: 1 width: 5 }"
    assert inputs(read(DATA % ("DummyData", old))) == {"data": (4, 3, 2, 1), "label": (4, 3, 2, 5)}


def test_an_input_layer_gives_one_shape_to_all_tops_or_one_to_each(read: Read) -> None:
    assert inputs(read(DATA % ("Input", "input_param { shape { dim: 4 } }"))) == {"data": (4,), "label": (4,)}
    each = "input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } }"
    assert inputs(read(DATA % ("Input", each))) == {"data": (4, 3), "label": (4,)}


def test_the_label_follows_the_batch_that_is_given(read: Read) -> None:
    graph = read(DATA % ("Data", "data_param { batch_size: 64 }") + LOSS, "data=7x10")
    assert inputs(graph) == {"data": (7, 10), "label": (7,)}
    graph = read(DATA % ("Data", "data_param { batch_size: 64 }") + LOSS, "7x10", "label=7x1:int64")
    assert inputs(graph) == {"data": (7, 10), "label": (7, 1)}
    assert graph.tensors[graph.inputs[1].tensor].dtype == "int64"


def test_a_data_set_of_unknown_form_has_its_label_assumed(read: Read) -> None:
    graph = read(DATA % ("HDF5Data", 'hdf5_data_param { batch_size: 10 source: "s" }') + LOSS, "data=10x4")
    assert inputs(graph) == {"data": (10, 4), "label": (10,)}
    note = "label: one value for each item of the batch was assumed (the file does not say)"
    assert graph.reading.notes == (note,)


def test_given_shapes_go_before_those_of_the_file(read: Read) -> None:
    text = 'input: "a" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4 ' + relu("r", "a", "y")
    assert inputs(read(text)) == {"a": (1, 2, 3, 4)}
    assert inputs(read(text, "5x6")) == inputs(read(text, "a=5x6")) == {"a": (5, 6)}


def test_a_shape_without_a_name_goes_to_the_first_input_without_one(read: Read) -> None:
    text = 'input: "a" input: "b" input_shape { dim: 1 } input_shape { dim: 1 }' + relu("r", "a", "y")
    assert inputs(read(text, "a=2x2", "3x3")) == {"a": (2, 2), "b": (3, 3)}


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["dat=1x3"], "the network has no input 'dat', its inputs are: data, label; did you mean 'data'?"),
        (["data=1x3", "data=1x3"], "the input 'data' is given twice"),
        (["1x3", "1", "5"], "1 more shapes are given than there are inputs: data, label"),
        (["data=!5"], "a prototxt's inputs are shapes"),
    ],
)
def test_an_input_that_is_not_there_is_an_error(read: Read, specs: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        read(
            DATA % ("Data", "data_param { batch_size: 64 }"),
            *([*specs, "data=1x3"] if specs[0][:4] == "dat=" else specs),
        )


def test_a_scalar_input_has_no_sizes(read: Read) -> None:
    """Upstream's tests have ``input_shape {}`` and ``shape {}``: blobs without axes."""
    text = 'input: "s" input_shape {} layer { name: "r" type: "ReLU" bottom: "s" top: "r" }'
    assert inputs(read(text)) == {"s": ()}
    assert inputs(read(DATA % ("Input", "input_param { shape { } }"))) == {"data": (), "label": ()}


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ("resize_param { resize_mode: WARP height: 300 width: 500 }", (8, 3, 300, 500)),
        ("resize_param { height: 300 width: 500 }", (8, 3, 300, 500)),
        ("resize_param { resize_mode: FIT_LARGE_SIZE_AND_PAD height: 300 width: 500 }", (8, 3, 300, 500)),
        (
            "resize_param { resize_mode: FIT_SMALL_SIZE height: 300 width: 500 } crop_size: 224",
            (8, 3, 224, 224),
        ),
        ("crop_h: 512 crop_w: 256", (8, 3, 512, 256)),
    ],
)
def test_a_data_layer_that_resizes_states_its_shape(read: Read, fields: str, shape: tuple[int, ...]) -> None:
    graph = read(DATA % ("AnnotatedData", f"data_param {{ batch_size: 8 }} transform_param {{ {fields} }}"))
    assert inputs(graph) == {"data": shape, "label": (1, 1, 8, 8)}


def test_clips_have_a_length(read: Read) -> None:
    text = (
        'layers { name: "d" type: VIDEO_DATA top: "data" top: "label" image_data_param '
        "{ batch_size: 30 crop_size: 112 new_height: 128 new_width: 171 new_length: 16 } }"
    )
    assert inputs(read(text))["data"] == (30, 3, 16, 112, 112)
