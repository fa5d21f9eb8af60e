"""The memory that PyTorch really takes on a CPU, followed operator by operator."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Iterable

ADD = torch.ops.aten.add.Tensor


def place(tensor: Tensor) -> int:
    """Return what identifies a tensor's memory."""
    return tensor.untyped_storage()._cdata


class Live(TorchDispatchMode):
    """Follows the bytes of all memory that operators make, from when it is made to when it is given back.

    Without a mode autograd's engine adds a gradient to another in its memory, if nothing else has that; it
    does not where a mode is looking. ``adds`` does it here as it would be done. ``trace`` has of each
    operator the memory that it reads and makes, ``bytes`` the size of each.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.places: dict[int, int] = dict.fromkeys(map(place, known), 0)
        self.now = self.most = 0
        self.adds = False
        self.trace: list[tuple[set[int], set[int]]] = []
        self.bytes: dict[int, int] = {0: 0}

    def gone(self, where: int, size: int) -> None:
        """Note that memory is given back."""
        del self.places[where]
        self.now -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator."""
        read = {self.places.get(place(one), 0) for one in tensors((args, kwargs))}
        if self.adds and func is ADD and _is_alone(*args):
            made = args[0].add_(args[1])
        else:
            made = func(*args, **(kwargs or {}))
        self.trace.append((read, set(map(self.number, tensors(made)))))
        self.most = max(self.most, self.now)
        return made

    def number(self, tensor: Tensor) -> int:
        """Return the number of a tensor's memory; 0 if it was there before."""
        where, memory = place(tensor), tensor.untyped_storage()
        if where not in self.places:
            number = self.places[where] = len(self.bytes)
            self.bytes[number] = memory.nbytes()
            self.now += memory.nbytes()
            weakref.finalize(memory, self.gone, where, memory.nbytes())
        return self.places[where]


def tensors(value: Any) -> list[Tensor]:
    """Return the tensors in arguments or results."""
    return [one for one in tree_leaves(value) if isinstance(one, Tensor)]


def _is_alone(first: Any, second: Any, **_: Any) -> bool:
    """Return whether a gradient is whole and nothing but this addition has it or its memory."""
    usual = isinstance(second, Tensor) and first.shape == second.shape and first.is_contiguous()
    if not usual or first._is_view() or first._use_count() > 4:  # of these the mode has some
        return False
    return bool(torch._C._storage_Use_Count(place(first)) == 2)


def known(model: nn.Module, inputs: Iterable[Tensor]) -> list[Tensor]:
    """Return the tensors that there are before a step."""
    return [*inputs, *model.parameters(), *model.buffers()]


def saved(model: nn.Module, *inputs: Tensor) -> int:
    """Return the bytes that autograd keeps of what a forward makes, each memory once."""
    given = set(map(place, known(model, inputs)))
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept.setdefault(place(tensor), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(*inputs)
    return sum(one.untyped_storage().nbytes() for where, one in kept.items() if where not in given)


def forward_peak(model: nn.Module, *inputs: Tensor) -> int:
    """Return the most bytes alive in a forward that gives back each memory after its last use."""
    with torch.no_grad(), Live(known(model, inputs)) as live:
        out = model(*inputs)
    last: dict[int, int] = {}
    for step, (read, made) in enumerate(live.trace):
        last.update(dict.fromkeys(read | made, step))
    last.update(dict.fromkeys(map(live.number, tensors(out)), len(live.trace)))
    alive: set[int] = set()
    most = 0
    for step, (_, made) in enumerate(live.trace):
        alive |= made
        most = max(most, sum(live.bytes[one] for one in alive))
        alive -= {one for one in alive if last[one] == step}
    return most


def training_peak(model: nn.Module, *inputs: Tensor) -> int:
    """Return the most bytes alive in a step whose loss is the sum of all results, gradients included."""
    model.zero_grad(set_to_none=True)
    with Live(known(model, inputs)) as live:
        loss = sum(one.sum() for one in tensors(model(*inputs)) if one.requires_grad)
        live.adds = True
        assert isinstance(loss, Tensor)
        loss.backward()
        del loss
    return live.most
