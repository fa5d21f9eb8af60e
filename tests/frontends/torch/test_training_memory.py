"""Training steps of small networks, operator by operator and at random, beside what PyTorch really takes."""

# ruff: noqa: ARG005, FBT003, S311  (torch's own signatures, sizes of networks, and nothing is secret)

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
import torch_memory
from flopledger.counting import engine
from flopledger.counting.footprint import footprint
from flopledger.report.footprint import render
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Of(nn.Module):
    """A function of the results of some layers, which has weights of its own."""

    def __init__(
        self, function: Callable[..., Any], *layers: nn.Module, weights: tuple[tuple[int, ...], ...] = ()
    ) -> None:
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)
        self.own = nn.ParameterList([nn.Parameter(torch.rand(sizes) / 9) for sizes in weights])

    def forward(self, *given: Tensor) -> Any:
        if not self.layers:
            return self.function(*given, *self.own)
        made = [layer(given[place % len(given)]) for place, layer in enumerate(self.layers)]
        return self.function(*given_away(made), *self.own)


def given_away(made: list[Tensor]) -> Iterator[Tensor]:
    """Yield results, and hold them no more."""
    while made:
        yield made.pop(0)


def figures(model: nn.Module, inputs: str) -> tuple[object, int, int]:
    """Return the bytes that we say a step keeps, the peak of a forward alone, and that of the step."""
    model.train()
    forward = engine.analysis_of(fl.read(model, inputs, profile={"grad": False, "mode": "train"}))
    step = fl.read(model, inputs, profile={"step": "train", "mode": "train"})
    peak = engine.analysis_of(step).training_peak
    return step.count("saved").total.count, forward.memory.peak.bytes, peak


def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return scaled attention, written out."""
    return (q @ k.transpose(1, 2) / 5).softmax(-1) @ v


def written(x: Tensor, y: Tensor) -> Tensor:
    """Return a copy of the first, a part of which is the second."""
    made = x.clone()
    made[:, :4] = y[:, :4]
    return made


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    # temporaries beside the gradients: of powers, of quotients, of a log of sums
    "powers": (1, lambda x: x**3),
    "quotient": (2, torch.div),
    "angle": (2, torch.atan2),
    "sums of exponentials": (1, lambda x: x.logsumexp(1)),
    "deviations": (1, lambda x: x.std(1)),
    "products": (1, lambda x: x.prod(1)),
    "sums so far": (1, lambda x: x.cumsum(1)),
    "clipped": (1, lambda x: x.clamp(-1, 1)),
    "differences": (2, lambda x, y: ((x.unsqueeze(2) - y.unsqueeze(1)) ** 2).sum(-1)),
    "unit length": (1, lambda x: functional.normalize(x, dim=-1)),
    # one half of a split has no gradient, which is made of zeros
    "one half": (1, lambda x: x.split(16, -1)[0]),
    "parts": (1, lambda x: x.chunk(2, -1)[0] * x.chunk(2, -1)[1]),
    "places": (1, lambda x: x[:, [0, 3, 5]]),
    "largest": (1, lambda x: x.topk(5, 1)[0]),
    "in order": (1, lambda x: x.sort(1)[0]),
    # a view that is written to: its gradients are those of all the memory behind it
    "in place": (1, lambda x: functional.relu(x, inplace=True)),
    "product in place": (2, lambda x, y: x.mul_(y)),
    "a part written": (2, written),
    "attention": (3, attended),
    "scattered": (1, lambda x: torch.zeros(4, 8, 32).scatter_reduce(1, x.int().long() % 8, x, "amax")),
    "spectrum": (1, lambda x: torch.fft.irfft(torch.fft.rfft(x, dim=1), dim=1)),
    "complex": (2, lambda x, y: (torch.complex(x, y) * torch.complex(y, x)).real),
    "inverse": (1, lambda x: torch.linalg.inv(x @ x.transpose(1, 2) + 10 * torch.eye(16))),
    "factors": (1, lambda x: torch.linalg.qr(x.transpose(1, 2))[0]),
    "singular values": (1, lambda x: torch.linalg.svd(x, full_matrices=False)[1]),
    "determinant": (1, lambda x: torch.linalg.det(x @ x.transpose(1, 2))),
}


@pytest.mark.parametrize(("takes", "function"), FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_an_operators_derivative_takes_what_it_really_takes(takes: int, function: Callable[..., Any]) -> None:
    x = torch.randn(4, 16, 32)
    model = nn.Sequential(Of(function, *(nn.Linear(32, 32) for _ in range(takes))), nn.LazyLinear(8))
    model(x)  # which gives the last layer its size
    kept, forward, step = figures(model, "4x16x32")
    assert kept == torch_memory.saved(model, x)
    assert forward == torch_memory.forward_peak(model, x)
    measured = torch_memory.training_peak(model, x)
    assert abs(step - measured) <= measured / 20


BILINEAR = Of(functional.bilinear, nn.Linear(32, 32), nn.Linear(32, 32), weights=((6, 32, 32),))


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        (BILINEAR, (4, 16, 32)),
        (
            nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReflectionPad2d(2), nn.Conv2d(8, 8, 1)),
            (4, 3, 8, 8),
        ),
        (nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReplicationPad2d(2), nn.Conv2d(8, 8, 1)), (4, 3, 8, 8)),
        (nn.Sequential(nn.Linear(16, 16), nn.GRU(16, 16, bidirectional=True)), (5, 2, 16)),
        (nn.Sequential(nn.Linear(16, 16), nn.LSTM(16, 16)), (5, 2, 16)),  # a kernel with a workspace
        (nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.1), (4, 16, 32)),
    ],
    ids=["bilinear", "reflected", "repeated", "both ways", "fused", "encoder"],
)
def test_layers_keep_what_they_really_keep(model: nn.Module, sizes: tuple[int, ...]) -> None:
    kept, forward, step = figures(model, "x".join(map(str, sizes)))
    x = torch.randn(sizes)
    assert kept == torch_memory.saved(model, x)
    assert forward == torch_memory.forward_peak(model, x)
    measured = torch_memory.training_peak(model, x)
    assert abs(step - measured) <= measured / 20


class Dropped(nn.Module):
    """A head whose result is dropped, and one whose result is returned without its history."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        x = self.first(x).tanh()
        self.head(x).relu()
        return {"out": self.head(x), "beside": self.head(x).sigmoid().detach(), "place": x.argmax(-1)}


def test_results_that_reach_no_loss_are_kept_while_they_live() -> None:
    kept, _, _ = figures(Dropped(), "5x4")
    assert kept == torch_memory.saved(Dropped(), torch.randn(5, 4)) == 3 * 80  # of tanh, ReLU and sigmoid


def test_what_nobody_knows_the_derivative_of_makes_it_a_lower_bound() -> None:
    def aligned(x: Tensor) -> Tensor:
        lengths = torch.full((4,), 5)
        return functional.ctc_loss(
            x.log_softmax(-1), torch.ones(4, 2, dtype=torch.long), lengths, lengths - 3
        )

    model = Of(aligned, nn.Linear(8, 8))
    forward = fl.read(model, "5x4x8", profile={"grad": False})
    step = fl.read(model, "5x4x8", profile={"step": "train"})
    found = footprint(forward, step, trains=True, optimizer="sgd", dtypes={})
    assert found.activations.unknown_calls == 1
    assert "at least that: 1 call unknown" in render(found)


class Own(torch.autograd.Function):
    """A function with a gradient of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * 2 * x


def test_a_gradient_of_its_own_is_named_in_a_note() -> None:
    model = Of(lambda x: Own.apply(x), nn.Linear(4, 4))  # noqa: PLW0108  (found at the call)
    notes = fl.read(model, "5x4", profile={"step": "train"}).reading.notes
    assert any("Own has a gradient of its own, which is not followed" in note for note in notes)
    assert not any("its own" in note for note in fl.read(model, "5x4").reading.notes)


class Random(nn.Module):
    """A chain of layers that a seed chooses, some of which also read an earlier result."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        dice = random.Random(seed)
        first, self.sizes = dice.choice(STARTS)
        self.steps, self.earlier = nn.ModuleList([first()]), [-1]
        results = [self.steps[0].train()(self.input())]
        for _ in range(dice.randint(3, 10)):
            x = results[-1]
            layer = dice.choice((*ANYWHERE, *BY_AXES[x.dim()]))(x, dice)
            alike = [place for place, one in enumerate(results[:-1]) if one.shape == x.shape]
            earlier = dice.choice(alike) if alike and dice.random() < 0.3 else -1
            if layer is not None:
                self.steps.append(layer)
                self.earlier.append(earlier)
                results.append(layer(x if earlier < 0 else x + results[earlier]).detach())
        if dice.random() < 0.5:
            self.steps.append(Of(_loss))
            self.earlier.append(-1)

    def input(self) -> Tensor:
        """Return an input: words for a network that begins with a table, else numbers."""
        return torch.randint(9, self.sizes) if len(self.sizes) == 2 else torch.randn(self.sizes)

    def forward(self, x: Tensor) -> Any:
        held: dict[int, Tensor] = {}
        for place, (step, earlier) in enumerate(zip(self.steps, self.earlier, strict=True)):
            given = x if earlier < 0 else x + held[earlier]
            later = self.earlier[place + 1 :]
            held = {i: one for i, one in held.items() if i in later}
            del x
            x = step(given)
            del given
            if place in later:
                held[place] = x
        return x


def _loss(x: Tensor) -> Tensor:
    scores = x.flatten(1)
    return functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))


def _heads(x: Tensor) -> Tensor:
    q, k, v = (part.unflatten(-1, (4, -1)).transpose(1, 2) for part in x.chunk(3, -1))
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


STARTS: list[tuple[Callable[[], nn.Module], tuple[int, ...]]] = [
    (lambda: nn.Conv2d(3, 8, 3, padding=1), (2, 3, 12, 12)),
    (lambda: nn.Conv2d(3, 8, 3, padding=1, bias=False), (4, 3, 8, 8)),
    (lambda: nn.Embedding(9, 16), (2, 10)),
    (lambda: nn.Linear(16, 32), (4, 8, 16)),
]
ANYWHERE: list[Any] = [
    lambda _, dice: dice.choice((nn.ReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.Mish))(),
    lambda _, dice: dice.choice((nn.LeakyReLU, nn.ReLU6, nn.ELU, nn.Softplus, nn.PReLU, nn.Dropout))(),
    lambda *_: Of(lambda x: x * torch.sigmoid(x)),
    lambda *_: Of(lambda x: x * 0.5 + 1),
    lambda *_: Of(lambda x: (x * x + 1).sqrt()),
    lambda *_: Of(lambda x: torch.exp(x / 9).clamp(0, 1)),
    lambda x, _: Of(lambda y, scale: y * scale, weights=((x.shape[-1],),)),
    lambda x, _: Of(lambda y, place: y + place, weights=((1, *x.shape[1:]),)),
    lambda *_: nn.LogSoftmax(-1),
]
PICTURE: list[Any] = [
    lambda x, dice: nn.Sequential(nn.Conv2d(x.shape[1], dice.choice((4, 8)), 3, padding=1), nn.ReLU(True)),
    lambda x, _: nn.Conv2d(x.shape[1], x.shape[1], 3, padding=1, groups=x.shape[1], bias=False),
    lambda x, _: nn.Conv2d(x.shape[1], 8, 3, 2, 1),
    lambda x, _: nn.BatchNorm2d(x.shape[1]),
    lambda x, _: nn.GroupNorm(2, x.shape[1]),
    lambda x, _: nn.InstanceNorm2d(x.shape[1]) if x.shape[-1] > 1 else None,
    lambda x, _: nn.MaxPool2d(2) if x.shape[-1] > 3 else None,
    lambda x, _: nn.AvgPool2d(2) if x.shape[-1] > 3 else None,
    lambda x, dice: (
        nn.Upsample(scale_factor=2, mode=dice.choice(("nearest", "bilinear"))) if x.shape[-1] < 9 else None
    ),
    lambda x, _: nn.ReflectionPad2d(1) if x.shape[-1] > 1 else None,
    lambda *_: nn.Dropout2d(0.2),
    lambda x, _: Of(lambda y: torch.cat(y.chunk(2, 1)[::-1], 1)) if x.shape[1] % 2 == 0 else None,
    lambda x, _: Of(lambda y, z: y * torch.sigmoid(z.mean((2, 3), keepdim=True)), nn.Identity(), _same(x)),
    lambda x, _: nn.ConvTranspose2d(x.shape[1], 4, 2, 2) if x.shape[-1] < 9 else None,
    lambda x, dice: Of(lambda y: y.flatten(2).transpose(1, 2)) if dice.random() < 0.3 else None,
    lambda x, dice: Of(lambda y: y.mean((2, 3))) if dice.random() < 0.3 else None,
]
SEQUENCE: list[Any] = [
    lambda x, dice: nn.Linear(x.shape[-1], dice.choice((16, 32)), bias=dice.random() < 0.7),
    lambda x, _: nn.LayerNorm(x.shape[-1]),
    lambda x, _: nn.RMSNorm(x.shape[-1]),
    lambda x, _: nn.Sequential(nn.Linear(x.shape[-1], 48), nn.GELU(), nn.Linear(48, x.shape[-1])),
    lambda x, _: Of(attended, *(nn.Linear(x.shape[-1], x.shape[-1]) for _ in range(3))),
    lambda x, _: Of(_heads, nn.Linear(x.shape[-1], 48)),
    lambda x, _: Of(
        lambda y: nn.functional.silu(y.chunk(2, -1)[0]) * y.chunk(2, -1)[1], nn.Linear(x.shape[-1], 32)
    ),
    lambda x, _: Of(lambda y: y.transpose(1, 2), Of(lambda y: y.transpose(1, 2))),
    lambda x, _: Of(lambda y, w: torch.cat((w.expand(len(y), -1, -1), y), 1), weights=((1, 1, x.shape[-1]),)),
    lambda *_: Of(lambda y: y + y.mean(1, keepdim=True).expand(-1, y.shape[1], -1)),
    lambda *_: Of(lambda y: y.cumsum(1)),
    lambda *_: Of(lambda y: y.roll(1, 1)),
    lambda *_: Of(lambda y: (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True) + 1).sqrt()),
    lambda x, dice: Of(lambda y: y.max(1)[0]) if dice.random() < 0.3 else None,
    lambda x, dice: Of(lambda y: y.mean(1)) if dice.random() < 0.3 else None,
]
ROWS: list[Any] = [
    lambda x, dice: nn.Linear(x.shape[-1], dice.choice((16, 32, 64))),
    lambda x, _: nn.BatchNorm1d(x.shape[-1]),
    lambda x, _: nn.LayerNorm(x.shape[-1]),
    lambda x, _: Of(lambda y: functional.normalize(y, dim=-1)),
    lambda x, _: Of(lambda y: y.unsqueeze(2) * y.unsqueeze(1)) if x.shape[-1] < 20 else None,
    lambda x, _: nn.Sequential(nn.Linear(x.shape[-1], 64), nn.ReLU(True), nn.Linear(64, x.shape[-1])),
]
BY_AXES: dict[int, list[Any]] = {2: ROWS, 3: SEQUENCE, 4: PICTURE}


def _same(x: Tensor) -> nn.Module:
    return nn.Conv2d(x.shape[1], x.shape[1], 1)


QUICK, OTHERS = range(10), range(10, 120)


@pytest.mark.parametrize("seed", QUICK)
@pytest.mark.filterwarnings("ignore")
def test_networks_at_random_take_what_they_really_take(seed: int) -> None:
    model = Random(seed)
    x = model.input()
    sizes = "x".join(map(str, x.shape)) + (":int64" if x.dtype is torch.int64 else "")
    kept, forward, step = figures(model, sizes)
    assert kept == torch_memory.saved(model, x)
    assert forward == torch_memory.forward_peak(model, x)
    measured = torch_memory.training_peak(model, x)
    assert abs(step - measured) <= measured / 20, [type(one).__name__ for one in model.steps]


@pytest.mark.slow
@pytest.mark.parametrize("first", OTHERS[::10])
@pytest.mark.filterwarnings("ignore")
def test_more_networks_at_random_take_what_they_really_take(first: int) -> None:
    failures = {}
    for seed in range(first, first + 10):
        try:
            test_networks_at_random_take_what_they_really_take(seed)
        except AssertionError as failure:
            failures[seed] = failure
    assert failures == {}
