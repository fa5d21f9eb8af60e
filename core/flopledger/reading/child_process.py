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
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from flopledger import errors
from flopledger.errors import FlopledgerError, SourceError, UsageError
from flopledger.graph.graph import Graph
from flopledger.graph.load import LARGEST_FILE
from flopledger.reading import processes, relay
from flopledger.reading.memory import default_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.frontend.request import Request
    from flopledger.reading.source import Target

_BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from flopledger.reading.worker import main; main(*map(int, sys.argv[1:]))"
)
_HEAD = 16
"""Bytes before the graph in the result."""


_STEP_S = 0.05
"""The interval at which a child without a result is checked for having ended."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of the child: read a target by the request."""

    target: Target
    request: Request


class Child:
    """A child process that reads one target; it starts with the first task, and is ended by :meth:`close`.

    Args:
        memory_limit: Bytes of address space that it may take.
    """

    def __init__(self, memory_limit: int | None = None) -> None:
        self._memory_limit = memory_limit
        self._held = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, task: Task) -> Graph:
        """Read, within the time that the request gives.

        Raises:
            SourceError: The source can't be read, or the child died, hung or ran out of memory.
            UsageError: The inputs or arguments don't fit.
            ConventionError: As the child found it.
        """
        source = task.request.source
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
                found = _error(task, **json.loads(content))
            except (ValueError, TypeError):  # the user's code has written there itself
                found = SourceError(_death(task, 0))
            raise found
        self.close()
        raise SourceError(_death(task, status or 0))

    def close(self) -> None:
        """End the process and the processes that it has started; do nothing if none runs."""
        self._process = None
        self._held.close()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the process: it gets the limit and the search path first, which hold while it reads tasks."""
        package = str(Path(__file__).parents[2])
        mark = f"{processes.MARK}={os.getpid()}-{os.urandom(8).hex()}"
        held = self._held
        self._result = held.enter_context(_unnamed_file())
        read_tasks, write_tasks = map(relay.above_standard, os.pipe())
        self._tasks = held.enter_context(os.fdopen(write_tasks, "wb", buffering=0))
        read_done, write_done = map(relay.above_standard, os.pipe())
        self._done = held.enter_context(os.fdopen(read_done, "rb", buffering=0))
        passed = (read_tasks, self._result.fileno(), write_done)
        printed = held.enter_context(_printed())
        process = subprocess.Popen(  # noqa: S603  (our own interpreter, and numbers)
            [sys.executable, "-P", "-c", _BOOT, package, *map(str, passed), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            env={**os.environ, processes.MARK: mark.partition("=")[2]},
            pass_fds=passed,
            start_new_session=True,
        )
        held.callback(_end, process, mark.encode())
        os.close(read_tasks)
        os.close(write_done)
        search_path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100  (as import does)
        self._process = process
        self._send(pickle.dumps((self._memory_limit, search_path)))
        return process

    def _answer(
        self, process: subprocess.Popen[bytes], pickled: bytes, source: str, timeout: float | None
    ) -> tuple[int | None, str]:
        """Send a task; return the exit status of a child that ended instead of answering, and the answer."""
        self._result.seek(0)
        self._result.truncate()
        self._send(pickled)
        until = None if timeout is None else time.monotonic() + timeout
        while not select.select([self._done], [], [], _STEP_S)[0]:
            if process.poll() is not None:
                return process.returncode, ""
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


@contextlib.contextmanager
def _printed() -> Iterator[int]:
    """Give where the child prints to: our stderr by way of the gate, or nowhere where it is closed."""
    try:
        os.fstat(relay.STDERR)
    except OSError:
        yield subprocess.DEVNULL
        return
    with relay.relayed() as descriptor:
        yield descriptor


def _pickled(task: Task) -> bytes:
    try:
        return pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        message = f"{task.request.source} is read in a child process, and an argument can't go there: {error}"
        raise UsageError(message) from None


def _end(process: subprocess.Popen[bytes], mark: bytes) -> None:
    """End a child with its session, and the processes that have left the session.

    A child that still runs is stopped first, so that those it has started keep it as their ancestor.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGSTOP)
    processes.end_started(process.pid if process.returncode is None else None, mark)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _error(task: Task, *, name: str, message: str, memory: bool) -> FlopledgerError:
    """Return the child's error as one of this process, of the same class where it is one of ours."""
    cls = vars(errors).get(name)
    if not (isinstance(cls, type) and issubclass(cls, FlopledgerError)):
        cls = SourceError
    text = message if message.startswith(task.request.source) else f"{task.request.source}: {message}"
    if memory:
        cls, text = SourceError, f"{text}\n{_limit(task)}"
    return cls(text)


def _death(task: Task, status: int) -> str:
    """Describe how a child ended that gave no result."""
    what = f"{task.request.source}: the process that read it"
    if status >= 0:
        ended = f"{what} ended with exit code {status} before it was read"
        return f"{ended}: something in it calls exit, or replaces functions of Python's own"
    killer = f"was killed by {_signal(-status)}"
    if task.request.memory_limit is not None or -status == signal.SIGKILL:
        return f"{what} {killer}.\n{_limit(task)}"
    if -status == signal.SIGALRM:
        return f"{what} {killer}: a library that reads such files did not come to an end with this one"
    return (
        f"{what} {killer}: a crash in the framework or in native code. Set PYTHONFAULTHANDLER=1 to see where"
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _limit(task: Task) -> str:
    most = task.request.memory_limit
    if most is None:
        found = f"{default_limit()} bytes may be taken unless --memory-limit says how many"
        return f"The usual cause is that memory ran out: {found}"
    return f"The usual cause is the memory limit of {most} bytes that --memory-limit sets"
