"""Jagged nested tensors: rows of several lengths, kept one after the other in a plain tensor of values.

Such a tensor is made of others (values, offsets), as ``__tensor_flatten__`` lists them. Its stand-in is made
of their stand-ins, and its operators run by their own rules, whose work on the values is recorded.
Source: ``torch/nested/_internal`` of torch 2.13.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import SourceError
from torch._subclasses.fake_tensor import FakeTensor
from torch.nested._internal.nested_tensor import NestedTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SINGLE = frozenset((torch.Tensor, torch.nn.Parameter, FakeTensor))


def is_jagged(tensor: torch.Tensor) -> bool:
    """Return whether a tensor is a jagged nested one."""
    return tensor.layout is torch.jagged and hasattr(tensor, "__tensor_flatten__")


def check(tensor: torch.Tensor) -> None:
    """Refuse a nested tensor of the older layout, whose sizes not even torch can be asked for.

    Raises:
        SourceError: It is one.
    """
    if tensor.is_nested and not is_jagged(tensor):
        raise SourceError(
            "a nested tensor of layout torch.strided has no sizes that can be read: make it with "
            "layout=torch.jagged"
        )


def rebuilt(tensor: torch.Tensor, stand_in: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Return a jagged tensor of the stand-ins of its parts; those with the same offsets still have them."""
    whole: Any = tensor
    names, context = whole.__tensor_flatten__()
    parts = {name: stand_in(getattr(whole, name)) for name in names}
    made: torch.Tensor = type(whole).__tensor_unflatten__(parts, context, whole.size(), whole.stride())
    return made


def own_rules(types: Iterable[type]) -> Callable[..., Any] | None:
    """Return how operators run on a tensor that is made of others, if one of these types is; else None."""
    for kind in types:
        if kind not in _SINGLE and hasattr(kind, "__tensor_flatten__"):
            rules: Callable[..., Any] = kind.__torch_dispatch__  # type: ignore[attr-defined]
            return rules
    return None


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *rest: Any, **named: Any) -> Any:
    """Attend within each sequence of a batch, as torch's kernel without fusing does on a CPU."""
    attend = torch.nn.functional.scaled_dot_product_attention
    rows = zip(query.unbind(), key.unbind(), value.unbind(), strict=True)
    found = [attend(*row, *rest, **named).transpose(0, 1) for row in rows]
    whole: Any = query
    return torch.nested.nested_tensor_from_jagged(torch.cat(found), whole.offsets()).transpose(1, 2)


@contextlib.contextmanager
def attention_by_rows() -> Iterator[None]:
    """Let attention on jagged tensors go through their sequences, on whose lengths its cost depends.

    torch's own code makes strided nested tensors of them, for which there are no stand-ins.
    """
    owner: Any = NestedTensor
    plain = vars(owner)["__torch_function__"]

    def function(cls: type, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch._C._nn.scaled_dot_product_attention and all(one.is_nested for one in args[:3]):
            return _attention(*args, **kwargs or {})
        return plain.__func__(cls, func, types, args, kwargs)

    owner.__torch_function__ = classmethod(function)
    try:
        yield
    finally:
        owner.__torch_function__ = plain
