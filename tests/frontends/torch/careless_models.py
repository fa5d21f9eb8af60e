"""Random models that remember what they compute in random places, and what these places hold."""

from __future__ import annotations

import collections
import functools
import itertools
import random
import types
import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

STORE: dict[str, Any] = {}
HISTORY: collections.deque[Any] = collections.deque(maxlen=3)
LATEST: Any = None
CALLS = 0


class Memory:
    """A plain object."""

    shared: Any = None


class Slotted:
    """A plain object with slots, one of which is empty at first."""

    __slots__ = ("__weakref__", "count", "last")

    def __init__(self) -> None:
        self.count = 0


class Settings(collections.OrderedDict):  # type: ignore[type-arg]
    """A table that refuses changes, as settings of pipelines are."""

    def __setitem__(self, key: object, value: object) -> None:
        if getattr(self, "frozen", False):
            raise TypeError("these settings can't be changed")
        super().__setitem__(key, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        raise TypeError("these settings can't be changed")


class Answering(dict):  # type: ignore[type-arg]
    """A dict that answers every question."""

    __getattr__ = dict.get


class Broken:
    """A stand-in for a package that is not installed: it raises at every question."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("the optional package is not installed")


MEMORY = Memory()
BROKEN = Broken()


def helper(x: Tensor, memory: list[Any] = []) -> Tensor:  # noqa: B006  (what is tested)
    memory.append(x)
    helper.last = x  # type: ignore[attr-defined]
    return x * len(memory)


@functools.lru_cache(maxsize=8)
def table(size: int) -> Tensor:
    return torch.arange(size) / 7


def _global(_: Any, x: Tensor) -> Tensor:
    global LATEST, CALLS  # noqa: PLW0603  (what is tested)
    CALLS += 1
    LATEST = x
    HISTORY.append(x)
    STORE.setdefault("first", x)
    return x * CALLS + len(HISTORY)


def _attribute(model: Any, x: Tensor) -> Tensor:
    model.last, model.calls = x, getattr(model, "calls", 0) + 1
    model.fresh = nn.Parameter(torch.ones(1))
    return x + model.calls


def _nested(model: Any, x: Tensor) -> Tensor:
    model.nested["a"][0].append(x)
    model.nested["b"] = {"deep": (x, [x])}
    return x * len(model.nested["a"][0])


def _plain(model: Any, x: Tensor) -> Tensor:
    model.memory.last = x
    model.memory.calls = getattr(model.memory, "calls", 0) + 1
    MEMORY.last = x  # type: ignore[attr-defined]
    MEMORY.calls = getattr(MEMORY, "calls", 0) + 1  # type: ignore[attr-defined]
    return x * model.memory.calls - MEMORY.calls  # type: ignore[attr-defined, no-any-return]


def _slotted(model: Any, x: Tensor) -> Tensor:
    model.slotted.count += 1
    model.slotted.last = x
    return x + model.slotted.count


def _class_table(model: Any, x: Tensor) -> Tensor:
    Memory.shared = x
    type(model).tally = getattr(type(model), "tally", 0) + 1
    return x - type(model).tally


def _function(_: Any, x: Tensor) -> Tensor:
    return helper(x)


def _cache(model: Any, x: Tensor) -> Tensor:
    return x + table(x.shape[-1]) + model.own_table(x.shape[-1])


def _buffer(model: Any, x: Tensor) -> Tensor:
    model.steps += 1
    model.weight_of_none = x
    return x * model.steps


def _deque(model: Any, x: Tensor) -> Tensor:
    model.queue.append(x)
    return x + len(model.queue)


def _random(model: Any, x: Tensor) -> Tensor:
    return x * model.dice.random() + next(model.counter)


def _partial(model: Any, x: Tensor) -> Tensor:
    return model.part(x)  # type: ignore[no-any-return]


def _closure(model: Any, x: Tensor) -> Tensor:
    return model.remember(x)  # type: ignore[no-any-return]


def _weak(model: Any, x: Tensor) -> Tensor:
    owner = model.owner()
    owner.seen_through_reference = x
    return x + owner.bias_of_owner


def _settings(model: Any, x: Tensor) -> Tensor:
    return x * model.settings["scale"] + (model.answers.offset or 0)


def _moved(model: Any, x: Tensor) -> Tensor:
    model.layer.weight.requires_grad_(requires_grad=False)
    model.layer.to(torch.float32)
    return x


def _remembered(model: Any, x: Tensor) -> Tensor:
    # A tensor that was computed: copying it by ``deepcopy`` raises.
    return x + model.computed + model.holder["computed"].sum()


def _tied_list(model: Any, x: Tensor) -> Tensor:
    return model.unregistered[0](x) + model.layer.bias  # type: ignore[no-any-return]


PLACES: tuple[Callable[[Any, Tensor], Tensor], ...] = (
    *(_global, _attribute, _nested, _plain, _slotted, _class_table, _function, _cache, _buffer, _deque),
    *(_random, _partial, _closure, _weak, _settings, _moved, _remembered, _tied_list),
)


def remembering(scale: float) -> Callable[[Tensor], Tensor]:
    kept: list[Tensor] = []
    calls = 0

    def remember(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        kept.append(x)
        return x * scale + calls + len(kept)

    return remember


class Model(nn.Module):
    """A layer, and a forward that goes through some places where it remembers."""

    def __init__(self, places: list[int], *, fails: str = "") -> None:
        super().__init__()
        self.places, self.fails = places, fails
        self.layer = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("steps", torch.zeros(1))
        self.nested: dict[str, Any] = {"a": ([],)}
        self.memory, self.slotted, self.space = Memory(), Slotted(), types.SimpleNamespace()
        self.queue: collections.deque[Any] = collections.deque(maxlen=4)
        self.dice, self.counter = random.Random(3), itertools.count()  # noqa: S311  (no secret)
        self.part = functools.partial(helper, memory=[])
        self.remember = remembering(0.5)
        self.owner = weakref.ref(self)
        self.bias_of_owner = 2
        self.settings = Settings()
        self.settings["scale"] = 3
        vars(self.settings)["frozen"] = True
        self.answers = Answering(offset=1)
        self.computed = self.layer.weight.detach().requires_grad_().sum() * 2
        self.holder = {"computed": self.layer.weight * 2, "broken": BROKEN}
        self.unregistered = [nn.Linear(4, 4)]
        self.unregistered[0].weight = self.layer.weight
        self.own_table = functools.lru_cache(self.offsets)

    def offsets(self, size: int) -> Tensor:
        return torch.full((size,), float(self.bias_of_owner))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.layer(x))
        for place in self.places:
            x = PLACES[place](self, x)
        if self.fails == "raises":
            raise ValueError("no more")
        if self.fails == "interrupted":
            raise KeyboardInterrupt
        if self.fails == "data" and x.sum() > 0:
            x = x * 2
        return x


def dressed(model: nn.Module, how: str) -> nn.Module:
    """Replace a forward, or add hooks, that hold the model."""
    kept: list[Any] = []
    if how == "lambda":
        plain = model.forward
        model.forward = lambda x: plain(x) + len(vars(model))  # type: ignore[method-assign]
    elif how == "method":

        def forward(self: nn.Module, x: Tensor) -> Tensor:
            kept.append(x)
            return type(self).forward(self, x) * len(kept)  # type: ignore[no-any-return]

        model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]
    elif how == "hook":

        def hook(_: nn.Module, __: Any, out: Tensor) -> Tensor:
            kept.append(out)
            vars(model)["hooked"] = out
            return out + len(kept)

        model.register_forward_hook(hook)
        model.get_submodule("layer").register_forward_pre_hook(lambda *_: kept.append(1))
    elif how == "append":
        model.get_submodule("layer").register_forward_hook(lambda *_: None)
        model.forward = functools.partial(_recorded, model, kept, model.forward)  # type: ignore[method-assign]
    return model


def _recorded(model: nn.Module, kept: list[Any], plain: Any, x: Tensor) -> Tensor:
    model.__dict__["remembered"] = x
    kept.append(x)
    return plain(x) - len(kept)  # type: ignore[no-any-return]
