"""Leaves Keras, the model and the process as they were.

Building and calling a model, even on shapes alone, names objects, draws seeds, connects layers with
nodes and marks them as built. All of that is taken back.
"""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import numpy as np
from flopledger.frontend import ReachedState
from keras.src.backend.common import global_state
from keras.src.backend.common.stateless_scope import StatelessScope

from flopledger_keras import backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLOSED = ("keras", "tensorflow", "torch", "jax", "jaxlib", "numpy", "h5py", "flopledger", "flopledger_keras")
"""Packages whose objects are not looked into when a layer's state is saved."""
_WAITING = "uninitialized_variables"


class _Saved:
    """The attributes of an object, and the contents of their lists, dicts and sets, at one time."""

    def __init__(self, obj: object) -> None:
        self.owner = vars(obj)
        self.attributes = dict(self.owner)
        containers = [value for value in self.attributes.values() if isinstance(value, (list, dict, set))]
        inside = [v for value in containers if isinstance(value, dict) for v in value.values()]
        containers += [value for value in inside if isinstance(value, (list, dict, set))]
        self.contents: list[tuple[Any, Any]] = [(value, _content(value)) for value in containers]

    def restore(self) -> None:
        """Put it all back."""
        if not _same(self.owner, self.attributes):
            self.owner.clear()
            self.owner.update(self.attributes)
        for value, content in self.contents:
            _refill(value, content)


def _content(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else list(value)


def _refill(value: Any, content: Any) -> None:
    """Fill a container as it was, past the wrappers of Keras and TensorFlow, which would track it."""
    if _same(value, content):
        return
    inner = getattr(value, "__wrapped__", None)
    inner = getattr(value, "_storage", value) if inner is None else inner
    if isinstance(inner, list):
        list.__setitem__(inner, slice(None), content)
    elif isinstance(inner, dict):
        dict.clear(inner)
        dict.update(inner, content)
    else:
        set.clear(inner)
        set.update(inner, content)


def _same(value: Any, content: Any) -> bool:
    """Return whether a container holds the very objects that it held."""
    if len(value) != len(content):
        return False
    if isinstance(content, dict):
        return all(key in value and value[key] is old for key, old in content.items())
    return all(a is b for a, b in zip(value, content, strict=True))


@contextlib.contextmanager
def as_before(objects: Iterable[object] = ()) -> Iterator[None]:
    """Restore these objects, Keras's global state and the random states on leaving."""
    tracker = global_state.GLOBAL_STATE_TRACKER
    objects = list(objects)
    reached = ReachedState(objects, _CLOSED, backend.keep)
    saved = [_Saved(part) for obj in objects for part in (obj, getattr(obj, "_tracker", obj))]
    everywhere = _Saved(tracker)
    seeds, numpy_seeds = random.getstate(), np.random.get_state()  # noqa: NPY002  (users may have set it)
    switches = backend.switches()
    try:
        yield
    finally:
        switches()
        for one in reversed(saved):
            one.restore()
        reached.put_back()
        everywhere.restore()
        random.setstate(seeds)
        np.random.set_state(numpy_seeds)  # noqa: NPY002


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Let variables that are made inside have a shape and no value, then or later."""
    with as_before(), StatelessScope():
        try:
            yield
        finally:
            global_state.set_global_attribute(_WAITING, [])
