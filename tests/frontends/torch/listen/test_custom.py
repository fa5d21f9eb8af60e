"""Functions with gradients of their own, masks that may be causal, layers that move, orders of axes."""

from __future__ import annotations

import functools
import queue
from typing import Any

import flopledger as fl
import pytest
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.jit import ScriptFunction
from torch.nn.modules import transformer


class Product(Function):
    """A product with a gradient of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        return x @ y


class Bad(Function):
    """A function that fails."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        raise ValueError("no forward")


class Net(nn.Module):
    def __init__(self, function: type[Function]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *given: Tensor) -> Any:
        return self.function.apply(*given)


def test_a_function_with_its_own_gradient_is_an_op_around_others() -> None:
    graph = fl.read(Net(Product), ("4x5", "5x6"))
    (around,) = (layer for layer in graph.layers if layer.source == "prim.PythonOp")
    assert (around.level, around.composite, around.parent) == ("op", True, 0)
    assert graph.tensors[around.outputs[0]].shape == (4, 6)
    (product,) = (layer for layer in graph.layers if layer.source == "torch.Tensor.__matmul__")
    assert product.parent == around.id
    ledger = graph.count("mac")
    assert (ledger.total.count, ledger.coverage.unknown) == (4 * 5 * 6, ())
    assert graph.count("torch-flop-counter").total.count == 2 * 4 * 5 * 6
    assert graph.count("fvcore").total.count == 0  # to the tracer it is an operator that nobody knows


def test_functions_are_as_they_were_after_a_failure() -> None:
    before = vars(Function)["apply"]
    with pytest.raises(fl.errors.SourceError, match="no forward"):
        fl.read(Net(Bad), "4x5")
    assert vars(Function)["apply"] is before


class Causal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Transformer(8, 2, 1, 1, 12, batch_first=True)

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.layers(x, y, tgt_mask=nn.Transformer.generate_square_subsequent_mask(y.shape[1]))


@pytest.mark.parametrize("execute", [False, True])
def test_a_mask_that_may_be_causal_needs_no_data(*, execute: bool) -> None:
    before = transformer._detect_is_causal_mask
    graph = fl.read(Causal(), {"x": "2x5x8", "y": "2x3x8"}, execute=execute)
    assert transformer._detect_is_causal_mask is before
    # encoder: 4 projections and 2 of 12 for 10 rows, 2 products of 5 x 5; decoder: 6 rows, keys and values
    # of 10 rows again, 2 products of 3 x 3 and of 3 x 5
    encoder = 10 * (4 * 64 + 2 * 96) + 2 * 2 * 5 * 5 * 8
    decoder = 6 * (6 * 64 + 2 * 96) + 10 * 2 * 64 + 2 * 2 * (3 * 3 + 3 * 5) * 8
    ledger = graph.count("mac")
    assert (ledger.total.count, ledger.disagreements) == (encoder + decoder, ())


def test_a_mask_of_any_length_needs_no_data() -> None:
    graph = fl.read(Causal(), {"x": "2x5x8", "y": "2xTx8"})
    # as above with T in place of 3: 4480 + 800, 2 T (384 + 192) + 1280 + 32 T^2 + 160 T
    assert str(graph.count("mac").total.count) == "32*T**2 + 1312*T + 6560"


SEQUENCE, PICTURE, VOLUME = (3, 5, 7), (3, 5, 7, 4), (3, 5, 2, 7, 4)


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        (SEQUENCE, (0, 2, 1)),
        (PICTURE, (0, 3, 1, 2)),
        (PICTURE, (0, 2, 1, 3)),
        (VOLUME, (0, 4, 1, 2, 3)),
    ],
)
def test_a_batch_norm_gives_its_axes_in_the_order_of_the_real_one(
    shape: tuple[int, ...], order: tuple[int, ...]
) -> None:
    found: queue.SimpleQueue[tuple[int, ...]] = queue.SimpleQueue()  # a list would be as it was afterwards
    norm = {3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[len(shape)](shape[order[1]])

    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = norm

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.norm(x.permute(order))
            found.put(tuple(made.stride()))
            return made

    model = Turned().eval()
    model(torch.rand(shape))
    fl.read(model, shape)
    assert found.get_nowait() == found.get_nowait()


def test_a_forward_may_move_its_layers_and_convert_them() -> None:
    class Moving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(7, 11), nn.Sequential(nn.Linear(11, 5), nn.BatchNorm1d(5))

        def forward(self, x: Tensor) -> Any:
            return self.second.double().to(x.device)(self.first.to(x.dtype)(x).double())

    model = Moving().eval()
    before, apply = dict(model.state_dict(keep_vars=True)), vars(nn.Module)["_apply"]
    graph = fl.read(model, "3x7")
    assert graph.count("mac").total.count == 3 * (7 * 11 + 11 * 5)
    assert [graph.tensors[i].dtype for i in graph.outputs] == ["float64"]
    assert all(found is before[name] for name, found in model.state_dict(keep_vars=True).items())
    assert vars(nn.Module)["_apply"] is apply


@functools.lru_cache
def table(size: int) -> Tensor:
    return torch.ones(size) * 2


class Remembering(nn.Module):
    """A model whose functions remember what they made, for all and for each class."""

    @staticmethod
    @functools.lru_cache
    def offsets(size: int) -> Tensor:
        return torch.ones(size)

    def forward(self, x: Tensor) -> Tensor:
        return x + table(x.shape[1]) + self.offsets(x.shape[1])


def test_what_a_model_remembers_in_a_reading_is_forgotten() -> None:
    model = Remembering()
    for _ in range(2):
        assert fl.read(model, "2x3").count("ops").total.count == 3 + 2 * 2 * 3
    assert type(model(torch.zeros(2, 3))) is Tensor
    assert table.cache_info().currsize == 1
    table.cache_clear()
    Remembering.offsets.cache_clear()


def test_a_weight_norm_along_any_axis_has_a_formula() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Conv1d(6, 10, 3), dim=2)
    ledger = fl.read(model, "1x6x11").count("ops")
    assert ledger.coverage.unknown == ()


def linear_and_product(x: Tensor, w: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, w) + torch.matmul(x, w)


class Around(nn.Module):
    """A layer, and a function of its result."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.fc, self.w = nn.Linear(5, 5), nn.Parameter(torch.zeros(5, 5))
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self.fc(x), self.w)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("compiled", ["", "script", "trace"])
def test_a_compiled_function_is_one_operator_to_a_tracer_alone(compiled: str) -> None:
    """fvcore and torchprofile print 375, and 125, of the layer alone, where torch.jit compiled the function.

    FlopCounterMode prints 750 for each.
    """
    example = {"trace": [(torch.zeros(5, 5), torch.zeros(5, 5))]}.get(compiled, [])
    function = getattr(torch.jit, compiled)(linear_and_product, *example) if compiled else linear_and_product
    call = ScriptFunction.__call__
    counts = {
        name: fl.count(Around(function), "5x5", name).total.count
        for name in ("mac", "torch-flop-counter", "fvcore", "torchprofile")
    }

    seen = 125 if compiled else 375
    assert counts == {"mac": 375, "torch-flop-counter": 750, "fvcore": seen, "torchprofile": seen}
    assert ScriptFunction.__call__ is call
