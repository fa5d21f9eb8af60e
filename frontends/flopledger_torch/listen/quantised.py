"""The results of a CPU's quantised operators, for which torch has no kernels without memory.

Quantised stand-ins are of float32, since torch has none with a scale of their own; every other kernel takes
them. Source of the shapes: ``aten/src/ATen/native/quantized/library.cpp`` of torch 2.13, and the floating
operators of the same names.
"""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch._ops import OpOverloadPacket
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger_torch.values import Values

_NAMESPACE = "quantized::"
_CHECKING = "torch.ao.nn.quantized.functional"
_AXES = re.compile(r"conv(_transpose)?(\d)d")


@contextlib.contextmanager
def numbers_for_scales(values: Values | None) -> Iterator[None]:
    """Let operators of quantised tensors get the numbers in a module's buffers, as its scale, for stand-ins.

    Their schemas take numbers, which torch's C++ code reads from a tensor's memory.
    """
    owner: Any = OpOverloadPacket
    plain = vars(owner)["__call__"]

    def number(value: Any) -> Any:
        if values is None or type(value) is not FakeTensor or value.numel() != 1:
            return value
        known = values.value(value)
        with _disable_current_modes():
            return value if known is None else known.item()

    def called(packet: Any, /, *args: Any, **kwargs: Any) -> Any:
        if packet._qualified_op_name.startswith(_NAMESPACE):
            args, kwargs = tuple(map(number, args)), {name: number(one) for name, one in kwargs.items()}
        return plain(packet, *args, **kwargs)

    owner.__call__, stand_in = called, FakeTensor
    stand_in.is_quantized = property(_is_quantised)  # type: ignore[assignment]
    try:
        yield
    finally:
        owner.__call__ = plain
        del stand_in.is_quantized


def _is_quantised(_tensor: torch.Tensor) -> bool:
    """Let the functions of quantised tensors take their stand-ins, which they check first."""
    return sys._getframe(1).f_globals.get("__name__") == _CHECKING


def outputs(func: Any, args: tuple[Any, ...]) -> Any:
    """Return the result of an operator of quantised tensors; NotImplemented for any other."""
    rule = _ATEN.get(func.name()) or (_rule(func._opname) if func.namespace == "quantized" else None)
    return NotImplemented if rule is None else rule(*args)


def _rule(name: str) -> Callable[..., Any] | None:
    plain = name.removesuffix("_dynamic").removesuffix("_relu").removesuffix("_scalar")
    if _AXES.fullmatch(plain.removesuffix("_add")):
        return _convolved
    if plain.startswith(("batch_norm", "linear")):
        return _projected if plain.startswith("linear") else _like
    return _RULES.get(name) or _RULES.get(plain)


def _like(source: torch.Tensor, *rest: Any, **named: Any) -> torch.Tensor:
    del rest, named
    return torch.empty_like(source, dtype=torch.float32)


def _joined(tensors: list[torch.Tensor], axis: int = 0, *rest: Any) -> torch.Tensor:
    del rest
    return torch.cat(tensors, axis)


def _paired(one: torch.Tensor, other: Any, *rest: Any) -> torch.Tensor:
    del rest
    shapes = [tensor.shape for tensor in (one, other) if isinstance(tensor, torch.Tensor)]
    return one.new_empty(torch.broadcast_shapes(*shapes))  # type: ignore[no-untyped-call]


def _projected(source: torch.Tensor, packed: Any, *rest: Any) -> torch.Tensor:
    del rest
    with _disable_current_modes():
        features = packed.unpack()[0].shape[0]
    return source.new_empty((*source.shape[:-1], features))


def _convolved(source: torch.Tensor, *rest: Any) -> torch.Tensor:
    """Return the result of a convolution whose weights and strides are in a packed object."""
    packed = next(one for one in rest if not isinstance(one, torch.Tensor))
    with _disable_current_modes():
        weight = packed.unpack()[0]
        if weight.dim() > source.dim():  # of one axis: it is packed as one of two, the first of size 1
            weight = weight.squeeze(2)
        axes = weight.dim() - 2
        meta = torch.empty(source.shape, device="meta")
        shape = torch.ops.aten.convolution(
            meta,
            torch.empty(weight.shape, device="meta"),
            None,
            *(getattr(packed, name)()[-axes:] for name in ("stride", "padding", "dilation")),
            bool(packed.transpose()),
            packed.output_padding()[-axes:],
            packed.groups(),
        ).shape
    return source.new_empty(shape)


_ATEN: dict[str, Callable[..., Any]] = {
    **{f"aten::quantize_per_tensor{kind}": _like for kind in ("", ".tensor_qparams", "_dynamic")},
    "aten::quantize_per_channel": _like,
    "aten::dequantize.self": _like,
}
_RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("add", "mul"), _paired),
    "cat": _joined,
    **dict.fromkeys(("relu6", "hardswish", "elu", "celu", "leaky_relu", "sigmoid", "softmax"), _like),
    **dict.fromkeys(("clamp", "threshold", "prelu", "dropout"), _like),
    **dict.fromkeys(("layer_norm", "group_norm", "instance_norm"), _like),
}
