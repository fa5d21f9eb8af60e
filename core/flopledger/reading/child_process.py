"""Reading in a child process: the parent's side.

The user's code and the framework run in a fresh interpreter (:mod:`flopledger.reading.worker`) in a session
of its own, so that whatever they do, die, hang, print or fork, leaves this process as it was. The
task and the result travel through two unnamed files: unlike a pipe's end, a copy that some forked
process holds open keeps nobody waiting. What is printed comes through :mod:`flopledger.reading.relay`, and
what was started is ended by :mod:`flopledger.reading.processes`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
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


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is to do: read a target, as the request says."""

    target: Target
    request: Request


def read(task: Task) -> Graph:
    """Read in a child process, and leave no process behind.

    Args:
        task: What to read, and within which time and memory.

    Raises:
        SourceError: The source can't be read, or the child died, hung or ran out of memory.
        UsageError: The inputs or arguments don't fit.
        ConventionError: As the child found it.
    """
    source = task.request.source
    with _unnamed_file() as job, _unnamed_file() as result:
        _write(task, job)
        status = _run(job.fileno(), result.fileno(), source, task.request.timeout)
        result.seek(0)
        written = result.read(LARGEST_FILE + _HEAD)
    word, _, content = written.decode(errors="replace").partition("\n")
    if status == 0 and word == "graph":
        return Graph.from_json(content, source)
    if status == 0 and word == "error":
        try:
            found = _error(task, **json.loads(content))
        except (ValueError, TypeError):  # the user's code has written there itself
            found = SourceError(_death(task, status))
        raise found
    raise SourceError(_death(task, status))


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


def _write(task: Task, job: IO[bytes]) -> None:
    """Write the limit and the search path first: they hold while the rest is read."""
    search_path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100  (as import does)
    try:
        pickle.dump((task.request.memory_limit, search_path), job)
        pickle.dump(task, job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        message = f"{task.request.source} is read in a child process, and an argument can't go there: {error}"
        raise UsageError(message) from None
    job.seek(0)


def _run(job: int, result: int, source: str, timeout: float | None) -> int:
    """Run the child to its end and return its exit status; whatever it has started ends with it."""
    package = str(Path(__file__).parents[2])
    mark = f"{processes.MARK}={os.getpid()}-{os.urandom(8).hex()}"
    with _printed() as printed:
        process = subprocess.Popen(  # noqa: S603  (our own interpreter, and numbers)
            [sys.executable, "-P", "-c", _BOOT, package, str(job), str(result), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            env={**os.environ, processes.MARK: mark.partition("=")[2]},
            pass_fds=(job, result),
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            limit = f"{timeout:g} seconds, the limit that --timeout sets"
            raise SourceError(f"{source}: reading it took longer than {limit}") from None
        finally:
            _end(process, mark.encode())


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
    """Say how a child ended that gave no result."""
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
