"""A progress indicator on stderr, only on a terminal, for work that takes over a second.

Results are written outside of it: stdout is mostly the same terminal.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
from typing import TYPE_CHECKING

from flopledger.cli import messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE = 1.0
STEP = 0.1
FRAMES = "|/-\\"


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Show that ``what`` is in progress, after the first second, until it is done."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield
        return
    done = threading.Event()
    shown = threading.Thread(target=_spin, args=(what, done), daemon=True)
    shown.start()
    try:
        yield
    finally:
        done.set()
        shown.join()


def numbered(sources: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each source with its place among several: ``2 of 3: keras.applications:ResNet50``."""
    for number, source in enumerate(sources, 1):
        yield (f"{number} of {len(sources)}: {source}" if len(sources) > 1 else source), source


def _spin(what: str, done: threading.Event) -> None:
    if done.wait(PATIENCE):
        return
    for frame in itertools.cycle(FRAMES):
        messages.status(f"{frame} {what}")
        if done.wait(STEP):
            break
    messages.status("")
