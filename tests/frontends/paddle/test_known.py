"""Sizes that a forward takes from tensors are numbers, as they are when it runs eagerly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
from flopledger_paddle import internals
from flopledger_paddle.framework import paddle
from paddle import nn

if TYPE_CHECKING:
    from .conftest import Read

F = nn.functional


class Attention(nn.Layer):
    """Self-attention on a reduced map, in the style of PaddleSeg's SegFormer."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.kv, self.proj = nn.Linear(32, 32), nn.Linear(32, 64), nn.Linear(32, 32)
        self.sr, self.norm = nn.Conv2D(32, 32, 2, 2), nn.LayerNorm(32)

    def forward(self, x: Any, height: Any, width: Any) -> Any:
        shape = paddle.shape(x)
        batch, length = shape[0], shape[1]
        q = self.q(x).reshape([batch, length, 2, 16]).transpose([0, 2, 1, 3])
        small = self.sr(x.transpose([0, 2, 1]).reshape([batch, 32, height, width]))
        small = self.norm(small.reshape([batch, 32, -1]).transpose([0, 2, 1]))
        k, v = self.kv(small).reshape([batch, -1, 2, 2, 16]).transpose([2, 0, 3, 1, 4])
        weights = F.softmax((q @ k.transpose([0, 1, 3, 2])) * 0.25)
        return self.proj((weights @ v).transpose([0, 2, 1, 3]).reshape([batch, length, 32]))


class Segmentation(nn.Layer):
    """A patch embedding, the attention, a head, and the logits at the size of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.attention = nn.Conv2D(3, 32, 7, stride=4, padding=3), Attention()
        self.head = nn.Conv2D(32, 5, 1)

    def forward(self, x: Any) -> Any:
        y = self.embed(x)
        height, width = paddle.shape(y)[2:]
        tokens = y.flatten(2).transpose([0, 2, 1])
        tokens = tokens + self.attention(tokens, height, width)
        y = tokens.reshape([paddle.shape(x)[0], height, width, 32]).transpose([0, 3, 1, 2])
        return F.interpolate(self.head(y), paddle.shape(x)[2:], mode="bilinear")


class Does(nn.Layer):
    """Runs a function on its input and on a linear layer of 4 to 2."""

    def __init__(self, do: Any) -> None:
        super().__init__()
        self.do, self.linear = do, nn.Linear(4, 2)

    def forward(self, *given: Any) -> Any:
        return self.do(self, *given)


@pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")  # of paddle.flops itself
def test_a_segmentation_network_of_house_style_is_known_to_the_last_op(read: Read) -> None:
    """On 64 x 64 the map is 16 x 16, its reduction 8 x 8, and there are 2 heads of 16.

    Embedding 3 * 49 * 32 * 256, queries 256 * 32 * 32, reduction 4 * 32 * 32 * 64, keys and values
    64 * 32 * 64, both products 256 * 64 * 32 each, projection 256 * 32 * 32, head 256 * 32 * 5.
    """
    graph = read(Segmentation(), "1x3x64x64")
    ledger = graph.count("mac")
    parts = (3 * 49 * 32 * 256, 256 * 32 * 32, 4 * 32 * 32 * 64, 64 * 32 * 64, 2 * 256 * 64 * 32)
    assert ledger.total.count == sum(parts) + 256 * 32 * 32 + 256 * 32 * 5
    assert not ledger.coverage.unknown
    assert graph.shape(graph.outputs[0]) == (1, 5, 64, 64)
    net = Segmentation()
    figure = paddle.flops(net, [1, 3, 64, 64])
    assert read(net, "1x3x64x64").count("paddle-flops").total.count == figure


@pytest.mark.parametrize(
    ("do", "spec", "macs"),
    [
        # 2 * 2 rows of 4 to 2
        (lambda m, x: m.linear(x.reshape([paddle.to_tensor(2), paddle.full([1], 2, "int32"), 4])), "16", 32),
        (lambda m, x: m.linear(paddle.expand(x, [paddle.to_tensor(3), 2, 4])), "2x4", 48),
        (lambda m, x: m.linear(F.interpolate(x, size=paddle.to_tensor([6, 4]))), "1x1x3x2", 48),
        # (5 + 1) // 2 = 3 of 5 rows
        (lambda m, x: m.linear(x[: (paddle.shape(x)[0] + 1) // 2]), "5x4", 24),
        (lambda m, x: m.linear(x.reshape([int(paddle.shape(x)[0]) // 2, -1, 4])), "6x4", 48),
        (lambda m, x: sum(m.linear(x) for _ in range(paddle.shape(x)[0])), "3x4", 72),
        (lambda m, x: m.linear(x) if paddle.shape(x)[0] > 2 else x, "3x4", 24),
        (lambda m, x: m.linear(x.reshape([paddle.numel(x) // 4, 4])), "2x3x4", 48),
        (lambda m, x: m.linear(paddle.zeros([paddle.shape(x)[1], 4])), "1x7", 56),
        # fractions on the way: both sides halved and rounded up, 3 * 4 / 4 rows
        (
            lambda m, x: m.linear(
                paddle.zeros([*paddle.ceil(paddle.shape(x)[2:].astype("float32") / 2).astype("int32"), 4])
            ),
            "1x1x5x7",
            3 * 4 * 8,
        ),
        (lambda m, x: m.linear(F.adaptive_avg_pool2d(x, paddle.shape(x)[2:])), "1x1x3x4", 24),
        # eagerly a quotient by a number has one axis, so that it can be joined: 6 // 2 rows of 9 // 2
        (
            lambda m, x: m.linear(paddle.zeros(paddle.concat([size // 2 for size in paddle.shape(x)]))),
            "6x9",
            24,
        ),
        # in-place functions, their tensor given by keyword
        (lambda m, x: F.relu_(x=m.linear(x)), "3x4", 24),
        (lambda m, x: m.linear(paddle.reshape_(x=F.relu(x), shape=[-1, 4])), "2x2x4", 32),
    ],
)
def test_sizes_held_as_tensors_are_numbers(read: Read, do: Any, spec: str, macs: int) -> None:
    ledger = read(Does(do), spec).count("mac")
    assert (ledger.total.count, ledger.coverage.unknown) == (macs, ())


def test_half_precision_inside_a_forward_is_that_of_a_cpu(read: Read) -> None:
    """3 * 9 * 4 * 36 products of a convolution and 4 * 2 of a linear layer; the tool adds 144 biases."""

    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2D(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            with paddle.amp.auto_cast():
                return self.linear(self.conv(x).mean([2, 3]))

    graph = read(Net(), "1x3x8x8")
    assert graph.count("mac").total.count == 3896
    assert graph.count("paddle-flops").total.count == 4040


def test_half_precision_as_a_decorator_leaves_its_settings(read: Read) -> None:
    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)

        @paddle.amp.auto_cast(level="O2")  # type: ignore[untyped-decorator, unused-ignore]
        def forward(self, x: Any) -> Any:
            return self.linear(x)

    state = internals.sys.modules["paddle.amp.auto_cast"].amp_global_state()
    before = state.amp_dtype
    assert read(Net(), "3x4").count("mac").total.count == 24
    assert state.amp_dtype == before


def test_a_cache_is_an_argument_of_its_own_type() -> None:
    """Batch 2, width 8, one query, a cache of 3: four projections of 2 * 64, then 2 * 4 * 8 twice."""
    from flopledger import count

    attention = nn.MultiHeadAttention(8, 2)
    query, past = paddle.zeros([2, 1, 8]), paddle.zeros([2, 2, 3, 4])
    given = (query, query, query, None, nn.MultiHeadAttention.Cache(past, past))
    assert count(attention, given).total.count == 4 * 2 * 64 + 2 * 2 * 4 * 8


def test_a_temporal_shift_moves_and_computes_nothing(read: Read) -> None:
    ledger = read(Does(lambda _, x: F.temporal_shift(x, 2, 0.25)), "4x4x8x8").count("ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (0, ())


def _picks(model: Any, x: Any) -> Any:
    return model.linear(paddle.gather(x, paddle.nonzero(x[:, 0] >= 0).flatten()))


def test_a_size_that_depends_on_data_is_unknown_in_every_convention(read: Read) -> None:
    graph = read(Does(_picks), "5x4")
    for convention in ("mac", "ops", "paddle-flops", "paddle-flops-static", "paddle-summary"):
        ledger = graph.count(convention)
        assert "pd_op.matmul" in {call.source for call in ledger.coverage.unknown}, convention


def test_a_run_sees_every_op_at_its_real_size(read: Read) -> None:
    """All five rows are zeros, and none is below zero: 5 * 4 * 2."""
    model = Does(_picks)
    before = {name: value.numpy().tolist() for name, value in model.state_dict().items()}
    graph = read(model, "5x4", execute=True)
    assert graph.count("mac").total.count == 40
    assert "really ran" in graph.reading.notes[0]
    assert {name: value.numpy().tolist() for name, value in model.state_dict().items()} == before


def test_a_run_leaves_statistics_alone(read: Read) -> None:
    model = nn.Sequential(nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4))
    graph = read(model, "2x3x8x8", mode="train", execute=True)
    assert graph.count("mac").total.count == 2 * 3 * 9 * 4 * 36
    assert model[1]._mean.numpy().tolist() == [0.0] * 4


def test_a_recurrent_layer_runs_though_its_dropout_has_no_memory_yet(read: Read) -> None:
    """3 rows of 2 steps, four gates of 8 from 8 inputs and 8 states."""
    graph = read(nn.LSTM(8, 8), "3x2x8", execute=True)
    assert graph.count("mac").total.count == 3 * 2 * 4 * 8 * (8 + 8)


def _in_place(change: Any) -> Any:
    """Return a forward that changes a tensor in place, ignores the result, and reads it by another name."""

    def forward(self: Any, x: Any) -> Any:
        y = x * 2.0
        z = y
        change(y)
        assert len(z.shape) == 2
        return self.dense(z)

    return forward


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y.reshape_([y.shape[0], -1]),
        lambda y: paddle.reshape_(x=y, shape=[2, 24]),
        lambda y: paddle.flatten_(y, 1),
        lambda y: F.relu_(y.unsqueeze_(0)).squeeze_(0).reshape_([2, 24]),
    ],
)
def test_a_function_in_place_whose_result_is_ignored_changes_what_is_read_later(
    read: Read, change: Any
) -> None:
    class Net(nn.Layer):
        forward = _in_place(change)

        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(24, 5)

    graph = read(Net(), "2x4x6")
    assert graph.count("mac").total.count == 2 * 24 * 5
    assert graph.count("paddle-flops").total.count == 2 * 24 * 5


def test_keys_and_values_picked_from_one_product_follow_a_symbolic_batch(read: Read) -> None:
    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.kv = nn.Linear(8, 16)

        def forward(self, x: Any) -> Any:
            k, v = self.kv(x).reshape([x.shape[0], -1, 2, 2, 4]).transpose([2, 0, 3, 1, 4])
            return (k @ k.transpose([0, 1, 3, 2])) @ v[:, :, :, -2:]

    # 5 tokens by 8 and 16 features, then scores of two heads of 4, and of those two features of the values
    total = read(Net(), "Nx5x8").count("mac").total
    assert str(total.count) == f"{5 * 8 * 16 + 2 * 5 * 5 * 4 + 2 * 5 * 5 * 2}*N"


def test_a_run_computes_with_the_values_that_were_given() -> None:
    """The first n rows, and of them those whose first element is above 1; or all where their sum is large."""

    def picked(model: Any, x: Any, n: Any) -> Any:
        rows = x[: int(n)]
        return model.linear(rows if rows.sum() > 100 else rows[rows[:, 0] > 1])

    class Picks(nn.Layer):  # type: ignore[misc]  # Paddle's classes have no types
        """A linear layer on rows that depend on the data."""

        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 8)

        def forward(self, x: Any, n: Any) -> Any:
            return picked(self, x, n)

    x = np.array([[0, 1, 2, 3], [2, 1, 2, 3], [5, 1, 1, 1]], "float32")
    for given, n, rows in ((x, 2, 1), (x, 3, 2), (100 * x, 3, 3)):
        graph = fl.read(Picks(), (paddle.to_tensor(given), paddle.to_tensor(n)), execute=True)
        assert graph.count("mac").total.count == rows * 4 * 8
        assert "on the values that were given" in graph.reading.notes[0]
    assert fl.count(Picks(), (x, np.array(3)), execute=True).total.count == 2 * 4 * 8


def test_a_run_leaves_the_tensors_that_were_given_alone() -> None:
    class Adds(nn.Layer):  # type: ignore[misc]  # Paddle's classes have no types
        """Adds to its input in place."""

        def forward(self, x: Any) -> Any:
            return x.add_(x)

    given = paddle.ones([2])
    fl.count(Adds(), given, execute=True)
    assert given.numpy().tolist() == [1, 1]
