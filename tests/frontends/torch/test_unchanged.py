"""A reading leaves the model, torch and the process as they were, whether it ends well or not."""

from __future__ import annotations

import copy
import gc
import queue
import random
import threading
import weakref
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import SourceError
from networks import Recurrent, ResNet, ViT
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as module_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OWNERS = (torch, torch.Tensor, torch.nn.functional, torch.nn.Module)
_HOOKS = [name for name in vars(module_file) if name.startswith("_global_") and name.endswith("_hooks")]


def functions() -> dict[tuple[str, str], int]:
    return {(owner.__name__, name): id(value) for owner in _OWNERS for name, value in vars(owner).items()}


def process() -> dict[str, Any]:
    return {
        "random": random.getstate(),
        "rng": torch.get_rng_state().tolist(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "grad": torch.is_grad_enabled(),
        "fast paths": torch.backends.mha.get_fastpath_enabled(),
        "hooks": {name: len(getattr(module_file, name)) for name in _HOOKS},
        "modes": torch._C._len_torch_dispatch_stack(),
        "collector": gc.isenabled(),
    }


def attributes(model: nn.Module) -> list[dict[str, Any]]:
    found = []
    for module in model.modules():
        own = {name: id(value) for name, value in vars(module).items()}
        held = {
            (table, name): id(value)
            for table, values in vars(module).items()
            if isinstance(values, dict)
            for name, value in values.items()
        }
        found.append({"type": type(module), "own": own, "held": held, "training": module.training})
    return found


class Careless(nn.Module):
    """Does to itself and to the process what a forward should not."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.fails, self.calls, self.seen = fails, 0, [0]
        self.linear = nn.Linear(4, 4)
        self.register_buffer("steps", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(self.calls)
        self.steps += 1
        self.new = nn.Parameter(torch.zeros(3))
        self.linear.weight.requires_grad_(requires_grad=False)
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(1)
        random.seed(2)
        y: Tensor = functional.dropout(self.linear(x), 0.5, training=True)
        if self.fails:
            message = "no more"
            raise ValueError(message)
        return y


@pytest.fixture(autouse=True)
def torch_is_left_alone() -> Iterator[None]:
    places = functions()
    yield
    assert functions() == places


def check(model: nn.Module, read: Callable[[], object]) -> None:
    values = {name: value.clone() for name, value in model.state_dict().items()}
    flags = [(p.requires_grad, p.grad) for p in model.parameters()]
    kept, state = attributes(model), process()
    read()
    assert [name for name, value in process().items() if value != state[name]] == []
    assert attributes(model) == kept
    assert [(p.requires_grad, p.grad) for p in model.parameters()] == flags
    assert list(model.state_dict()) == list(values)
    assert all(torch.equal(value, values[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("execute", [False, True])
@pytest.mark.parametrize(
    ("model", "inputs"),
    [(ResNet(), "2x3x32x32"), (ViT(), "1x3x32x32"), (Recurrent(), "2x5:int64"), (Careless(), "2x4")],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_reading_leaves_everything_as_it_was(
    model: nn.Module, inputs: str, mode: str, *, execute: bool
) -> None:
    check(model, lambda: fl.read(model, inputs, profile={"mode": mode}, execute=execute))


@pytest.mark.parametrize("execute", [False, True])
def test_a_forward_that_fails_leaves_everything_as_it_was(*, execute: bool) -> None:
    model = Careless(fails=True)

    def read() -> None:
        with pytest.raises(SourceError, match=r"ValueError: no more \(.*test_unchanged.py, line \d+: raise"):
            fl.read(model, "2x4", execute=execute)

    check(model, read)
    assert model.seen == [0]


def test_training_flags_are_kept_one_by_one() -> None:
    model = ResNet()
    model.stem.eval()
    flags = [module.training for module in model.modules()]
    fl.read(model, "1x3x32x32")
    assert [module.training for module in model.modules()] == flags
    assert len(set(flags)) == 2


def test_a_model_can_be_trained_after_a_reading() -> None:
    model = nn.Linear(3, 2)
    fl.read(model, "4x3")
    model(torch.ones(4, 3)).sum().backward()
    assert model.weight.grad is not None


def test_hooks_of_the_user_s_own_are_recorded_and_kept() -> None:
    model, seen, state = nn.Sequential(nn.Linear(3, 2), nn.ReLU()), queue.SimpleQueue(), []

    def hook(*_: object) -> None:
        seen.put("called")
        state.append("called")

    handle = model[0].register_forward_hook(hook)
    graph = fl.read(model, "4x3")
    assert seen.get_nowait() == "called"
    assert state == []
    assert handle.id in model[0]._forward_hooks
    assert graph.count("mac").total.count == 24


def test_readings_in_several_threads_do_not_mix() -> None:
    models = [ResNet((1,) * n) for n in (1, 2, 3)]
    alone = [fl.read(model, "1x3x32x32").digest for model in models]
    found: dict[int, str] = {}

    def read(number: int) -> None:
        found[number] = fl.read(models[number], "1x3x32x32").digest

    threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(3)] == alone


def test_what_another_thread_computes_meanwhile_is_not_recorded() -> None:
    other, go, done = nn.Linear(8, 8), threading.Event(), threading.Event()

    def compute() -> None:
        go.wait()
        other(torch.ones(2, 8))
        done.set()

    class Slow(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            go.set()
            assert done.wait(20)
            return torch.relu(x)

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    graph = fl.read(Slow(), "2x8")
    thread.join()
    assert {call.source for call in graph.layers if call.level == "op"} == {"aten.relu.default"}
    assert [module.type.rpartition(".")[2] for module in graph.modules] == ["Slow"]


def test_a_forward_that_reads_a_model_is_told_that_it_can_t() -> None:
    class Nested(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            fl.read(nn.ReLU(), "2x3")
            return x

    with pytest.raises(SourceError, match="can't read another model"):
        fl.read(Nested(), "2x3")


def test_no_weight_and_no_activation_takes_memory() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(1 << 20, 1 << 20), nn.ReLU(), nn.Linear(1 << 20, 4))
    # 4 TiB of weights; each of 1 << 20 rows meets the weights once
    ledger = fl.count(model, "1048576x1048576")
    assert ledger.total.count == (1 << 60) + (1 << 42)
    assert copy.copy(model[0].weight).is_meta


_KNOWN: dict[Any, int] = {}


class Registered(nn.Module):
    """Looks itself up in a table of the program, by what a copy does not have."""

    def __init__(self, key: Callable[[nn.Module], Any]) -> None:
        super().__init__()
        self.linear, self.key = nn.Linear(4, 4), key
        _KNOWN[key(self)] = 2

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x) * _KNOWN[self.key(self)]
        return y


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("key", [id, weakref.ref, lambda module: module])
def test_a_model_that_looks_itself_up_is_told_where_to_keep_the_entry(
    key: Callable[[nn.Module], Any], *, isolated: bool
) -> None:
    model = Registered(key)
    with pytest.raises(SourceError, match=r"KeyError.*runs on a copy\. Keep the entry in an attribute"):
        fl.read(model, "2x4", isolated=isolated)
    assert torch.isfinite(model(torch.ones(2, 4))).all()


@pytest.mark.parametrize("key", [7, "name", None])
def test_any_other_missing_key_is_the_model_s_own_fault(key: object) -> None:
    class Missing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            del x
            raise KeyError(key)

    with pytest.raises(SourceError, match="KeyError") as caught:
        fl.read(Missing(2, 2), "2x2")
    assert "copy" not in str(caught.value)
