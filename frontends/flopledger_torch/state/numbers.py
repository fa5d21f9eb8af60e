"""Tensors and arrays that a model's code names outside the model: what they are, kept and put back.

The values of tensors are not kept: no operator of a reading writes to them (see
:mod:`flopledger_torch.state.writes`).
"""

from __future__ import annotations

import mmap
import sys
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGE_ARRAY = 1 << 20
"""Bytes from which an array is made read-only for a reading, where a copy would cost memory."""
_OWNERS = (bytearray, mmap.mmap)
"""What memory can belong to beside arrays themselves: an array of it can be made writeable again."""


def tensor_before(tensor: torch.Tensor) -> Callable[[], bool]:
    """Keep what a tensor is: its memory and sizes, its gradient, whether it requires one, its attributes."""
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


def array_before(array: Any) -> Callable[[], bool]:
    """Keep the elements of an array of NumPy's; a large one can't be written to until it is put back."""
    if array.nbytes > _LARGE_ARRAY and array.flags.writeable and _is_owned(array):
        array.flags.writeable = False

        def allow() -> bool:
            array.flags.writeable = True
            return False

        return allow
    before = array.copy()

    def restore() -> bool:
        if array.tobytes() == before.tobytes():
            return False
        array[...] = before
        return True

    return restore


def _is_owned(array: Any) -> bool:
    """Return whether the memory of an array belongs to something that lets it be made writeable again."""
    kind: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    while type(array.base).__mro__[-2:-1] == (kind,):
        array = array.base
    return (array.base is None and array.flags.owndata) or type(array.base) in _OWNERS
