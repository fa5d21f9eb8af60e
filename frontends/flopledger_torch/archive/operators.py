"""The operators that a file may name: those of torch that compute on tensors, and arithmetic on sizes."""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import SourceError, shown

if TYPE_CHECKING:
    from collections.abc import Callable

_OVERLOAD = re.compile(
    r"torch\.ops\.(aten|prims|torchvision|torchaudio|quantized|quantized_decomposed)\.(\w{1,99})\.(\w{1,99})",
    re.ASCII,
)
"""Operators of libraries that compute. Not among them: c10d, inductor, profiler, debugprims and others that
reach other processes, files or code, and whatever ``torch.ops`` has beside operators (``load_library``)."""

_HIGHER = re.compile(r"torch\.ops\.higher_order\.(\w{1,99})", re.ASCII)
_HIGHER_ORDER = frozenset(
    {
        "associative_scan", "checkpoint", "cond", "flex_attention", "hints_wrapper", "invoke_subgraph",
        "map_impl", "out_dtype", "scan", "strict_mode", "tag_activation_checkpoint", "while_loop", "wrap",
        "wrap_with_autocast", "wrap_with_set_grad_enabled",
    }
)  # fmt: skip
"""Operators that run graphs of the same file. Those that call compiled kernels or delegates are not here."""

_PYTHON: dict[str, Callable[..., Any]] = {
    f"_operator.{name}": getattr(operator, name)
    for name in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg", "pos", "abs", "and_", "or_", "eq",
        "ne", "lt", "le", "gt", "ge", "lshift", "rshift", "getitem",
    )
} | {
    f"math.{name}": getattr(math, name) for name in ("trunc", "ceil", "floor", "sqrt")
} | {
    f"torch.{name}": getattr(torch, name)
    for name in ("sym_int", "sym_float", "sym_max", "sym_min", "sym_not", "sym_ite", "sym_sum", "_sym_sqrt")
    if hasattr(torch, name)
}  # fmt: skip
"""Arithmetic on sizes, by the name that the format has for it. The format spells Python's own operators
after their module, and the symbolic ones after theirs."""

_REFUSED = ("from_file", "set_", "_print", "warn")
"""Operators of aten that open a file, take another storage's memory or print."""
_FILE_ARGUMENTS = frozenset({"filename", "path", "file"})


def resolved(target: str) -> Any:
    """Return the operator that a file names.

    Raises:
        SourceError: It is none of those that a file may name, or this torch has none of that name.
    """
    if target in _PYTHON:
        return _PYTHON[target]
    short = target.replace("torch.fx.experimental.symbolic_shapes.", "torch.")
    if short in _PYTHON:
        return _PYTHON[short]
    higher = _HIGHER.fullmatch(target)
    if higher and higher[1] in _HIGHER_ORDER:
        found = getattr(torch.ops.higher_order, higher[1], None)
        if isinstance(found, torch._ops.HigherOrderOperator):
            return found
    match = _OVERLOAD.fullmatch(target)
    if match and match[2] not in _REFUSED:
        overload = _overload(*match.groups())
        if overload is not None and _computes(overload):
            return overload
    raise SourceError(
        f"the exported program calls {shown(target)}, which is no operator of this torch that computes on "
        "tensors; no other is called for a file: read the live model instead"
    )


def _overload(library: str, name: str, overload: str) -> Any:
    packet: Any = getattr(getattr(torch.ops, library), name, None)
    found = getattr(packet, overload, None) if type(packet) is torch._ops.OpOverloadPacket else None
    return found if isinstance(found, torch._ops.OpOverload) else None


def _computes(overload: Any) -> bool:
    """Return whether an operator has a tensor or a size among its arguments or results, and names no file."""
    schema = overload._schema
    if any(argument.name in _FILE_ARGUMENTS for argument in schema.arguments):
        return False
    kinds = [str(argument.type) for argument in (*schema.arguments, *schema.returns)]
    return any("Tensor" in kind for kind in kinds) or overload.name().startswith(
        ("aten::_assert", "aten::sym_", "aten::scalar_tensor")
    )
