"""Switches of Keras, and seeds and variables that TensorFlow keeps beside it: kept and put back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from flopledger.frontend import bases_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SWITCHES = ("floatx", "epsilon", "image_data_format")


def switches() -> Callable[[], None]:
    """Keep Keras's switches and TensorFlow's global seed; return a function that restores them."""
    before = {name: getattr(keras.config, name)() for name in _SWITCHES}
    seeds = _seeds()

    def restore() -> None:
        for name, value in before.items():
            if getattr(keras.config, name)() != value:
                getattr(keras.config, f"set_{name}")(value)
        seeds()

    return restore


def _seeds() -> Callable[[], None]:
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return lambda: None
    from tensorflow.python.eager import context as contexts  # noqa: PLC0415  (imported already)

    # Its operators draw their seeds from a generator that the global seed starts; neither has a public name.
    context = contexts.context()
    before = {name: vars(context)[name] for name in ("_seed", "_rng") if name in vars(context)}
    state = before["_rng"].getstate() if "_rng" in before else None
    eager = tensorflow.config.functions_run_eagerly()

    def restore() -> None:
        if tensorflow.config.functions_run_eagerly() != eager:
            tensorflow.config.run_functions_eagerly(eager)
        for name in ("_seed", "_rng"):
            vars(context).pop(name, None)
        vars(context).update(before)
        if state is not None:
            before["_rng"].setstate(state)

    return restore


def keep(value: Any) -> Callable[[], None] | None:
    """Keep the value of a variable of TensorFlow that the user's own code holds; None for other objects."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return None
    bases = bases_of(type(value))
    if tensorflow.random.Generator in bases:
        return keep(value.state)
    if tensorflow.Variable not in bases or not tensorflow.executing_eagerly():
        return None
    before = value.numpy()

    def restore() -> None:
        if not np.array_equal(value.numpy(), before):
            value.assign(before)

    return restore
