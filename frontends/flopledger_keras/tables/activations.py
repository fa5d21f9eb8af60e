"""The table of activation functions: those of ``keras.activations`` to kinds."""

from __future__ import annotations

from typing import Any

from flopledger_keras.tables.steps import Step

ACTIVATIONS: dict[str, str] = {
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "gelu": "gelu",
    "sigmoid": "sigmoid",
    "hard_sigmoid": "hard_sigmoid",
    "log_sigmoid": "log_sigmoid",
    "silu": "silu",
    "swish": "silu",
    "hard_silu": "hard_swish",
    "hard_swish": "hard_swish",
    "mish": "mish",
    "tanh": "tanh",
    "hard_tanh": "hard_tanh",
    "tanh_shrink": "tanh_shrink",
    "soft_shrink": "soft_shrink",
    "hard_shrink": "hard_shrink",
    "softplus": "softplus",
    "softsign": "softsign",
    "squareplus": "squareplus",
    "sparse_plus": "sparse_plus",
    "exponential": "exp",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
}
"""Functions of ``keras.activations`` by name, as Keras calls them without arguments."""


def activation_step(activation: Any) -> Step | None:
    """Return the step of an activation function of Keras; None for any other."""
    name = str(getattr(activation, "__name__", ""))
    if not str(getattr(activation, "__module__", "")).startswith("keras.") or name not in ACTIVATIONS:
        return None
    return Step(name, ACTIVATIONS[name], {}, package="keras.activations")
