"""Inputs without a shape: the message proposes one from the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import DATA, relu
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from conftest import Read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DATA % ("Data", "data_param { batch_size: 64 }"),
            r"net.prototxt:1:7: layer 'd' \(Data\) does not give .* 'data'; give it.*: -i data=64x3x224x224",
        ),
        (
            'input: "a" ' + relu("r", "a", "y"),
            "does not give the shape of the input 'a'; give it.*-i a=1x3x224x224",
        ),
        (
            'input: "a" input_dim: 1 ' + relu("r", "a", "y"),
            "there are 1 input_dim, expected 4 for each of 1 input",
        ),
        (
            'input: "a" input_dim: 0 input_dim: 1 input_dim: 1 input_dim: 1 ' + relu("r", "a", "y"),
            "input_dim is 0",
        ),
        (
            'input: "a" input_dim: -1 input_dim: 1 input_dim: 1 input_dim: 1 ' + relu("r", "a", "y"),
            "input_dim is -1",
        ),
        (
            DATA % ("Input", "input_param { shape { dim: 2147483648 } }"),
            "dim is 2147483648, expected .* to 2147483647",
        ),
        (DATA % ("Data", "data_param { batch_size: 0 }"), "batch_size is 0"),
    ],
)
def test_an_input_without_a_shape_is_an_error(read: Read, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(text)


def test_a_shape_for_a_name_that_is_not_there_is_pointed_at(read: Read) -> None:
    with pytest.raises(
        SourceError, match=r"-i data=64x3x224x224; a shape is given for 'dta', .*; did you mean 'data'"
    ):
        read(DATA % ("Data", "data_param { batch_size: 64 }"), "dta=64x10")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (
            DATA % ("Data", "data_param { batch_size: 64 } transform_param { force_gray: true }"),
            "data=64x1x224x224",
        ),
        (
            DATA
            % (
                "Data",
                "transform_param { resize_param { resize_mode: FIT_SMALL_SIZE height: 6 width: 9 } }",
            ),
            "data=1x3x6x9",
        ),
        (
            DATA % ("Data", "data_param { batch_size: 2 } transform_param { mean_value: 127 }"),
            "data=2x1x224x224",
        ),
        # what the data layer of the other phase says
        (
            DATA
            % (
                "Data",
                "include { phase: TRAIN } data_param { batch_size: 64 } transform_param { crop_size: 97 }",
            )
            + DATA % ("Data", "include { phase: TEST } data_param { batch_size: 50 }"),
            "data=50x3x97x97",
        ),
    ],
)
def test_the_proposal_for_a_missing_shape_comes_from_the_file(read: Read, text: str, spec: str) -> None:
    with pytest.raises(SourceError, match=f"give it, with your sizes: -i {spec}$"):
        read(text)
