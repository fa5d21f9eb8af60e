"""Keras, quiet and on the CPU, with its state as new for each test."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    """Let Keras name objects as in a new process."""
    if importlib.util.find_spec("keras") is None:
        yield
        return
    import keras

    # Without a garbage collection, which takes longer than most of the tests.
    keras.utils.clear_session(free_memory=False)
    yield
