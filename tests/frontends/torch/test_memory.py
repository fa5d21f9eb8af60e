"""The memory of activations, of a backward and of an optimizer, by hand and beside measured figures."""

from __future__ import annotations

import importlib
import json
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.counting import engine
from flopledger.counting.footprint import footprint
from flopledger.errors import UsageError
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GOLDEN = Path(__file__).parents[4] / "shared" / "golden" / "beyond"
ENTRIES = json.loads((GOLDEN / "memory.json").read_text())["entries"] if GOLDEN.exists() else []


def net() -> nn.Module:
    """4 to 6 with a ReLU, to 3; 5 rows: activations of 120 bytes, 120 and 60."""
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


def test_a_training_step_keeps_what_its_gradients_need() -> None:
    model = net()
    forward = fl.read(model, "5x4", profile={"grad": False})
    train = fl.read(model, "5x4", profile={"step": "train"})
    found = footprint(forward, train, trains=True, optimizer="adam", dtypes={})
    weights = 4 * (24 + 6 + 18 + 3)
    assert (found.weights, found.gradients, found.inputs) == (weights, weights, 80)
    assert found.optimizer == 2 * weights + 4 * 4  # two moments, and a step for each of four weights
    assert found.activations.sum == 300
    assert found.activations.peak == 240
    assert found.activations.saved == 120  # the ReLU's result, for itself and for the last weight


def test_a_frozen_weight_frees_its_input_but_not_a_convolutions() -> None:
    for layer, kept in ((nn.Linear(8, 8), 0), (nn.Conv1d(2, 2, 1), 64)):
        layer.requires_grad_(False)  # noqa: FBT003  (torch's own signature)
        model = nn.Sequential(nn.Conv1d(2, 2, 1, bias=False), layer)
        graph = fl.read(model, "1x2x8", profile={"step": "train"})
        assert graph.count("saved").total.count == kept


def test_types_in_memory_may_be_others_and_bytes_are_no_operations() -> None:
    forward = fl.read(net(), "5x4", profile={"grad": False})
    found = footprint(forward, None, trains=False, optimizer="sgd", dtypes={"weights": "int8"})
    assert found.weights == 24 + 6 + 18 + 3
    with pytest.raises(UsageError, match="bytes are no operations"):
        fl.explain(net(), "mac", "peak", "5x4")
    with pytest.raises(UsageError, match="adam"):
        footprint(forward, None, trains=False, optimizer="adem", dtypes={})


class Live(TorchDispatchMode):
    """Follows the bytes of all memory that operators make, from when it is made to when it is given back."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.place = {tensor.untyped_storage()._cdata for tensor in known}
        self.now = self.most = 0

    def gone(self, place: int, size: int) -> None:
        """Note that memory is given back."""
        self.place.remove(place)
        self.now -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator."""
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                memory = tensor.untyped_storage()
                if memory._cdata not in self.place:
                    self.place.add(memory._cdata)
                    self.now += memory.nbytes()
                    weakref.finalize(memory, self.gone, memory._cdata, memory.nbytes())
        self.most = max(self.most, self.now)
        return made


class Joined(nn.Module):
    """Each layer reads all results before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(3 + 4 * i, 4, 3, padding=1) for i in range(4))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat((x, layer(x).relu()), 1)
        return x.mean(2)


class Twice(nn.Module):
    """A layer that is called three times: its weight has three gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.layer(self.layer(x).tanh()).tanh())


class Residual(nn.Module):
    """Blocks whose results are added to their inputs, computed again or not."""

    def __init__(self, *, again: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv1d(4, 4, 3, padding=1), nn.BatchNorm1d(4), nn.ReLU(), nn.Conv1d(4, 4, 1))
            for _ in range(3)
        )
        self.again = again

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            made = checkpoint(block, x, use_reentrant=False) if self.again else block(x)
            x = torch.relu(x + made)
        return x.mean(2)


class Attended(nn.Module):
    """Attention of one sequence to itself: the projections are parts of one product."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(64, 4, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        return self.inner(x, x, x, need_weights=False)[0]


class Scaled(nn.Module):
    """A product with a factor for each channel, whose gradient is added up over all places."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.slope, self.last = nn.Conv1d(3, 8, 1), nn.PReLU(8), nn.Conv1d(8, 8, 1)
        self.scale = nn.Parameter(torch.ones(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.slope(self.first(x)) * self.scale)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Joined(), (2, 3, 16)),
        (Twice(), (4, 32)),
        (Residual(again=False), (2, 4, 32)),
        (Residual(again=True), (2, 4, 32)),
        (Attended(), (2, 10, 64)),
        (Scaled(), (2, 3, 64)),
    ],
    ids=["joined", "twice", "residual", "again", "attended", "scaled"],
)
def test_the_peak_of_a_training_step_is_that_of_a_real_one(model: nn.Module, shape: tuple[int, ...]) -> None:
    graph = fl.read(model, "x".join(map(str, shape)), profile={"step": "train"})
    x = torch.randn(shape)
    with Live([x, *model.parameters(), *model.buffers()]) as live:
        model(x).sum().backward()
    assert engine.analysis_of(graph).training_peak == live.most - 4 - 4  # the loss, and its own gradient


class Of(nn.Module):
    """A function of two layers' results."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.function = nn.Linear(4, 4), nn.Linear(4, 4), function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.first(x), self.second(x))


class Units(nn.Module):
    """Gated units over 5 steps: their gates are parts of one result, and are written in place."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.GRU(4, 4)

    def forward(self, x: Tensor) -> Any:
        return self.inner(x)[0]


def classes_of(a: Tensor) -> Tensor:
    """Return targets that are made on the way: 5 whole numbers of 8 bytes."""
    return torch.zeros(a.shape[0], dtype=torch.int64) + 1


def attended(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Return attention of one head."""
    q, k = a[None, None], b[None, None]
    return nn.functional.scaled_dot_product_attention(q, k, q, mask)


KEEPING = {
    # The first layer's result is needed as it was: a copy of it is kept, and the second's result: 80 each.
    "multiplied in place": (Of(lambda a, b: a.mul_(b)), 160),
    "divided in place": (Of(lambda a, b: a.div_(b)), 160),
    # The other factor wants nothing.
    "by a constant": (Of(lambda a, b: a.mul_(b.detach())), 80),
    "by a number": (Of(lambda a, b: a.mul_(2.0) + b), 0),
    # What is overwritten wants nothing, so that the other factor is not needed.
    "a detached one in place": (Of(lambda a, b: a.detach().mul_(b)), 80),
    "a constant in place": (Of(lambda a, b: torch.ones(5, 4).mul_(b) + a), 80),
    "added products": (Of(lambda a, b: torch.addcmul(a, a, b)), 160),
    "added products of a constant": (Of(lambda a, b: torch.addcmul(a, b.detach(), b)), 80),
    "added quotients": (Of(lambda a, b: torch.addcdiv(a, a, b.detach())), 80),
    "the larger of two": (Of(lambda a, b: torch.maximum(a, b.detach())), 160),
    "a smallest value": (Of(lambda a, b: a.clamp(min=0.0) + b), 80),
    "the error function": (Of(lambda a, b: a.erf() + b), 80),
    "the error function in place": (Of(lambda a, b: a.erf_() + b), 80),
    "gelu by tanh": (Of(lambda a, b: nn.functional.gelu(a, approximate="tanh") + b), 80),
    "threshold": (Of(lambda a, b: nn.functional.threshold(a, 0.1, 0.0) + b), 80),
    # A second result is as large as the operand.
    "log sigmoid": (Of(lambda a, b: nn.functional.logsigmoid(a) + b), 160),
    "deviations": (Of(lambda a, b: a.std(-1).sum() + b), 80 + 5 * 4),
    "products of a row": (Of(lambda a, b: a.prod(-1).sum() + b), 80 + 5 * 4),
    "products so far": (Of(lambda a, b: a.cumprod(-1) + b), 160),
    "largest so far": (Of(lambda a, b: a.cummax(-1)[0] + b), 80 + 20 * 8),
    "medians": (Of(lambda a, b: a.median(-1)[0].sum() + b), 5 * 8),
    "single elements": (Of(lambda a, b: a.gather(1, torch.zeros_like(a).long()) + b), 80 + 20 * 8),
    "whole rows": (Of(lambda a, b: a.index_select(0, torch.zeros(5).long()) + b), 5 * 8),
    "elements added in places": (Of(lambda a, b: a.scatter_add(1, torch.zeros_like(a).long(), b)), 20 * 8),
    "rows added in places": (Of(lambda a, b: a.index_add(0, torch.zeros(5).long(), b)), 80 + 5 * 8),
    "a mean of two": (Of(lambda a, b: a.lerp(b, 0.3)), 0),
    "a mean of two by a tensor": (Of(lambda a, b: a.lerp(b, torch.ones(5, 4))), 80),
    # The mask and the result 100 and 80, of a row's weights their sum 20, keys and queries 80 each.
    "a mask": (Of(lambda a, b: attended(a, b, torch.zeros(5, 5))), 100 + 80 + 20 + 160),
    "distances": (Of(torch.cdist), 160 + 25 * 4),
    # A norm's weight, which is a part of the second result here; mean and deviation of each row.
    "a made weight": (Of(lambda a, b: nn.functional.layer_norm(a, (4,), b[0])), 80 + 80 + 2 * 5 * 4),
    "a transform of real numbers": (Of(lambda a, b: torch.fft.fft(a).real + b), 80),
    "rest": (Of(lambda a, b: torch.fmod(a, 2.0) + b), 0),
    "parts": (Of(lambda a, b: a.unsafe_chunk(2, 1)[0].sigmoid_() * b.unsafe_chunk(2, 1)[1].sigmoid_()), 160),
    # Scores and the weights of classes, added up, 80 + 4; made targets 40.
    "classes": (Of(lambda a, b: nn.functional.cross_entropy(a, classes_of(b))), 124),
    "squares": (Of(nn.functional.mse_loss), 160),
    "huber": (Of(nn.functional.huber_loss), 160),
    "logits": (Of(lambda a, b: nn.functional.binary_cross_entropy_with_logits(a, b.sigmoid())), 160),
}


@pytest.mark.parametrize(("model", "kept"), KEEPING.values(), ids=KEEPING)
def test_what_is_kept_is_what_hooks_are_given(model: nn.Module, kept: int) -> None:
    assert (hooked(model, torch.randn(5, 4)), saved(model, "5x4")) == (kept, kept)


def test_gated_units_keep_their_gates_and_what_is_overwritten() -> None:
    model = Units()
    assert saved(model, "5x1x4") == hooked(model, torch.randn(5, 1, 4))


class Overwriting(nn.Module):
    """A region that runs again, in which a gate is overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        made = checkpoint(lambda y: self.inner(y).sigmoid().mul_(2.0 + y), self.first(x), use_reentrant=False)
        return self.last(made)


def test_a_region_that_runs_again_keeps_its_input_alone() -> None:
    model = Overwriting()
    assert (hooked(model, torch.randn(5, 4)), saved(model, "5x4")) == (160, 160)  # and the last layer its own


def saved(model: nn.Module, shape: str) -> object:
    """Return the bytes that we say a step keeps."""
    return fl.read(model, shape, profile={"step": "train"}).count("saved").total.count


def hooked(model: nn.Module, x: Tensor) -> int:
    """Return the bytes of results that PyTorch keeps, each storage once."""
    given = {one.untyped_storage().data_ptr() for one in (x, *model.parameters(), *model.buffers())}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = model(x)
    assert out.requires_grad
    return sum(one.untyped_storage().nbytes() for place, one in kept.items() if place not in given)


@pytest.mark.skipif(not ENTRIES, reason="../shared/golden is absent")
@pytest.mark.filterwarnings("ignore")  # of the networks measured, which are not ours
@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["id"] for entry in ENTRIES])
def test_networks_take_what_was_measured(entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GOLDEN))
    name, _, factory = entry["source"].partition(".py:")
    try:
        model = getattr(importlib.import_module(name), factory)(**entry["arg"])
    except ImportError as missing:
        pytest.skip(f"{missing.name} is not installed")
    inputs = tuple(spec.replace(":bf16", ":bfloat16") for spec in entry["inputs"])
    forward = engine.analysis_of(fl.read(model.eval(), inputs, profile={"grad": False})).memory
    assert forward.peak.bytes == entry["inference"]["peak_last_use"]
    if "training" in entry:
        graph = fl.read(model.train(), inputs, profile={"step": "train"})
        assert graph.count("saved").total.count == entry["saved_for_backward"]["activation"]
        measured = entry["training"]["peak_training"]
        assert abs(engine.analysis_of(graph).training_peak - measured) <= measured / 20
    assert torch.is_grad_enabled()
