"""The table of torch.nn's layers: the kind of each. A new layer is a row here."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from flopledger_torch.packed import packed_rule
from flopledger_torch.tables import elements, products, windows
from flopledger_torch.tables.call import Rule, same

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIMPLE = {
    "CELU": "celu",
    "ELU": "elu",
    "Hardshrink": "hard_shrink",
    "Hardsigmoid": "hard_sigmoid",
    "Hardswish": "hard_swish",
    "Hardtanh": "hard_tanh",
    "LeakyReLU": "leaky_relu",
    "LogSigmoid": "log_sigmoid",
    "Mish": "mish",
    "PReLU": "prelu",
    "RReLU": "leaky_relu",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SELU": "selu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softshrink": "soft_shrink",
    "Softsign": "softsign",
    "Tanh": "tanh",
    "Tanhshrink": "tanh_shrink",
    "Threshold": "threshold",
    "Identity": "identity",
}

_TABLE: dict[str, Rule] = {
    **{name: same(kind) for name, kind in _SIMPLE.items()},
    **{f"Conv{n}d": windows.conv_module for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": windows.conv_transpose_module for n in (1, 2, 3)},
    **{f"MaxPool{n}d": windows.pool_module("max_pool", n) for n in (1, 2, 3)},
    **{f"AvgPool{n}d": windows.pool_module("avg_pool", n) for n in (1, 2, 3)},
    **{f"LPPool{n}d": windows.pool_module("lp_pool", n) for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": windows.adaptive_module("adaptive_max_pool", n) for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": windows.adaptive_module("adaptive_avg_pool", n) for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": elements.batch_norm_module for n in (1, 2, 3)},
    **{f"InstanceNorm{n}d": elements.instance_norm_module(n) for n in (1, 2, 3)},
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d"), elements.dropout),
    **dict.fromkeys(("AlphaDropout", "FeatureAlphaDropout"), elements.dropout),
    **dict.fromkeys(("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"), windows.upsample_module),
    **{f"FractionalMaxPool{n}d": windows.fractional_module(n) for n in (2, 3)},
    "CrossMapLRN2d": elements.local_response_norm,
    "SyncBatchNorm": elements.batch_norm_module,
    "LayerNorm": elements.layer_norm_module("layer_norm"),
    "RMSNorm": elements.layer_norm_module("rms_norm"),
    "GroupNorm": elements.group_norm_module,
    "LocalResponseNorm": elements.local_response_norm,
    "Linear": products.linear_module,
    "Bilinear": products.bilinear,
    "Embedding": products.embedding_module,
    "EmbeddingBag": products.embedding_bag_module,
    "MultiheadAttention": products.multi_head_module,
    "RNN": products.recurrent_module("rnn"),
    "GRU": products.recurrent_module("gru"),
    "LSTM": products.recurrent_module("lstm"),
    "RNNCell": products.cell_module("rnn_cell"),
    "GRUCell": products.cell_module("gru_cell"),
    "LSTMCell": products.cell_module("lstm_cell"),
    "GELU": elements.gelu,
    "GLU": elements.glu,
    "Softmax": elements.softmax("softmax"),
    "LogSoftmax": elements.softmax("log_softmax"),
    "Softmax2d": elements.softmax2d,
    "Flatten": elements.reshape,
    "Unflatten": elements.reshape,
    "PixelShuffle": elements.pixel_shuffle,
}

LAYERS: Mapping[type, Rule] = MappingProxyType(
    {getattr(torch.nn, name): rule for name, rule in _TABLE.items()}
)
"""The layers of torch.nn by class."""

_HOOKS = ("_forward_hooks", "_forward_pre_hooks")


def _forward(cls: type) -> object:
    return getattr(cls, "forward", None)


def rule_of(module: torch.nn.Module) -> Rule | None:
    """Return the rule of a module whose call is that of the layer of torch.nn, and nothing else.

    A class with a forward of its own is a container, as is a module that computes its weights or that
    hooks add to: their computations show in the calls below.
    """
    cls = type(module)
    packed = packed_rule(module)
    known = next((base for base in cls.__mro__ if base in LAYERS), None)
    if packed is not None or known is None:
        return packed
    if vars(module).get("forward") or _forward(cls) is not _forward(known):
        return None
    if any(module.__dict__.get(hooks) for hooks in _HOOKS) or "parametrizations" in module._modules:
        return None
    return LAYERS[known]
