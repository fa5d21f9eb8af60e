"""paddle.flops's own table, as users know it."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
from flopledger.report import render
from flopledger_paddle.framework import paddle

TABLE = """\
+--------------+-----------------+-----------------+--------+--------+
|  Layer Name  |   Input Shape   |   Output Shape  | Params | Flops  |
+--------------+-----------------+-----------------+--------+--------+
|   conv2d_0   |  [1, 1, 28, 28] |  [1, 6, 28, 28] |   60   | 47040  |
|   re_lu_0    |  [1, 6, 28, 28] |  [1, 6, 28, 28] |   0    |   0    |
| max_pool2d_0 |  [1, 6, 28, 28] |  [1, 6, 14, 14] |   0    |   0    |
|   conv2d_1   |  [1, 6, 14, 14] | [1, 16, 10, 10] |  2416  | 241600 |
|   re_lu_1    | [1, 16, 10, 10] | [1, 16, 10, 10] |   0    |   0    |
| max_pool2d_1 | [1, 16, 10, 10] |  [1, 16, 5, 5]  |   0    |   0    |
|   linear_0   |     [1, 400]    |     [1, 120]    | 48120  | 48000  |
|   linear_1   |     [1, 120]    |     [1, 84]     | 10164  | 10080  |
|   linear_2   |     [1, 84]     |     [1, 10]     |  850   |  840   |
+--------------+-----------------+-----------------+--------+--------+
"""


def test_lenet_s_table_is_reproduced_character_for_character() -> None:
    ledger = fl.read("paddle.vision.models:LeNet", "1x1x28x28").count("paddle-flops")

    assert render([ledger], "tool") == TABLE + "Total Flops: 347560     Total Params: 61610\n"


def test_the_last_line_of_older_releases() -> None:
    ledger = fl.read("paddle.vision.models:LeNet", "1x1x28x28").count("paddle-flops-gflops")

    assert render([ledger], "tool") == TABLE + "Total GFlops: 0.00034756     Total Params: 61610.00\n"


def test_a_layer_that_is_called_twice_has_one_line() -> None:
    with paddle.utils.unique_name.guard():
        layer = paddle.nn.Linear(5, 5)
        model = paddle.nn.Sequential(layer, paddle.nn.Sequential(layer))
    printed = render([fl.read(model, "1x5").count("paddle-flops")], "tool")

    # under two parents the tool hooks it twice: two calls of 25, each counted twice
    assert printed.splitlines()[3:] == [
        "|  linear_0  |    [1, 5]   |    [1, 5]    |   30   |  100  |",
        "+------------+-------------+--------------+--------+-------+",
        "Total Flops: 100     Total Params: 30",
    ]


def test_the_seed_s_convolution() -> None:
    model = paddle.nn.Sequential(paddle.nn.Conv2D(2, 4, 3, padding=1))
    total = fl.read(model, "1x2x320x320").count("paddle-flops").total

    assert (total.count, total.params) == (7782400, 76)


def test_the_size_of_a_pass_is_that_of_paddle_s_summary(capsys: pytest.CaptureFixture[str]) -> None:
    nn = paddle.nn
    model = nn.Sequential(
        nn.Conv2D(3, 16, 3), nn.BatchNorm2D(16), nn.ReLU(), nn.Flatten(), nn.Linear(14400, 9)
    )
    paddle.summary(model, (8, 3, 32, 32))
    count = fl.count(model, "8x3x32x32", "paddle-size").total.count

    assert count == 8 * 8 * (4 * 16 * 30 * 30 + 9)  # 8 samples, and 8 bytes for each of a layer's results
    assert f"Forward/backward pass size (MB): {count / 2**20:.2f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("layer", "shape", "elements"),
    [
        (lambda: paddle.nn.LSTM(40, 500), (2, 300, 40), 2 * 300 * 500 + 2 * 2 * 500),
        (lambda: paddle.nn.GRU(40, 500, direction="bidirect"), (2, 300, 40), 2 * 300 * 1000 + 2 * 2 * 500),
        (lambda: paddle.nn.LSTMCell(40, 5000), (200, 40), 3 * 200 * 5000),
        (lambda: paddle.nn.GRUCell(40, 5000), (200, 40), 2 * 200 * 5000),
        (lambda: paddle.nn.MaxPool2D(2, return_mask=True), (9, 30, 80, 80), 2 * 9 * 30 * 40 * 40),
    ],
)
def test_the_size_of_a_pass_has_every_result_of_a_layer(
    layer: Any, shape: tuple[int, ...], elements: int, capsys: pytest.CaptureFixture[str]
) -> None:
    class Net(paddle.nn.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = layer()

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    model = Net()
    paddle.summary(model, shape)
    assert fl.count(model, shape, "paddle-size").total.count == 8 * elements
    assert f"Forward/backward pass size (MB): {8 * elements / 2**20:.2f}" in capsys.readouterr().out
