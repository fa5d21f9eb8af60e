"""Making a model without memory for its weights."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import is_a
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from flopledger_torch.inputs import arguments
from flopledger_torch.listen.memory import Journaling
from flopledger_torch.stand_ins import Fakes, numbers_of, shown_sizes
from flopledger_torch.state.copies import Copies
from flopledger_torch.state.watched import Watched
from flopledger_torch.state.weights import StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger.frontend import InputSpec, Request

_lazy: Any = UninitializedParameter  # torch's stub knows only the arguments of a plain parameter
_lazy_buffer: Any = UninitializedBuffer
_META = torch.device("meta")
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
    if is_a(model, torch.nn.Module):
        add_note(model, "the weights were allocated, since the constructor reads their values")
    return model


def add_note(model: torch.nn.Module, remark: str) -> None:
    """Keep a remark on how a model was built."""
    _NOTES[model] = remark


def note(model: torch.nn.Module) -> str:
    """Return the remark on how a model was built; empty if there is none."""
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
    """Return whether the sizes of some weights are not known before the first forward."""
    tensors = (t for m in model.modules() for t in (*m._parameters.values(), *m._buffers.values()))
    return any(isinstance(tensor, (UninitializedParameter, UninitializedBuffer)) for tensor in tensors)


class Metas(Fakes):
    """Stand-ins on the meta device for a lazy model, whose parameters have no sizes yet."""

    def stand_in(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor of the model, or of a value that was given."""
        if isinstance(tensor, UninitializedParameter):
            made: torch.Tensor = _lazy(tensor.requires_grad, _META, tensor.data.dtype)
        elif isinstance(tensor, UninitializedBuffer):
            made = _lazy_buffer(tensor.requires_grad, _META, tensor.data.dtype)
        elif isinstance(tensor, torch.nn.Parameter):
            made = torch.nn.Parameter(tensor.detach().to("meta"), tensor.requires_grad)
        else:
            made = tensor.detach().to("meta")
        return made

    def make(self, spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
        """Return an input."""
        return torch.empty(numbers_of(spec, shown_sizes([spec])), dtype=dtype, device="meta")


def materialised(model: torch.nn.Module, request: Request) -> torch.nn.Module:
    """Return a copy without memory of a lazy model, whose weights have the sizes that inputs give them."""
    copies = Copies(StandIns(tensors := Metas()))
    found: torch.nn.Module = copies(model)
    given = arguments(request, model, tensors.make, copies)
    watched = Watched(copies.layouts)
    watched.take({type(module) for module, _ in copies.modules}, copies.shared())
    try:
        with torch.device("meta"), torch.no_grad(), Journaling():
            found.to("meta")(*given.args, **given.kwargs)
    finally:
        for libraries in (False, True):
            watched.put_back(libraries=libraries)
    return found
