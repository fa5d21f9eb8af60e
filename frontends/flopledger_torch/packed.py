"""Quantised modules, which hold their weights packed: in an object of the kernels' library, as no parameter.

What is here reads classes by their path, so that torch.ao is imported by nobody but the user.
Source: ``torch/ao/nn/quantized`` and ``torch/ao/nn/intrinsic/quantized`` of torch 2.13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from flopledger_torch.tables import elements, products, windows

if TYPE_CHECKING:
    from flopledger.frontend import Value

    from flopledger_torch.tables.call import Rule

_PACKAGES = ("torch.ao.nn.quantized.", "torch.ao.nn.intrinsic.quantized.")
_RULES: dict[str, Rule] = {
    **{f"Conv{fused}{n}d": windows.conv_module for n in (1, 2, 3) for fused in ("", "ReLU")},
    **{f"ConvTranspose{n}d": windows.conv_transpose_module for n in (1, 2, 3)},
    **{f"ConvAdd{fused}2d": windows.conv_module for fused in ("", "ReLU")},
    **{f"Linear{fused}": products.linear_module for fused in ("", "ReLU", "LeakyReLU", "Tanh")},
    "LSTM": products.recurrent_module("lstm"),
    "GRU": products.recurrent_module("gru"),
    **{f"{name}Cell": products.cell_module(f"{name.lower()}_cell") for name in ("RNN", "GRU", "LSTM")},
    "Embedding": products.embedding_module,
    **{f"{name}{n}d": elements.batch_norm_module for n in (2, 3) for name in ("BatchNorm", "BNReLU")},
    **{f"InstanceNorm{n}d": elements.instance_norm_module(n) for n in (1, 2, 3)},
    "LayerNorm": elements.layer_norm_module("layer_norm"),
    "GroupNorm": elements.group_norm_module,
    "Softmax": elements.softmax("softmax"),
}
"""The quantised layers by name. A fused ReLU costs nothing: it is a bound of the requantisation."""


def packed_rule(module: torch.nn.Module) -> Rule | None:
    """Return the rule of a quantised module that runs the framework's own forward."""
    cls = type(module)
    if not cls.__module__.startswith(_PACKAGES):
        return None
    return _RULES.get(cls.__name__)


def packed_weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the unpacked weight and bias of a quantised module, those of recurrent ones by their names."""
    if not type(module).__module__.startswith(_PACKAGES) or type(module).__name__.endswith("PackedParams"):
        return {}
    if callable(getattr(module, "get_weight", None)) and callable(getattr(module, "get_bias", None)):
        return {**module.get_weight(), **module.get_bias()}  # type: ignore[operator]  # dynamic recurrent ones
    found: dict[str, torch.Tensor] = {}
    for name in ("weight", "bias"):
        method = getattr(module, name, None)
        tensor = method() if callable(method) else None
        if isinstance(tensor, torch.Tensor):
            found[name] = tensor
    return found


def packed_shapes(weights: dict[str, torch.Tensor]) -> dict[str, Value]:
    """Return the shapes that rules ask a module for."""
    return {name: tuple(tensor.shape) for name, tensor in weights.items() if name in ("weight", "bias")}
