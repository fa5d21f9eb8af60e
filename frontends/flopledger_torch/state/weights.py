"""Stand-ins for a model's tensors, which have no memory."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import bases_of
from torch._subclasses.fake_tensor import FakeTensor

from flopledger_torch.nested import is_jagged, rebuilt
from flopledger_torch.state.functions import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from flopledger_torch.stand_ins import Fakes


def is_tensor(value: object) -> bool:
    """Return whether a value is a tensor by its type."""
    return torch.Tensor in bases_of(type(value))


class StandIns:
    """The stand-ins of a model's tensors: one for each, so that tied weights stay tied."""

    def __init__(self, tensors: Fakes) -> None:
        self.tensors = tensors
        self._made: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a weight, or of a value that was given."""
        found = self._made.get(id(tensor))
        if found is None:
            stand_in = rebuilt(tensor, self) if is_jagged(tensor) else self.tensors.stand_in(tensor)
            if stand_in is not tensor and isinstance(tensor, torch.nn.Parameter):
                stand_in._is_param = True
            found = self._made[id(tensor)] = (tensor, stand_in)
        return found[1]

    def known(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return the stand-in that was made of a tensor; None if none was."""
        found = self._made.get(id(tensor))
        return None if found is None else found[1]

    def remembered(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor kept anywhere; its values may be asked for."""
        if id(tensor) in self._made or torch.nn.Parameter in bases_of(type(tensor)):
            return self(tensor)
        made = self.tensors.remembered(tensor)
        self._made[id(tensor)] = (tensor, made)
        return made

    def take(self, attributes: Mapping[str, Any]) -> None:
        """Make stand-ins without values for a module's weights and the tensors among its attributes."""
        for name, value in attributes.items():
            kind = type(value)
            if kind in PLAIN:
                continue
            items: Iterable[Any] = ()
            if name in ("_parameters", "_buffers"):
                items = value.values()
            elif kind is list or kind is tuple:
                items = value
            elif torch.Tensor in bases_of(kind):
                items = (value,)
            for item in items:
                if type(item) not in PLAIN and is_tensor(item):
                    self(item)

    def made(self) -> list[torch.Tensor]:
        """Return the stand-ins that are not the user's own tensors."""
        return [stand_in for tensor, stand_in in self._made.values() if stand_in is not tensor]

    def clear(self) -> None:
        """Release the stand-ins."""
        self._made.clear()


def _moving(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``Module._apply`` for ``self.layer.to(...)`` in a forward, with new stand-ins for the old.

    Torch would change the tensors' own type and device in place, which stand-ins do not allow.
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
def movable() -> Iterator[None]:
    """Let a forward move modules whose weights are stand-ins."""
    owner: Any = torch.nn.Module
    plain = owner._apply
    owner._apply = _moving(plain)
    try:
        yield
    finally:
        owner._apply = plain
