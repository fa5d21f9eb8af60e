"""Making a model without memory for its weights."""

from __future__ import annotations

import contextlib
import copy
import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger.frontend import Request

_lazy: Any = UninitializedParameter  # torch's stub knows only the arguments of a plain parameter
_NOTES: weakref.WeakKeyDictionary[torch.nn.Module, str] = weakref.WeakKeyDictionary()


def build_model(factory: Callable[[], object], request: Request) -> object:
    """Return the model that a class or function makes, without memory for its weights where that works.

    On the meta device nothing has values. A constructor that reads some, as of a list of rates, gets real
    tensors, and each weight loses its memory when it is registered; one that reads its weights gets them.
    A forward that is to be executed needs them too.
    """
    if request.execute:
        return factory()
    for place in (torch.device("meta"), _forgotten()):
        try:
            with place:
                return factory()
        except Exception as error:
            if "meta" not in str(error).lower():
                raise
    model = factory()
    if isinstance(model, torch.nn.Module):
        add_note(model, "the weights were allocated, since the constructor reads their values")
    return model


def add_note(model: torch.nn.Module, said: str) -> None:
    """Keep what is to be said of how a model was built."""
    _NOTES[model] = said


def note(model: torch.nn.Module) -> str:
    """Return what is to be said of how a model was built; empty if nothing is."""
    return _NOTES.get(model, "")


@contextlib.contextmanager
def _forgotten() -> Iterator[None]:
    """Let each weight lose its memory when it is registered."""
    owner: Any = torch.nn.Module
    register = owner.register_parameter

    def forgetting(module: torch.nn.Module, name: str, param: torch.nn.Parameter | None) -> None:
        register(module, name, param)
        if type(param) is torch.nn.Parameter and not param.is_meta:
            module._parameters[name] = torch.nn.Parameter(param.to("meta"), param.requires_grad)

    owner.register_parameter = forgetting
    try:
        yield
    finally:
        owner.register_parameter = register


def is_lazy(model: torch.nn.Module) -> bool:
    """Tell whether the sizes of some weights are not known before the first forward."""
    tensors = (t for m in model.modules() for t in (*m._parameters.values(), *m._buffers.values()))
    return any(isinstance(tensor, (UninitializedParameter, UninitializedBuffer)) for tensor in tensors)


def materialised(model: torch.nn.Module, args: Any, kwargs: Any) -> torch.nn.Module:
    """Return a copy without memory of a lazy model, whose weights have the sizes that inputs give them."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        if isinstance(parameter, UninitializedParameter):
            memo[id(parameter)] = _lazy(parameter.requires_grad, torch.device("meta"), parameter.data.dtype)
        else:
            memo[id(parameter)] = torch.nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)
    found = copy.deepcopy(model, memo).to("meta")
    with torch.device("meta"), torch.no_grad():
        found(*args, **kwargs)
    return found
