"""Keras's own networks by name: ``keras:ResNet50`` is ``keras.applications.ResNet50``."""

from __future__ import annotations

import functools
import inspect
import re
import weakref
from typing import TYPE_CHECKING

import keras
from flopledger.frontend import check_library_has

if TYPE_CHECKING:
    from collections.abc import Callable


def model_of(name: str) -> Callable[..., object] | None:
    """Return the function that makes a network, None where it is another attribute of Keras.

    Raises:
        SourceError: It is neither.
    """
    networks = {key: value for key, value in vars(keras.applications).items() if callable(value)}
    if name not in networks:
        check_library_has(keras, name, networks)
    return networks.get(name)


_SIZE = re.compile(r"\binput_shape:.*?(?:\bnot|\bhas to be)\s+`?\((\d+), (\d+), 3\)", re.DOTALL)
"""The sentence in which the page of an application states the size of its pictures."""
_documented: weakref.WeakKeyDictionary[object, tuple[int, ...]] = weakref.WeakKeyDictionary()


def keep_size(model: object, factory: Callable[..., object]) -> None:
    """Keep the size of pictures that Keras documents for a model that it made, which may leave it open."""
    function = factory.func if isinstance(factory, functools.partial) else factory
    ours = getattr(function, "__module__", "").startswith("keras.src.applications.")
    found = _SIZE.search(inspect.getdoc(function) or "") if ours else None
    if found and isinstance(model, keras.Model):
        _documented[model] = tuple(map(int, found.groups()))


def documented_size(model: object) -> tuple[int, ...]:
    """Return the height and width of pictures that Keras documents for a model; empty where it does not."""
    return _documented.get(model, ())
