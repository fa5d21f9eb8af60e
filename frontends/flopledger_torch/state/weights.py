"""A model's weights without their memory, and the model as it was afterwards."""

from __future__ import annotations

import contextlib
import functools
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Twin = Callable[[torch.Tensor], torch.Tensor]

_KEPT = (list, dict, set)
_WITHOUT_TENSORS = frozenset((bool, int, float, str, dict, OrderedDict, type(None)))


class Twins:
    """The stand-ins of a model's tensors: one for each, so that tied weights stay tied."""

    def __init__(self, make: Twin) -> None:
        self.make = make
        self._made: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor."""
        found = self._made.get(id(tensor))
        if found is None:
            twin = self.make(tensor)
            if isinstance(tensor, torch.nn.Parameter):
                twin._is_param = True
            found = self._made[id(tensor)] = (tensor, twin)
        return found[1]

    def inside(self, value: Any) -> Any:
        """Return a value with stand-ins for the tensors in a list or tuple."""
        if isinstance(value, torch.Tensor):
            return self(value)
        if type(value) in (list, tuple) and any(isinstance(item, torch.Tensor) for item in value):
            return type(value)(self(v) if isinstance(v, torch.Tensor) else v for v in value)
        return value


class _State:
    """A module's attributes, and what the lists and tables among them held."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module, self.type = module, type(module)
        self.attributes = dict(module.__dict__)
        self.contents = [(v, v.copy() if v else ()) for v in self.attributes.values() if isinstance(v, _KEPT)]

    def restore(self) -> None:
        """Put everything back, into the very same objects."""
        if type(self.module) is not self.type:
            self.module.__class__ = self.type
        attributes = self.module.__dict__
        attributes.clear()
        attributes.update(self.attributes)
        for held, copy in self.contents:
            if held:
                held.clear()
            if copy:
                (held.extend if isinstance(held, list) else held.update)(copy)


def _moving(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return what does what ``self.layer.to(...)`` asks for in a forward, with new stand-ins for the old.

    Torch would change what the tensors themselves are, which stand-ins do not let it.
    """

    @functools.wraps(plain)
    def applied(module: Any, fn: Callable[[torch.Tensor], torch.Tensor], *deep: Any) -> Any:
        tables: tuple[Any, ...] = (module._parameters, module._buffers)
        if not any(isinstance(tensor, FakeTensor) for table in tables for tensor in table.values()):
            return plain(module, fn, *deep)
        for child in module.children() if all(deep) else ():
            child._apply(fn)
        for table in tables:
            for name, tensor in table.items():
                made = None if tensor is None else fn(tensor)
                if made is not None and made is not tensor:
                    made._is_param = table is module._parameters
                    made.requires_grad = tensor.requires_grad
                    table[name] = made
        return module

    return applied


@contextlib.contextmanager
def replaced(modules: list[torch.nn.Module], twins: Twins, mode: str) -> Iterator[None]:
    """Let modules run on stand-ins for their tensors, in eval or train mode; then put all back."""
    states = [_State(module) for module in modules]
    owner: Any = torch.nn.Module
    plain = owner._apply
    owner._apply = _moving(plain)
    try:
        for state in states:
            own = state.module.__dict__
            own["_compiled_call_impl"] = None
            if mode != "given":
                own["training"] = mode == "train"
            for table in (own["_parameters"], own["_buffers"]):
                for name, tensor in table.items():
                    if tensor is not None:
                        table[name] = twins(tensor)
            for name, value in state.attributes.items():
                if type(value) in _WITHOUT_TENSORS:
                    continue
                new = twins.inside(value)
                if new is not value:
                    own[name] = new
        yield
    finally:
        owner._apply = plain
        for state in states:
            state.restore()
