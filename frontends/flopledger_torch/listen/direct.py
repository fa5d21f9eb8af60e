"""Kernels without memory that need none of the care that torch's fake tensors take, called directly.

A fake mode asks at each operator for kept results, decompositions, kernels of its own, symbols and devices;
in a loop over a sequence that is most of the time that a reading takes. The operators here have a kernel for
tensors on the meta device that depends on nothing but the sizes, strides and types of its arguments, and on a
CPU all of them are in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch._subclasses.fake_tensor import FakeTensor, in_kernel_invocation_manager

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch._subclasses.fake_tensor import FakeTensorMode

_CPU = torch.device("cpu")
_PLAIN = frozenset(
    (int, float, bool, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)
)
_VIEWS = """
    select.int slice.Tensor view t transpose.int permute unsqueeze squeeze.dim expand alias detach
"""
_COMPUTED = """
    add.Tensor sub.Tensor mul.Tensor div.Tensor pow.Tensor_Scalar neg exp log sqrt rsqrt sin cos abs
    reciprocal relu sigmoid silu tanh gelu mm bmm addmm dot mv baddbmm erf log1p expm1 softplus leaky_relu elu
    hardswish hardsigmoid maximum minimum sum.dim_IntList mean.dim _softmax
"""
_OF_THE_MODE = """
    convolution native_batch_norm native_layer_norm native_group_norm max_pool2d_with_indices avg_pool2d
    _adaptive_avg_pool2d embedding gather clone cat stack empty.memory_format hardtanh
    _scaled_dot_product_flash_attention_for_cpu
"""
"""Operators whose results the fake mode makes by rules of its own, or has several of: it is asked once."""
_IN_PLACE = """
    add_.Tensor sub_.Tensor mul_.Tensor div_.Tensor relu_ sigmoid_ silu_ tanh_ hardtanh_ hardswish_
    leaky_relu_ elu_
"""
_MOST = 10_000
"""How many results are kept: more are of a model whose sizes never repeat."""


def _operators(names: str) -> frozenset[Any]:
    parts = (name.partition(".") for name in names.split())
    return frozenset(getattr(getattr(torch.ops.aten, name), kind or "default") for name, _, kind in parts)


_VIEW_OPERATORS, _COMPUTING_OPERATORS = _operators(_VIEWS), _operators(_COMPUTED)
_ASKED_OPERATORS, _IN_PLACE_OPERATORS = _operators(_OF_THE_MODE), _operators(_IN_PLACE)
_BATCH_NORM = torch.ops.aten.native_batch_norm.default
_VIEW, _COMPUTING, _ASKED, _WRITING = range(4)
_SORTS = {
    **dict.fromkeys(map(id, _VIEW_OPERATORS), _VIEW),
    **dict.fromkeys(map(id, _COMPUTING_OPERATORS), _COMPUTING),
    **dict.fromkeys(map(id, _ASKED_OPERATORS), _ASKED),
    **dict.fromkeys(map(id, _IN_PLACE_OPERATORS), _WRITING),
}
"""How an operator is called: by its identity, since torch hashes operators in Python."""
_NORMS = frozenset((_BATCH_NORM, torch.ops.aten.native_layer_norm.default))
_METHODS = {
    id(operator): getattr(torch.Tensor, operator._schema.name.rpartition("::")[2])
    for operator in _operators("select.int view t transpose.int permute unsqueeze squeeze.dim expand detach")
}
"""The methods that call an operator with the same arguments, without a look for its schema at each call."""
_FACTORIES = _operators("empty.memory_format")
_Result: TypeAlias = "tuple[torch.Size, tuple[int, ...], torch.dtype]"
_ATTRIBUTES = "_flopledger_attributes"
"""Where a mode keeps the attributes of its stand-ins that are no constants."""
_RESULTS: dict[Any, tuple[_Result, ...]] = {}
"""Sizes, strides and types of the results of operators, by the operator and its arguments."""


def run_direct(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return an operator's result for stand-ins on the CPU; NotImplemented if that needs torch's care."""
    sort = _SORTS.get(id(func))
    if sort is None or (kwargs and sort != _ASKED):
        return NotImplemented
    key, mode = [id(func), *kwargs], None
    for arg in (*args, *kwargs.values()) if kwargs else args:
        kind = type(arg)
        if kind in _PLAIN:
            key += (kind, arg)  # True is equal to 1, and each gives a result of another type
            continue
        several = kind is list
        if several and all(type(one) is int for one in arg):
            key.append(tuple(arg))
            continue
        for one in arg if several else (arg,):
            if type(one) is not FakeTensor or not _is_usual(one):
                return NotImplemented
            mode = one.fake_mode
            key += (one.shape, one.stride(), one.dtype, one.requires_grad)
        key.append(several)
    if mode is None and sort == _ASKED and func in _FACTORIES:
        mode = torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)
    if mode is None:
        return NotImplemented
    if sort == _VIEW:
        return _stand_in(mode, _on_meta(mode, func, args))
    key += (torch.get_default_dtype(), torch.is_grad_enabled())
    return _known(mode, func, sort, args, kwargs, tuple(key))


def _on_meta(mode: FakeTensorMode, func: Any, args: tuple[Any, ...]) -> torch.Tensor:
    """Run a kernel without memory, as :func:`in_kernel_invocation_manager` lets it run."""
    method = _METHODS.get(id(func), func)
    with in_kernel_invocation_manager(mode):
        made: torch.Tensor = method(*args)
    return made


def _stand_in(mode: FakeTensorMode, meta: torch.Tensor) -> torch.Tensor:
    """Return a new tensor without memory as a stand-in.

    Its constructor sets twenty attributes, one after the other, a quarter of the time of an operator in a
    loop. They are the same for all tensors of a mode that are not constants, and copied from the first one.
    """
    kept = vars(mode).get(_ATTRIBUTES)
    if kept is None:
        first = FakeTensor(mode, meta, _CPU)
        kept = {name: held for name, held in vars(first).items() if held is not mode}
        setattr(mode, _ATTRIBUTES, kept)
        return first
    made: torch.Tensor = torch.Tensor._make_subclass(
        FakeTensor, meta, meta.requires_grad, dispatch_device=True, device_for_backend_keys=_CPU
    )
    if not mode._allow_unsafe_data_ptr_access:
        torch._C._set_throw_on_mutable_data_ptr(made)
    vars(made).update(kept, fake_mode=mode)
    return made


def _is_usual(tensor: FakeTensor) -> bool:
    """Return whether a stand-in's sizes, strides and type alone decide the results of operators on it."""
    return (
        tensor.constant is None
        and tensor.fake_device == _CPU
        and not tensor._has_symbolic_sizes_strides
        and tensor.layout is torch.strided
    )


def _normalised(mode: FakeTensorMode, func: Any, args: tuple[Any, ...]) -> tuple[torch.Tensor, ...]:
    """Return the results of a norm: the mode would decompose it into fifteen operators, and ask of each.

    In one type throughout only the statistics of a batch norm in eval depend on the device: a CPU keeps none.
    """
    with in_kernel_invocation_manager(mode):
        found = func(*args)
        if func is _BATCH_NORM and not args[5]:
            found = (found[0], *(one.new_empty(0) for one in found[1:]))
    return tuple(FakeTensor(mode, one, _CPU) for one in found)


def _known(  # noqa: PLR0913, PLR0917  (the parts of a call)
    mode: FakeTensorMode,
    func: Any,
    sort: int,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    key: tuple[Any, ...],
) -> Any:
    """Return stand-ins like the results that an operator had for such arguments, with memory of their own."""
    known = _RESULTS.get(key)
    if known is not None:
        if sort == _WRITING:
            return args[0]
        with torch._C._DisableTorchDispatch():
            made = [torch.empty_strided(size, order, dtype=t, device="meta") for size, order, t in known]
        found = tuple([_stand_in(mode, one) for one in made])
        return found if len(found) > 1 else found[0]
    out: Any
    if sort == _COMPUTING:
        out = _stand_in(mode, _on_meta(mode, func, args))
    elif func in _NORMS and all(one.dtype is torch.float32 for one in args if type(one) is FakeTensor):
        out = _normalised(mode, func, args)
    else:
        kept, mode.cache_enabled = mode.cache_enabled, False  # it would hash all that is joined once more
        try:
            out = func(*args, **kwargs)
        finally:
            mode.cache_enabled = kept
    results = out if isinstance(out, tuple) else (out,)
    if all(type(one) is FakeTensor and _is_usual(one) and one.storage_offset() == 0 for one in results):
        if len(_RESULTS) >= _MOST:
            _RESULTS.clear()
        _RESULTS[key] = tuple((one.shape, one.stride(), one.dtype) for one in results)
    return out
