"""Passes the output of a child process on to stderr, escaped.

The child gets a pipe of ours instead of our stderr: a process that it leaves behind can't keep whoever
reads our stderr waiting, and a framework that warns about a layer's name can't steer the terminal. The pipe
is read until the child has ended and its output is passed on, never until its last copy is closed.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import re
import select
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.reading import noise

if TYPE_CHECKING:
    from collections.abc import Iterator

STDERR = 2
_BLOCK = 1 << 16
_STEP_MS = 50
_AFTERWARDS_S = 1.0
"""How long reading continues if a remaining process keeps writing."""
_STYLE = re.compile(r"\x1b\[[0-9;]*[mK]")
"""Colours and the clearing of a line: they are removed, since they are useless in a log."""


@contextlib.contextmanager
def relayed() -> Iterator[int]:
    """Give a descriptor to print to; at its end, all output has been written to stderr."""
    read, write = map(above_standard, os.pipe())
    done = threading.Event()
    thread = threading.Thread(target=_relay, args=(read, done), daemon=True)
    thread.start()
    try:
        yield write
    finally:
        os.close(write)
        done.set()
        thread.join()
        os.close(read)


@contextlib.contextmanager
def printed() -> Iterator[int]:
    """Give where the child prints to: our stderr by way of the gate, or nowhere where that is not wanted."""
    if not noise.is_shown():
        yield subprocess.DEVNULL
        return
    try:
        os.fstat(STDERR)
    except OSError:
        yield subprocess.DEVNULL
        return
    with relayed() as descriptor:
        yield descriptor


def above_standard(descriptor: int) -> int:
    """Move a descriptor to a number that is not a standard stream's, where one of those is closed."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, STDERR + 1)
    os.close(descriptor)
    return moved


def _relay(read: int, done: threading.Event) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    poll = select.poll()
    poll.register(read, select.POLLIN)
    until = None
    while True:
        ending = done.is_set()
        if ending and until is None:
            until = time.monotonic() + _AFTERWARDS_S
        if not poll.poll(0 if ending else _STEP_MS):
            if ending:
                break
            continue
        block = os.read(read, _BLOCK)
        if not block or (until is not None and time.monotonic() > until):
            break
        _print(decoder.decode(block))
    _print(decoder.decode(b"", final=True))


def _print(text: str) -> None:
    """Write to the descriptor itself, as the child did; stderr may be closed."""
    shown = _STYLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n").expandtabs()
    left = printable.lines(shown).encode("utf-8", "backslashreplace")
    with contextlib.suppress(OSError):
        while left:
            left = left[os.write(STDERR, left) :]
