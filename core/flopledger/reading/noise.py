"""Whether the output of a child process is passed on: frameworks greet, warn and log their own tracebacks.

The library passes it on, since a model's own prints are among it. The command line does so only with
``--verbose``: a result, or the one sentence of an error, stands alone.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class _Noise:
    shown: bool = True


_noise = _Noise()


def is_shown() -> bool:
    """Return whether a child's output is passed on; tracebacks that were asked for are."""
    return _noise.shown or os.environ.get("FLOPLEDGER_TRACEBACK") == "1"


def show() -> None:
    """Pass it on, until the end of :func:`kept_back`."""
    _noise.shown = True


@contextlib.contextmanager
def kept_back() -> Iterator[None]:
    """Keep it back inside the ``with``."""
    before, _noise.shown = _noise.shown, False
    try:
        yield
    finally:
        _noise.shown = before
