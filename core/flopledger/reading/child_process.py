"""Reading in a child process: the parent's side.

The user's code and the framework run in a fresh interpreter (:mod:`flopledger.reading.worker`) in a session
of its own, so that a crash, a hang, output or a fork does not affect this process. One child reads one
source, under one profile after another: a framework takes seconds to import. Tasks go through a pipe that
only the child reads. The result travels through an unnamed file and a second pipe says when it is complete:
nothing waits for the end of a pipe, which a process that the user's code forked may hold open. Its output is
relayed by :mod:`flopledger.reading.relay`, and the processes that it started are ended by
:mod:`flopledger.reading.processes`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import tempfile
import time
from typing import IO, TYPE_CHECKING, Protocol

from flopledger.errors import SourceError, UsageError
from flopledger.graph.graph import Graph
from flopledger.graph.load import LARGEST_FILE
from flopledger.reading import ends, relay
from flopledger.reading.interpreter import TASK_HEAD, Interpreter, search_path
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.frontend.request import Request
    from flopledger.reading.source import Target

_WORKER = "flopledger.reading.worker"
_HEAD = 16
"""Bytes before the graph in the result."""


_STEP_S = 0.05
"""The interval at which a child without a result is checked for having ended."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of the child: read a target by the request."""

    target: Target
    request: Request


class Reads(Protocol):
    """A reader of tasks, each in a process of its own."""

    def read(self, task: Task) -> Graph:
        """Read a task's target."""


class Child:
    """A child process that reads one target; it starts with the first task, and is ended by :meth:`close`.

    Args:
        memory_limit: Bytes of address space that it may take.
    """

    def __init__(self, memory_limit: int | None = None) -> None:
        self._memory_limit = memory_limit
        self._held = contextlib.ExitStack()
        self._process: Interpreter | None = None

    def read(self, task: Task) -> Graph:
        """Read, within the time that the request gives.

        Raises:
            SourceError: The source can't be read, or the child died, hung or ran out of memory.
            UsageError: The inputs or arguments don't fit.
            ConventionError: As the child found it.
        """
        source, limit = task.request.source, task.request.memory_limit
        pickled = _pickled(task)
        try:
            process = self._process or self._start()
            status, content = self._answer(process, pickled, source, task.request.timeout)
        except BaseException:
            self.close()
            raise
        word, _, content = content.partition("\n")
        if status is None and word == "graph":
            return Graph.from_json(content, source)
        if status is None and word == "error":
            try:
                found = ends.error(source, limit, **json.loads(content))
            except (ValueError, TypeError):  # the user's code has written there itself
                found = SourceError(ends.death(source, limit, 0))
            raise found
        self.close()
        raise SourceError(ends.death(source, limit, status or 0))

    def close(self) -> None:
        """End the process and the processes that it has started; do nothing if none runs."""
        self._process = None
        self._held.close()

    def _start(self) -> Interpreter:
        """Start the process: it gets the limit and the search path first, which hold while it reads tasks."""
        held = self._held
        self._result = held.enter_context(_unnamed_file())
        read_tasks, write_tasks = map(relay.above_standard, os.pipe())
        self._tasks = held.enter_context(os.fdopen(write_tasks, "wb", buffering=0))
        read_done, write_done = map(relay.above_standard, os.pipe())
        self._done = held.enter_context(os.fdopen(read_done, "rb", buffering=0))
        passed = (read_tasks, self._result.fileno(), write_done)
        printed = held.enter_context(relay.printed())
        process = Interpreter(_WORKER, passed, printed)
        held.callback(process.end)
        os.close(read_tasks)
        os.close(write_done)
        self._process = process
        self._send(pickle.dumps((self._memory_limit, search_path())))
        return process

    def _answer(
        self, process: Interpreter, pickled: bytes, source: str, timeout: float | None
    ) -> tuple[int | None, str]:
        """Send a task; return the exit status of a child that ended instead of answering, and the answer."""
        self._result.seek(0)
        self._result.truncate()
        self._send(len(pickled).to_bytes(TASK_HEAD) + pickled)
        until = None if timeout is None else time.monotonic() + timeout
        while not select.select([self._done], [], [], _STEP_S)[0]:
            if process.status() is not None:
                return process.status(), ""
            if until is not None and time.monotonic() > until:
                limit = f"{timeout:g} seconds, the limit that --timeout sets"
                raise SourceError(f"{source}: reading it took longer than {limit}")
        if not self._done.read(1):  # the user's code has closed its end
            return process.wait(), ""
        self._result.seek(0)
        return None, self._result.read(LARGEST_FILE + _HEAD).decode(errors="replace")

    def _send(self, pickled: bytes) -> None:
        """Write to the child; that it has ended is seen where its answer is waited for."""
        with contextlib.suppress(BrokenPipeError):
            left = memoryview(pickled)
            while left:
                left = left[self._tasks.write(left) or 0 :]


def _unnamed_file() -> IO[bytes]:
    """Open a temporary file under a number that is no standard stream's, even where one is closed."""
    with tempfile.TemporaryFile() as file:
        return os.fdopen(relay.above_standard(os.dup(file.fileno())), "w+b")


def _pickled(task: Task) -> bytes:
    try:
        return pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        message = f"{task.request.source} is read in a child process, and an argument can't go there: {error}"
        raise UsageError(message) from None
