"""Keras's own networks by name: ``keras:ResNet50`` is ``keras.applications.ResNet50``."""

from __future__ import annotations

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
