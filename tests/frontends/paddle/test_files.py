from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger.testing import check_frontend
from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from pathlib import Path

LENET = 47040 - 6 * 784 + 241600 - 1600 + 48000 + 10080 + 840
"""LeNet's products: paddle.flops's rows without the biases of the convolutions."""


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """Save LeNet as Paddle 3 does, for a batch of any size."""
    spec = paddle.static.InputSpec([-1, 1, 28, 28], "float32", "x")
    paddle.jit.save(paddle.vision.models.LeNet(), str(tmp_path / "lenet"), input_spec=[spec])
    return str(tmp_path / "lenet.json")


@pytest.fixture
def old(tmp_path: Path) -> str:
    """Save LeNet as Paddle 2 did."""
    with paddle.pir_utils.OldIrGuard():
        paddle.enable_static()
        try:
            program, start = paddle.static.Program(), paddle.static.Program()
            with paddle.static.program_guard(program, start):
                x = paddle.static.data("x", [-1, 1, 28, 28])
                model = paddle.vision.models.LeNet()
                model.eval()
                out = model(x)
                executor = paddle.static.Executor(paddle.CPUPlace())
                executor.run(start)
                paddle.static.save_inference_model(
                    str(tmp_path / "old"), [x], [out], executor, program=program
                )
        finally:
            paddle.disable_static()
    return str(tmp_path / "old.pdmodel")


def test_a_saved_program_keeps_the_contract(saved: str) -> None:
    check_frontend("paddle", saved)


@pytest.mark.parametrize("form", ["saved", "old"])
def test_an_open_batch_is_a_symbol(request: pytest.FixtureRequest, form: str) -> None:
    graph = fl.read(request.getfixturevalue(form))

    assert str(graph.count("mac").total.count) == f"{LENET}*N"
    assert graph.count("mac").total.params == 61610
    assert graph.count("paddle-flops-static").total.count == 296734
    assert graph.count("mac").coverage.unknown == ()


def test_an_input_can_be_given(saved: str) -> None:
    assert fl.read(saved, "4x1x28x28").count("mac").total.count == 4 * LENET


def test_the_output_is_stated(saved: str) -> None:
    graph = fl.read(saved, "x=4x1x28x28")

    assert [graph.shape(tensor) for tensor in graph.outputs] == [(4, 10)]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("y=1x1x28x28", r"has no input 'y'\. It has x"),
        ("1x28x28", r"the program was saved for an input Nx1x28x28, not 1x28x28"),
        ("1x2x28x28", r"the program was saved for an input Nx1x28x28, not 1x2x28x28"),
        ("x=!3", r"an input of a saved program is a tensor, not 3"),
    ],
)
def test_inputs_that_do_not_fit(saved: str, spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fl.read(saved, (spec,))


def test_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"base_code": 1, "program": 2}')

    with pytest.raises(SourceError, match="it is no inference program that Paddle"):
        fl.read(str(tmp_path / "other.json"))


def test_arguments_are_refused(saved: str) -> None:
    from pathlib import Path

    from flopledger_paddle.read import read_source

    given: Any = {"a": 1}
    with pytest.raises(UsageError, match="it takes no --arg"):
        read_source(Path(saved), Request(saved, arguments=given))


class Tokens(paddle.nn.Layer):
    """A convolution, its map halved and taken as tokens, and attention of these, by the sizes of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.qkv = paddle.nn.Conv2D(3, 8, 3, padding=1), paddle.nn.Linear(8, 24)

    def forward(self, x: Any) -> Any:
        y = self.conv(x)
        n, c, h, w = paddle.shape(y)
        y = paddle.nn.functional.interpolate(y, [h // 2, w // 2])
        y = y.reshape([n, c, -1]).transpose([0, 2, 1])
        length = paddle.shape(y)[1]
        q, k, v = self.qkv(y).reshape([n, length, 3, 2, 4]).transpose([2, 0, 3, 1, 4])
        scores = paddle.matmul(q, k, transpose_y=True) + paddle.full([length, length], 0.0)
        return paddle.matmul(scores, v)


class Steps(paddle.nn.Layer):
    """A linear layer, and a cell in a loop."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.steps = paddle.nn.Linear(4, 6), paddle.nn.RNN(paddle.nn.GRUCell(6, 5))

    def forward(self, x: Any) -> Any:
        return self.steps(self.linear(x))[0]


@pytest.mark.parametrize("open_sizes", [(), (0,), (0, 2, 3)])
def test_sizes_that_a_program_computes_are_numbers(tmp_path: Path, open_sizes: tuple[int, ...]) -> None:
    shape = [-1 if axis in open_sizes else size for axis, size in enumerate((2, 3, 8, 10))]
    net = Tokens()
    net.eval()
    path = str(tmp_path / "tokens")
    paddle.jit.save(net, path, [paddle.static.InputSpec(shape, "float32", "x")])
    ledger = fl.count(f"{path}.json", "2x3x8x10")
    # 160 places of 8 filters of 27; of 4 x 5 tokens each the layer, and both products for 2 heads of 4
    assert ledger.total.count == 160 * 8 * 27 + 40 * 8 * 24 + 2 * 2 * 2 * 20 * 20 * 4
    assert ledger.coverage.unknown == ()
    if len(open_sizes) == 3:
        product = "FloorDiv(D2, 2)*FloorDiv(D3, 2)"
        squared = "FloorDiv(D2, 2)**2*FloorDiv(D3, 2)**2"
        whole = fl.count(f"{path}.json").total.count
        assert str(whole) == f"216*D2*D3*N + 16*N*{squared} + 192*N*{product}"


def test_a_loop_in_a_program_is_unknown_and_the_rest_is_counted(tmp_path: Path) -> None:
    net, path = Steps(), str(tmp_path / "steps")
    net.eval()
    paddle.jit.save(net, path, [paddle.static.InputSpec([-1, -1, 4], "float32", "x")])
    ledger = fl.count(f"{path}.json", "2x7x4")
    # of the loop's body, once, the product of an input; the state's size is open there
    assert ledger.total.count == 2 * 7 * 4 * 6 + 2 * 6 * 3 * 5
    assert "pd_op.while" in {unknown.source for unknown in ledger.coverage.unknown}
