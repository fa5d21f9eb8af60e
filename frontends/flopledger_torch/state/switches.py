"""Switches of torch that apply to the whole process: as they were, whatever a forward has set."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch._tensor_str import PRINT_OPTS
from torch.backends import cuda
from torch.nn.modules import module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SDP = ("flash", "mem_efficient", "math", "cudnn")
_CUDNN = ("enabled", "benchmark", "deterministic", "allow_tf32")
_DEVICES = ("cpu", "cuda")


def _attribute(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    return functools.partial(getattr, owner, name), functools.partial(setattr, owner, name)


def _of(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    return getattr(owner, f"get_{name}"), getattr(owner, f"set_{name}")


def _flushes_denormal() -> bool:
    """Return whether the processor takes denormal numbers for 0, which torch only sets."""
    return sys.float_info.min / 2 == 0


_SWITCHES: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    _of(torch, "default_dtype"),
    _of(torch, "num_threads"),
    _of(torch, "deterministic_debug_mode"),
    _of(torch, "float32_matmul_precision"),
    _of(torch.__future__, "swap_module_params_on_conversion"),
    _of(torch.__future__, "overwrite_module_params_on_conversion"),
    _attribute(cuda.matmul, "allow_fp16_reduced_precision_reduction"),
    _attribute(torch.backends.quantized, "engine"),
    (torch._C._get_mkldnn_enabled, torch._C._set_mkldnn_enabled),
    (lambda: dict(vars(PRINT_OPTS)), lambda options: vars(PRINT_OPTS).update(options)),
    (_flushes_denormal, torch.set_flush_denormal),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
    *(_attribute(torch.backends.cudnn, name) for name in _CUDNN),
    *(
        (getattr(cuda, f"{name}_sdp_enabled"), getattr(cuda, f"enable_{name}_sdp")) for name in _SDP
    ),
    *(
        (functools.partial(get, device), functools.partial(put, device))
        for device in _DEVICES
        for get, put in (
            (torch.is_autocast_enabled, torch.set_autocast_enabled),
            (torch.get_autocast_dtype, torch.set_autocast_dtype),
        )
    ),
)  # fmt: skip


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Restore the switches, the hooks of all modules and the random states after the ``with``."""
    before = [get() for get, _ in _SWITCHES]
    hooks = {name: dict(value) for name, value in vars(module).items() if _are_hooks(name, value)}
    full = module._global_is_full_backward_hook
    generators = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    rng = torch.get_rng_state()
    try:
        yield
    finally:
        torch.clear_autocast_cache()  # it holds weights cast to other types
        for (get, put), value in zip(_SWITCHES, before, strict=True):
            if get() != value:
                put(value)
        for name, value in hooks.items():
            table = vars(module)[name]
            if dict(table) != value:
                table.clear()
                table.update(value)
        module._global_is_full_backward_hook = full
        torch.set_rng_state(rng)
        if generators is not None:
            torch.cuda.set_rng_state_all(generators)


def _are_hooks(name: str, value: object) -> bool:
    return name.startswith("_global_") and isinstance(value, dict)
