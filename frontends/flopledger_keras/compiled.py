"""Compiled models in files: the model without its losses and metrics, and the state of its optimizer.

An optimizer gives its counters values when it is made, which the scope that we build models in refuses,
so that the model is built without it. ``keras.models.load_model`` compiles the model again and builds the
optimizer, and ``summary`` then counts its variables; we build them too, without values.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras.src.backend.common.stateless_scope import (
    StatelessScope,
    get_stateless_scope,
    in_stateless_scope,
)
from keras.src.backend.common.variables import Variable
from keras.src.saving.serialization_lib import SafeModeScope

from flopledger_keras.guard import OptimizerGuard
from flopledger_keras.state import without_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEY, _DEFAULT = "compile_config", "rmsprop"


def remove_compiled(config: dict[str, Any]) -> dict[str, Any] | None:
    """Remove the compile settings of models from a configuration; return those of the outermost one.

    A model inside the model may be compiled as well (Keras 3.15 writes both).
    """
    outermost = config.get(_KEY)
    for part in parts(config):
        if "class_name" in part and "config" in part:
            part.pop(_KEY, None)
    return outermost if isinstance(outermost, dict) else None


def parts(config: object) -> Iterator[dict[str, Any]]:
    """Yield every object of a configuration; it may be nested deeper than Python calls functions."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def add_optimizer(model: Any, compiled: Mapping[str, Any] | None, known: Mapping[str, Any]) -> None:
    """Give a model the optimizer that it is compiled with, built as ``load_model`` builds it.

    An optimizer that can't be made, such as one of a class that is not known here, is left out: all but
    its own variables can be counted without it.
    """
    if compiled is None or not getattr(model, "built", False):
        return
    settings = compiled.get("optimizer", _DEFAULT)
    try:
        optimizer = _optimizer(settings, known)
        _built(optimizer, model.trainable_variables)
    except Exception:  # noqa: BLE001  (whatever is wrong with it, the network can be read)
        return
    model.optimizer = optimizer


def _optimizer(config: object, known: Mapping[str, Any]) -> Any:
    """Make an optimizer of Keras's own, or of the user's file; a file may name nothing else.

    Raises:
        SourceError: It names something else.
    """
    OptimizerGuard("the optimizer", known).check({"optimizer": config})
    with keras.saving.custom_object_scope(dict(known)), SafeModeScope(safe_mode=True):
        # as `load_model` reads it: `keras.optimizers.get` knows no record of Lamb (Keras 3.15)
        made = keras.saving.deserialize_keras_object(config) if isinstance(config, dict) else config
        return keras.optimizers.get(made)


def _built(optimizer: Any, variables: list[Any]) -> None:
    """Build an optimizer without values, its own or those of the variables.

    With TensorFlow it asks for the value of each variable to place its own beside it. A variable
    without a value would be initialised for that, so that a single number is in its place.
    """
    stand_in = keras.Variable(np.zeros(())).value
    with without_values(), _numbers_allowed(), _unassigned(optimizer):
        scope = get_stateless_scope()
        if isinstance(scope, StatelessScope):
            scope.state_mapping.update((id(variable), stand_in) for variable in variables)
        optimizer.build(variables)


@contextlib.contextmanager
def _numbers_allowed() -> Iterator[None]:
    """Let variables that are made of a number, not by an initializer, have no value either.

    Nadam's product of momenta and the states of Adafactor that a vector does not need are made so, which
    Keras refuses where variables have no values.
    """
    original = Variable.__init__

    def __init__(self: Any, initializer: Any, shape: Any = None, *args: Any, **named: Any) -> None:  # noqa: N807
        if in_stateless_scope() and not callable(initializer) and not isinstance(initializer, str):
            shape, initializer = np.shape(initializer), "zeros"
        original(self, initializer, shape, *args, **named)

    Variable.__init__ = __init__
    try:
        yield
    finally:
        Variable.__init__ = original


@contextlib.contextmanager
def _unassigned(optimizer: Any) -> Iterator[None]:
    """Let an optimizer that copies the weights at once, as ScheduleFreeAdamW does, leave it."""
    optimizer.assign = lambda *_: None
    try:
        yield
    finally:
        del optimizer.assign
