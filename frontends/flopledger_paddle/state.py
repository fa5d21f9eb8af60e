"""State that a reading may change, saved and restored: attributes of layers, mode, names, random states."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import numpy as np
from flopledger.frontend import ReachedState

from flopledger_paddle import internals
from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLOSED = ("paddle", "numpy", "flopledger", "flopledger_paddle")
"""Packages whose objects are not looked into when a layer's state is saved."""


class _Attributes:
    """A layer's type and attributes."""

    def __init__(self, layer: Any) -> None:
        self.layer, self.type = layer, type(layer)
        self.attributes = dict(layer.__dict__)

    def restore(self) -> None:
        """Put everything back, into the very same objects."""
        if type(self.layer) is not self.type:
            self.layer.__class__ = self.type
        own = self.layer.__dict__
        own.clear()
        own.update(self.attributes)


@contextlib.contextmanager
def preserved_layers(layers: Iterable[Any], mode: str) -> Iterator[None]:
    """Put layers in eval or train mode, or leave each in its own; afterwards all is as it was."""
    layers = list(layers)
    reached = ReachedState(layers, _CLOSED)
    states = [_Attributes(layer) for layer in layers]
    try:
        if mode != "given":
            for state in states:
                state.layer.__dict__["training"] = mode == "train"
        yield
    finally:
        for state in states:
            state.restore()
        reached.put_back()


@contextlib.contextmanager
def preserved_process() -> Iterator[None]:
    """Put back the mode, the default dtype, the names given away and all random states."""
    dynamic, dtype, grad = paddle.in_dynamic_mode(), paddle.get_default_dtype(), paddle.is_grad_enabled()
    names, states = internals.Names(), paddle.get_rng_state()
    python, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002  (the state that models use)
    try:
        yield
    finally:
        if paddle.in_dynamic_mode() is not dynamic:
            (paddle.disable_static if dynamic else paddle.enable_static)()
        paddle.set_default_dtype(dtype)
        paddle.set_grad_enabled(grad)
        paddle.set_rng_state(states)
        names.restore()
        random.setstate(python)
        np.random.set_state(arrays)  # noqa: NPY002  (likewise)
