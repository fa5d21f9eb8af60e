"""Tensors that a model's code names outside the model: their state, kept and put back.

Their values are not kept: no operator of a reading writes to them (see
:mod:`flopledger_torch.listen.memory`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


def tensor_before(tensor: torch.Tensor) -> Callable[[], bool]:
    """Keep the state of a tensor: memory, sizes, gradient, whether it requires one, and attributes."""
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter) or tensor.layout != torch.strided:
        return lambda: False
    with torch.no_grad():
        shown = tensor.detach()
    leaf = tensor.is_leaf
    requires, gradient = tensor.requires_grad, tensor.grad if leaf else None
    attributes = dict(tensor.__dict__)

    def restore() -> bool:
        changed = False
        if _place(tensor) != _place(shown):
            tensor.data = shown
            changed = True
        if leaf and tensor.grad is not gradient:
            tensor.grad = gradient
            changed = True
        if leaf and tensor.requires_grad != requires:
            tensor.requires_grad_(requires)
            changed = True
        own = tensor.__dict__
        if len(own) != len(attributes) or any(own.get(k, own) is not v for k, v in attributes.items()):
            own.clear()
            own.update(attributes)
            changed = True
        return changed

    return restore


def _place(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Return where a tensor's elements lie and how they are read."""
    storage = tensor.untyped_storage()
    return (storage._cdata, tensor.storage_offset(), tensor.dtype, tensor.shape, tensor.stride())
