"""``len()`` of a tensor whose length is a symbol.

Python's own function makes a plain number of any size, so that a model that asks for ``len(boxes)`` could
not be read with a symbol, while one that asks for ``boxes.shape[0]`` can.
"""

from __future__ import annotations

import builtins
import contextlib
from typing import TYPE_CHECKING, Any

from torch._subclasses.fake_tensor import FakeTensor

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def symbolic_lengths() -> Iterator[None]:
    """Let ``len`` of a tensor be its first size, a symbol or not, during a reading; all else is as it was."""
    plain = builtins.len

    def length(value: Any, /) -> Any:
        if type(value) is FakeTensor and value.dim():
            return value.shape[0]
        return plain(value)

    length.__name__ = length.__qualname__ = "len"
    builtins.len = length
    try:
        yield
    finally:
        builtins.len = plain
