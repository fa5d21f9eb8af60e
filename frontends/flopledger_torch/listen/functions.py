"""Functions as the user spells them, recorded by replacing attributes during a reading.

A torch function mode would switch fast paths off and can't distinguish ``a @ b`` from ``a.matmul(b)``; tools
that patch functions see exactly these differences.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

import torch

from flopledger_torch.listen.sizes import products_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger_torch.record import Recorder

_NEITHER = frozenset(("typing", "torch.overrides"))
_OPERATORS = """
    __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __truediv__ __rtruediv__
    __itruediv__ __matmul__ __rmatmul__ __pow__ __rpow__ __floordiv__ __mod__ __neg__
"""
_NAMES = """
    abs add add_ addbmm addcdiv addcdiv_ addcmul addcmul_ addmm addmm_ addmv addr amax amin argmax
    argmin baddbmm baddbmm_ batch_norm bilinear bmm cdist ceil chain_matmul clamp clamp_ conv1d conv2d
    conv3d conv_transpose1d conv_transpose2d conv_transpose3d cos cosine_similarity cumsum div div_ dot
    einsum erf exp exp_ floor group_norm inner instance_norm kron layer_norm lerp log log_softmax
    logsumexp matmul max maximum mean min minimum mm mul mul_ multiply mv neg norm outer pixel_shuffle
    pow pow_ prelu prod reciprocal relu relu_ rms_norm round rsqrt sigmoid sigmoid_ sign sin softmax
    sqrt square std sub sub_ sum tanh tanh_ tensordot topk true_divide var vdot where
"""
_SIGNATURES = (
    ("linear", "input weight bias"),
    ("bilinear", "input1 input2 weight bias"),
    ("conv1d conv2d conv3d", "input weight bias stride padding dilation groups"),
    (
        "conv_transpose1d conv_transpose2d conv_transpose3d",
        "input weight bias stride padding output_padding groups dilation",
    ),
    ("conv_tbc", "input weight bias pad"),
    (
        "matmul mm bmm dot vdot inner outer add add_ sub sub_ mul mul_ multiply div div_ true_divide",
        "input other",
    ),
    ("maximum minimum kron", "input other"),
    ("mv", "input vec"),
    ("addmm addmm_", "input mat1 mat2"),
    ("addmv", "input mat vec"),
    ("addr", "input vec1 vec2"),
    ("addbmm baddbmm baddbmm_", "input batch1 batch2"),
    ("addcmul addcmul_ addcdiv addcdiv_", "input tensor1 tensor2"),
    ("lerp", "input end weight"),
    ("where", "condition input other"),
    ("pow pow_", "input exponent"),
    ("clamp clamp_", "input min max"),
    ("einsum", "equation"),
    ("softmax log_softmax", "input dim dtype"),
    ("sum mean prod argmax argmin amax amin logsumexp", "input dim keepdim"),
    ("max min", "input dim keepdim"),
    ("std var", "input dim unbiased keepdim"),
    ("norm", "input p dim keepdim dtype"),
    ("cumsum", "input dim"),
    ("topk", "input k dim"),
    ("tensordot", "a b dims"),
    ("cdist", "x1 x2 p"),
    ("pdist", "input p"),
    ("cosine_similarity", "x1 x2 dim eps"),
    ("batch_norm", "input weight bias running_mean running_var training momentum eps cudnn_enabled"),
    (
        "instance_norm",
        "input weight bias running_mean running_var use_input_stats momentum eps cudnn_enabled",
    ),
    ("group_norm", "input num_groups weight bias eps"),
    ("layer_norm", "input normalized_shape weight bias eps"),
    ("rms_norm", "input normalized_shape weight eps"),
    ("prelu", "input weight"),
    ("gelu", "input approximate"),
    ("pixel_shuffle", "input upscale_factor"),
    ("pixel_unshuffle", "input downscale_factor"),
    ("channel_shuffle", "input groups"),
    ("hardshrink softshrink", "input lambd"),
    ("softplus", "input beta threshold"),
    (
        "max_pool1d max_pool2d max_pool3d",
        "input kernel_size stride padding dilation ceil_mode return_indices",
    ),
    (
        "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices",
        "input kernel_size stride padding dilation ceil_mode return_indices",
    ),
    (
        "fractional_max_pool2d fractional_max_pool2d_with_indices",
        "input kernel_size output_size output_ratio return_indices",
    ),
    (
        "fractional_max_pool3d fractional_max_pool3d_with_indices",
        "input kernel_size output_size output_ratio return_indices",
    ),
    ("avg_pool1d", "input kernel_size stride padding ceil_mode count_include_pad"),
    (
        "avg_pool2d avg_pool3d",
        "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    ),
    ("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", "input output_size"),
    ("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d", "input output_size return_indices"),
    ("scaled_dot_product_attention", "query key value attn_mask dropout_p is_causal scale enable_gqa"),
    ("pairwise_distance", "x1 x2 p eps keepdim"),
)
"""The names of positional arguments of builtin functions, which have no signature to inspect."""

Place = tuple[Any, str, str]
"""An object whose attribute is replaced, the prefix of its functions' names, and the attribute."""


@functools.cache
def _by_name() -> dict[str, tuple[str, ...]]:
    return {name: tuple(parameters.split()) for names, parameters in _SIGNATURES for name in names.split()}


def _arguments(name: str, function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's positional parameters."""
    known: tuple[str, ...] | None = None
    if isinstance(function, types.FunctionType):
        parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
        known = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    if not known:  # a builtin, or one that passes its arguments on
        known = _by_name().get(name.strip("_") if name.startswith("__") else name)
    return known or ("input", "other")


@functools.cache
def places() -> tuple[Place, ...]:
    """Return every attribute that is replaced."""
    functional = torch.nn.functional
    found: list[Place] = [
        (functional, "torch.nn.functional.", name)
        for name, function in vars(functional).items()
        if _is_function(name, function)
    ]
    for name in _NAMES.split() + _OPERATORS.split():
        if callable(getattr(torch, name, None)) and not name.startswith("__"):
            found.append((torch, "torch.", name))
        if hasattr(torch.Tensor, name):
            found.append((torch.Tensor, "torch.Tensor.", name))
    return tuple(found)


def _is_function(name: str, function: object) -> bool:
    """Return whether an attribute of torch.nn.functional is one of its functions."""
    if name.startswith("_") or not callable(function) or isinstance(function, type):
        return False
    home = getattr(function, "__module__", None) or ""
    if home == "torch._jit_internal":
        return name.endswith(("1d", "2d", "3d", "_indices"))
    return home not in _NEITHER and "torch_function" not in name


_RECORDERS: list[Recorder] = []
"""The recorder of the current reading; one at a time replaces functions."""


@functools.lru_cache(maxsize=4096)
def _recording(prefix: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a wrapper that also records each call; made once for all readings."""
    source, short, names = prefix + name, name.strip("_"), _arguments(name, function)

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        if not _RECORDERS or not _RECORDERS[-1].is_recording():
            return function(*args, **kwargs)
        recorder = _RECORDERS[-1]
        event = recorder.open("function", source, short)
        if recorder.records_sizes:
            recorder.products += products_in((args, kwargs))
        try:
            out = function(*args, **kwargs)
            if out is not NotImplemented:
                recorder.finish(event, args, kwargs, out, names=names)
        finally:
            recorder.current = event.parent
        return out

    return recorded


@contextlib.contextmanager
def recording_functions(recorder: Recorder) -> Iterator[None]:
    """Replace the functions by ones that record, and put them back."""
    saved: list[tuple[Any, str, Any, bool]] = []
    _RECORDERS.append(recorder)
    try:
        for owner, prefix, name in places():
            function = getattr(owner, name)
            saved.append((owner, name, function, name in vars(owner)))
            setattr(owner, name, _recording(prefix, name, function))
        yield
    finally:
        _RECORDERS.pop()
        for owner, name, function, own in reversed(saved):
            if own:
                setattr(owner, name, function)
            else:  # it was inherited
                delattr(owner, name)


@contextlib.contextmanager
def unrecorded() -> Iterator[None]:
    """Put the functions back within a reading, for code that asks for their source."""
    held = [(owner, name, getattr(owner, name)) for owner, _, name in places()]
    try:
        for owner, name, function in held:
            setattr(owner, name, function.__wrapped__)
        yield
    finally:
        for owner, name, function in held:
            setattr(owner, name, function)
