"""Kernels without memory that need none of the care that torch's fake tensors take, called directly.

A fake mode asks at each operator for kept results, decompositions, kernels of its own, symbols and devices;
in a loop over a sequence that is most of the time that a reading takes. The operators here have a kernel for
tensors on the meta device that depends on nothing but the sizes, strides and types of its arguments, and on a
CPU all of them are in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, in_kernel_invocation_manager

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch._subclasses.fake_tensor import FakeTensorMode

_CPU = torch.device("cpu")
_PLAIN = frozenset((int, float, bool, type(None), torch.dtype))
_VIEWS = """
    select.int slice.Tensor view t transpose.int permute unsqueeze squeeze.dim expand alias detach
"""
_COMPUTED = """
    add.Tensor sub.Tensor mul.Tensor div.Tensor pow.Tensor_Scalar neg exp log sqrt rsqrt sin cos abs
    reciprocal relu sigmoid silu tanh gelu mm bmm addmm dot mv baddbmm erf log1p expm1 softplus leaky_relu elu
    hardswish hardsigmoid maximum minimum sum.dim_IntList mean.dim _softmax
"""
_MOST = 10_000
"""How many results are kept: more are of a model whose sizes never repeat."""


def _operators(names: str) -> frozenset[Any]:
    parts = (name.partition(".") for name in names.split())
    return frozenset(getattr(getattr(torch.ops.aten, name), kind or "default") for name, _, kind in parts)


_VIEW_OPERATORS, _COMPUTING_OPERATORS = _operators(_VIEWS), _operators(_COMPUTED)
_RESULTS: dict[Any, tuple[torch.Size, tuple[int, ...], torch.dtype]] = {}
"""Sizes, strides and type of the results of operators that compute, by the operator and its arguments."""


def run_direct(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return an operator's result for stand-ins on the CPU; NotImplemented if that needs torch's care."""
    view = func in _VIEW_OPERATORS
    if kwargs or not (view or func in _COMPUTING_OPERATORS):
        return NotImplemented
    mode = None
    for arg in args:
        kind = type(arg)
        if kind is FakeTensor:
            if arg.constant is not None or arg.fake_device != _CPU or arg._has_symbolic_sizes_strides:
                return NotImplemented
            mode = arg.fake_mode
        elif kind not in _PLAIN and not (kind is list and all(type(one) is int for one in arg)):
            return NotImplemented
    if mode is None:
        return NotImplemented
    if view:
        with in_kernel_invocation_manager(mode):
            out = func(*args)
    else:
        out = _computed(mode, func, args)
    return FakeTensor(mode, out, _CPU)


def _key(arg: Any) -> tuple[Any, ...]:
    if type(arg) is FakeTensor:
        return arg.shape, arg.stride(), arg.dtype
    return type(arg), tuple(arg) if type(arg) is list else arg


def _computed(mode: FakeTensorMode, func: Any, args: tuple[Any, ...]) -> torch.Tensor:
    """Return a tensor on the meta device like the result of an operator, whose memory is its own."""
    # True is equal to 1, and each gives a result of another type.
    key = (func, *map(_key, args))
    known = _RESULTS.get(key)
    if known is not None:
        shape, stride, dtype = known
        with torch._C._DisableTorchDispatch():
            return torch.empty_strided(shape, stride, dtype=dtype, device="meta")
    with in_kernel_invocation_manager(mode):
        out: torch.Tensor = func(*args)
    if len(_RESULTS) >= _MOST:
        _RESULTS.clear()
    _RESULTS[key] = (out.shape, out.stride(), out.dtype)
    return out
