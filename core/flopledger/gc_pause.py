"""Keeps Python's garbage collector away from tables that only grow.

While a network is read and counted, it scans all live objects again and again, finds no garbage, and makes
each layer of a long network slower than one of a short network.
"""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage for a while; afterwards it is as it was."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
