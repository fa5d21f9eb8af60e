"""Reading a live object in a forked child process, so that no effect of the reading reaches this process.

The child is a copy of this process and has the object as it is. It writes the graph into an unnamed file
and ends at once, without exit handlers and without the destructors of objects that it shares with this
process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from typing import IO, TYPE_CHECKING, NoReturn

from flopledger import errors
from flopledger.errors import FlopledgerError, SourceError, UsageError
from flopledger.graph.graph import Graph
from flopledger.graph.write import pieces as pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSES = (0.001, 0.05)
"""The first and the longest time between two looks at the child, in seconds."""


def read_in_fork(
    source: str,
    read: Callable[[], Graph],
    *,
    timeout: float | None = None,
    memory_limit: int | None = None,
) -> Graph:
    """Call a reading in a forked child process, and return its graph.

    Args:
        source: The source as the user named it.
        read: What reads it; it raises a :class:`FlopledgerError` if reading fails.
        timeout: Seconds that it may take.
        memory_limit: Bytes of address space that the child may use.

    Raises:
        SourceError: The source can't be read, or the child died, hung or ran out of memory.
        UsageError: The inputs don't fit, or the system has no fork.
    """
    if not hasattr(os, "fork"):
        raise UsageError(
            f"{source}: this system can't fork, so that a live object is read in this process only"
        )
    with tempfile.TemporaryFile() as result:
        child = _fork()
        if child == 0:
            _run(read, result, memory_limit)
        status = _wait(child, source, timeout)
        result.seek(0)
        word, _, content = result.read().decode(errors="replace").partition("\n")
    if status == 0 and word == "graph":
        return Graph.from_json(content, source)
    if status == 0 and word == "error":
        raise _error(**json.loads(content))
    raise SourceError(f"{source}: the child process that read it {_death(status)} before it was read")


def _fork() -> int:
    """Fork, and return the child's id; 0 in the child."""
    for name in ("stdout", "stderr"):
        with contextlib.suppress(Exception):  # what is in its buffer would be written twice
            getattr(sys, name).flush()
    with warnings.catch_warnings():
        # Python warns of other threads, which the child does not have: it waits for none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _run(read: Callable[[], Graph], result: IO[bytes], memory_limit: int | None) -> NoReturn:
    status = 1
    try:
        if memory_limit is not None:
            import resource  # noqa: PLC0415  (not every system has it; those that fork do)

            resource.setrlimit(resource.RLIMIT_AS, (memory_limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
        try:
            pieces = ["graph\n", *pieces_of(read())]
        except FlopledgerError as error:
            pieces = ["error\n", json.dumps({"name": type(error).__name__, "message": str(error)})]
        result.writelines(piece.encode() for piece in pieces)
        result.flush()
        status = 0
    finally:
        os._exit(status)


def _wait(child: int, source: str, timeout: float | None) -> int:
    """Wait for the child, and end it in any case; return its status."""
    end = None if timeout is None else time.monotonic() + timeout
    pause, longest = _PAUSES
    done = 0
    try:
        while not done:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if end is not None and time.monotonic() > end:
                raise SourceError(f"{source}: reading it took longer than {timeout:g} seconds, its timeout")
            time.sleep(pause)
            pause = min(2 * pause, longest)
    finally:
        if not done:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    raise AssertionError


def _error(*, name: str, message: str) -> FlopledgerError:
    """Return the child's error as one of this process."""
    cls = vars(errors).get(name)
    if isinstance(cls, type) and issubclass(cls, FlopledgerError):
        return cls(*message.split("\n"))
    return SourceError(message)


def _death(status: int) -> str:
    if status >= 0:
        return f"ended with exit code {status}"
    return f"was killed by signal {-status} (the usual cause is that memory ran out)"
