"""Kernels of fake tensors, corrected where they differ from the real ones on a CPU."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    UnsupportedOperatorException,
)
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode
from torch.utils._python_dispatch import _disable_current_modes

from flopledger_torch.listen import quantised
from flopledger_torch.listen.direct import run_direct

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPENDS_ON_DATA = (DataDependentOutputException, DynamicOutputShapeException, GuardOnDataDependentSymNode)
"""Raised by torch where a stand-in's values are needed, or an op's sizes depend on them."""
STOPS = (*DEPENDS_ON_DATA, UnsupportedOperatorException)
"""The exceptions after which nothing more is known of a forward, but all before them is."""
_NO_KERNEL, _SPARSE = "no fake impl", "sparse"
_NESTED = frozenset(
    (
        torch.ops.aten._nested_tensor_from_mask.default,
        torch.ops.aten._nested_tensor_from_tensor_list.default,
    )
)
"""Operators that make nested tensors of the older layout, for whose sizes torch's fake mode fails."""
_NOT_COMPARED = "'__eq__' is not implemented"
_DEVICES = ("found two different devices", "found at least two devices")
"""Of the error for a mix of devices, before torch had a class for it and since."""
_GROUPED_MM = getattr(getattr(torch.ops.aten, "_grouped_mm", None), "default", None)
"""None before torch 2.8."""
_RESTRIDED = frozenset(map(id, (torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default)))
"""Views whose fake strides differ from the real ones in axes of size 1; see :func:`_restrided`."""
_DENSE = frozenset((id(torch.ops.aten.native_batch_norm.default),))
"""Ops whose real result lies in the order of its axes, while a fake one keeps the strides of its input.

What the layers behind it lower to depends on that: a dense layer on a turned tensor is a product with a copy
before it, else a plain one. PatchTST normalises turned tensors: with the fake strides a small one is counted
as 88,074 under ``ptflops-aten``, and the tool counts 84,810.
"""
_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
_GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
"""The rows of a recurrent weight for each feature of its state, from which the size of the state follows."""


def run_kernel(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run an op's own kernel, corrected where fake kernels differ from real ones."""
    out = run_direct(func, args, kwargs)
    if out is NotImplemented:
        out = _run(func, args, kwargs)
    if id(func) in _RESTRIDED and any(type(size) is int and size == 1 for size in out.shape):
        return _restrided(args[0], out)
    if id(func) in _DENSE and isinstance(out[0], FakeTensor):
        return (_packed(out[0]), *out[1:])
    return out


def _run(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run an op with all the care of torch's fake mode, and some of ours."""
    if func is _GROUPED_MM:
        return _grouped_mm(func, args, kwargs)
    if func in _NESTED:
        raise UnsupportedOperatorException(func)
    if _has_stand_in(args):
        out = quantised.outputs(func, args)
        if out is not NotImplemented:
            return out
    try:
        return func(*args, **kwargs)
    except NotImplementedError as error:
        if _NOT_COMPARED not in str(error):
            raise
        return _uncached(func, args, kwargs)
    except RuntimeError as error:
        if any(text in str(error) for text in _DEVICES):
            return func(*map(_on_cpu, args), **kwargs)
        if _NO_KERNEL in str(error) or _SPARSE in func.name():
            # torch raises the first for operators of torch.library.custom_op; of the others those that
            # make a compressed tensor mix their stand-ins up, and a fit of sizes is seen before.
            raise UnsupportedOperatorException(func) from error
        raise


def _uncached(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a kernel without torch's cache of results, which compares arguments.

    Packed weights of quantised modules can't be compared, so that their second call in a process would fail.
    """
    mode: Any = torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)
    kept, mode.cache_enabled = mode.cache_enabled, False
    try:
        return func(*args, **kwargs)
    finally:
        mode.cache_enabled = kept


def _has_stand_in(args: tuple[Any, ...]) -> bool:
    return any(
        type(arg) is FakeTensor or (type(arg) is list and arg and type(arg[0]) is FakeTensor) for arg in args
    )


def _packed(out: torch.Tensor) -> torch.Tensor:
    """Return a result in the order of its axes, or with its channels last; a fake one keeps its input's."""
    if any(isinstance(size, torch.SymInt) for size in (*out.shape, *out.stride())) or out.is_contiguous():
        return out
    last = _CHANNELS_LAST.get(out.dim())
    if last is not None and out.is_contiguous(memory_format=last):
        return out
    return torch.empty_like(out, memory_format=torch.contiguous_format)


def _on_cpu(value: Any) -> Any:
    """Return a tensor without a place as one on the CPU.

    A model that was made without memory may hold such a tensor where no reading can replace it.
    """
    if isinstance(value, (list, tuple)):
        return type(value)(map(_on_cpu, value))
    if isinstance(value, torch.Tensor) and value.is_meta:
        mode = torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)
        meta = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
        return FakeTensor(mode, meta, torch.device("cpu"))
    return value


def _grouped_mm(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the op's result: its fake kernel takes bfloat16 alone, the real one on a CPU others too.

    Cast to that type, rows of a multiple of 16 bytes, which both kernels ask for, would be none any more.
    """
    given = dict(zip(("a", "b", "offs", "bias", "out_dtype"), args, strict=False)) | dict(kwargs)
    a, b = args[:2]
    if type(a) is torch.Tensor or a.dtype == torch.bfloat16:
        return func(*args, **kwargs)
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(f"grouped_mm of matrices that don't fit: {tuple(a.shape)} by {tuple(b.shape)}")
    sizes: tuple[Any, ...] = (a.shape[-2], b.shape[-1])
    if a.dim() == b.dim():
        sizes = (a.shape[0] if a.dim() == 3 else given["offs"].shape[0], *sizes)
    return a.new_empty(sizes, dtype=given.get("out_dtype"))


def _restrided(base: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Give a fake view the strides of the real one, which differ in axes of size 1.

    Kernels look at strides to choose what they lower to, so that with other ones the counters of lowered ops
    would see a copy or another product than the real forward has.
    """
    sizes = (*base.shape, *base.stride(), *out.shape)
    if type(base) is torch.Tensor or any(isinstance(size, torch.SymInt) for size in sizes):
        return out
    with _disable_current_modes():
        same = torch.empty_strided(base.shape, base.stride(), device="meta", dtype=base.dtype)
        wanted = same.view(out.shape).stride()
    return out if wanted == out.stride() else out.as_strided(out.shape, wanted)


def _recurrent(name: str, given: Mapping[str, Any]) -> Any:
    source, states = given["input"], given["hx"]
    states = (states,) if isinstance(states, torch.Tensor) else states
    weights = given["params"]
    hidden, size = weights[0].shape[0] // _GATES[name], weights[1].shape[1]
    out = source.new_empty((*source.shape[:-1], (2 if given["bidirectional"] else 1) * size))
    last = [s.new_empty((*s.shape[:-1], size if i == 0 else hidden)) for i, s in enumerate(states)]
    return (out, *last)


def _upsampled(given: Mapping[str, Any]) -> Any:
    """Return the result of an interpolation: of the sizes asked for, or ``floor(L s)`` for a scale s."""
    source = given["input"]
    sizes: Any = given.get("output_size")
    if sizes is None:
        factors = [Fraction(scale).limit_denominator(10**6) for scale in given["scale_factors"]]
        pairs = zip(source.shape[2:], factors, strict=True)
        sizes = [(size * factor.numerator) // factor.denominator for size, factor in pairs]
    return source.new_empty((*source.shape[:2], *sizes))


def symbolic_outputs(name: str, given: Mapping[str, Any]) -> Any:
    """Return the result of a composite op whose code asks for numbers where sizes are symbols.

    Returns:
        Its outputs, from the shapes of its arguments alone, or NotImplemented for ops that can be opened.
    """
    if name in _GATES and "hx" in given and "input" in given:
        return _recurrent(name, given)
    if name == "bilinear":
        return given["input1"].new_empty((*given["input1"].shape[:-1], given["weight"].shape[0]))
    if "upsample" in name and "scale_factors" in given:
        return _upsampled(given)
    return NotImplemented
