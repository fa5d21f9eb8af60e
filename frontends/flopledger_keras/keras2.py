"""Configurations of tf.keras 2, for Keras 3: classes and arguments that were renamed or taken away.

Keras 3 reads the form of these configurations, but refuses an argument that it no longer has, whatever its
value. One whose value changes nothing is left out here; any other is an error that names it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import SourceError

from flopledger_keras.compiled import parts

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLASSES = {
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "SyncBatchNormalization": "BatchNormalization",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "ThresholdedReLU": "ReLU",
}
"""Classes that Keras 3 has under another name."""
_RENAMED = {"ThresholdedReLU": {"theta": "threshold"}, "LeakyReLU": {"alpha": "negative_slope"}}
"""Arguments that Keras 3 has under another name, by the class that has them."""
_WITHOUT_EFFECT: Mapping[str, tuple[object, ...]] = {
    "groups": (1,),
    "time_major": (False,),
    "renorm": (False,),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "ragged": (False,),
    "dynamic": (False,),
    "input_tensor": (None,),
    "input_length": (None,),
}
"""Arguments of tf.keras 2 that are gone, and the values at which they changed nothing."""
_NEVER = (
    "implementation", "fused", "renorm_clipping", "renorm_momentum", "experimental_run_tf_function",
    "query_shape", "key_shape", "value_shape", "partitioner", "batch_input_shape", "input_length",
    "kernel_initializer", "kernel_regularizer", "kernel_constraint",  # of separable ones, with two kernels
)  # fmt: skip
"""Arguments that affect how, not what, a layer computes, or that the network repeats elsewhere."""
_ASIDE = {
    "LayerNormalization": ("rms_scaling",),
    "IntegerLookup": ("vocabulary_size",),
    "StringLookup": ("vocabulary_size",),
    "TextVectorization": ("vocabulary_size",),
}
"""Arguments that a layer of Keras 3 writes and takes, and that no signature has: an .h5 file of Keras 3 has
the form of tf.keras 2."""
_CUDNN = {"recurrent_activation": "sigmoid", "reset_after": True}
"""Settings that layers of cuDNN imply and do not write; a GRU without ``reset_after`` has fewer biases."""


def renewed(config: dict[str, Any], where: str) -> dict[str, Any]:
    """Change a configuration of tf.keras 2 in place to one that Keras 3 reads; return it.

    Raises:
        SourceError: A layer has an argument that is gone, with a value that changes its result.
    """
    for part in parts(config):
        name, given = part.get("class_name"), part.get("config")
        if isinstance(name, str) and isinstance(given, dict):
            _renew(part, name, given, where)
    return config


def _renew(part: dict[str, Any], name: str, given: dict[str, Any], where: str) -> None:
    """Change one object of a configuration: its class, renamed arguments, and those without effect."""
    for old, new in _RENAMED.get(name, {}).items():
        if old in given:
            given[new] = given.pop(old)
    part["class_name"] = known = _CLASSES.get(name, name)
    axis = given.get("axis")
    if known == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        given["axis"] = axis[0]  # tf_keras writes a list of one, which Keras 3 does not take
    if name.startswith("CuDNN"):
        given.update({key: value for key, value in _CUDNN.items() if key in _accepted(known)})
    policy = given.get("dtype")
    if isinstance(policy, dict) and policy.get("class_name") == "Policy":
        dtype_config = policy.get("config")
        given["dtype"] = dtype_config.get("name") if isinstance(dtype_config, dict) else None
    accepted = _accepted(known)
    if known == "InputLayer" and "batch_input_shape" in given:
        given["batch_shape"] = given.pop("batch_input_shape")
    for key in [key for key in given if accepted and key not in accepted]:
        value = given[key]
        if key not in _NEVER and not (key in _WITHOUT_EFFECT and value in _WITHOUT_EFFECT[key]):
            label = given.get("name", name)
            raise SourceError(
                f"{where}: the layer {label!r} ({name}) has {key} = {value!r}, which Keras 3 does not have: "
                "save the model with Keras 3, or give the live model"
            )
        if not (key == "batch_input_shape" and known != "InputLayer"):
            del given[key]


def _accepted(name: str) -> frozenset[str]:
    """Return the arguments that a class of Keras 3 takes; none where it is no layer or initialiser of it."""
    cls = getattr(keras.layers, name, None) or getattr(keras.initializers, name, None)
    kinds = (keras.layers.Layer, keras.initializers.Initializer)
    if not inspect.isclass(cls) or not issubclass(cls, kinds) or issubclass(cls, keras.Model):
        return frozenset()
    accepted = set(_ASIDE.get(name, ()))
    if issubclass(cls, keras.layers.Layer) and name != "InputLayer":
        accepted.add("batch_input_shape")
    for base in cls.__mro__:
        made = vars(base).get("__init__")
        # Of object's own, which is no function, inspect compiles a text, and a file must start no compiler.
        if inspect.isfunction(made):
            accepted |= set(inspect.signature(made).parameters)
    return frozenset(accepted - {"self"})
