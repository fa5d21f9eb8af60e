"""A line on a terminal that says how far a long command is; nothing where stderr is no terminal."""

from __future__ import annotations

import contextlib
import shutil
import sys
from typing import TYPE_CHECKING

from flopledger.cli import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def live_line() -> Iterator[Callable[[str], None]]:
    """Give a function that replaces the line; at the end the line is gone."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield lambda _: None
        return

    def show(text: str) -> None:
        messages.status("")
        messages.status(text[: shutil.get_terminal_size().columns - 1])

    try:
        yield show
    finally:
        messages.status("")
