from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.dims.arithmetic import substitute
from flopledger.errors import SourceError
from flopledger_paddle.framework import paddle
from paddle import nn

if TYPE_CHECKING:
    from conftest import Read


def test_resnet50_in_batch_and_resolution() -> None:
    total = fl.read("paddle.vision.models:resnet50", "Nx3xHxW").count("mac").total.count

    assert substitute(total, {"N": 1, "H": 224, "W": 224}) == 4089184256
    assert substitute(total, {"N": 3, "H": 224, "W": 224}) == 3 * 4089184256


def test_a_tool_s_figure_with_a_symbol() -> None:
    total = fl.read("paddle.vision.models:LeNet", "Nx1x28x28").count("paddle-flops").total

    assert (str(total.count), total.params) == ("347560*N", 61610)


def test_an_encoder_in_batch_and_length(read: Read) -> None:
    total = read(nn.TransformerEncoderLayer(12, 3, 20), "NxSx12").count("mac").total.count

    assert substitute(total, {"N": 2, "S": 5}) == 2 * (4 * 5 * 144 + 2 * 25 * 12 + 2 * 5 * 12 * 20)


def test_a_recurrent_layer_in_batch_and_length(read: Read) -> None:
    model = nn.Sequential(nn.Embedding(11, 6), nn.LSTM(6, 8))

    assert str(read(model, "NxS:int64").count("mac").total.count) == f"{4 * 8 * 14}*N*S"


def test_unknown_sizes_of_paddle_s_own_specs_are_symbols() -> None:
    spec = paddle.static.InputSpec([None, 3], "float32", "x")
    graph = fl.read(nn.Linear(3, 4), (spec,))

    assert str(graph.count("mac").total.count) == "12*N"


def test_a_reshape_by_a_size_of_the_input(read: Read) -> None:
    class Reshaped(nn.Layer):
        def forward(self, x: Any) -> Any:
            return x.reshape([x.shape[0] * 2, -1]) @ paddle.ones([6, 5])

    assert str(read(Reshaped(), "Nx12").count("mac").total.count) == "60*N"


def test_a_number_of_calls_that_depends_on_a_size_is_refused(read: Read) -> None:
    with pytest.raises(
        SourceError, match=r"how it depends on S can't be determined: .* calls, as the sizes are"
    ):
        read(nn.RNN(nn.GRUCell(6, 8)), "3xSx6")


def test_a_size_that_is_no_line_is_refused(read: Read) -> None:
    class Squared(nn.Layer):
        def forward(self, x: Any) -> Any:
            return paddle.tile(x, [x.shape[0] ** 2, 1])

    with pytest.raises(SourceError, match="how it depends on N can't be determined"):
        read(Squared(), "Nx3")
