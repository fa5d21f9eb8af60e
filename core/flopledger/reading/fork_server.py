"""A server that forks a process for each job: the server's side.

Importing a framework takes seconds, a fork milliseconds. The server imports modules once and then only forks:
no code of a user's and no untrusted file runs in it. Each job runs in a process of its own, which the
server ends, with all that it has started, when its time is over, and whose death it outlives.

A fork copies the thread that calls it and no other. Importing PyTorch, Keras or PaddlePaddle starts no
thread where the libraries below them are told to use one (``OMP_NUM_THREADS=1``, which
:mod:`flopledger.reading.server` sets); a server whose imports have started threads says so, and is replaced
by one that imports nothing, so that each of its jobs imports for itself.

Started by :mod:`flopledger.reading.server`, never by hand.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import pickle
import select
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from typing import IO, TYPE_CHECKING, NoReturn

from flopledger import lazy
from flopledger.plugins import discovery as plugins
from flopledger.reading import memory, processes, worker
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.plugins.registry import Registry

_NEVER = math.inf
_MAXRSS = 1 if sys.platform == "darwin" else 1024
"""The unit of the kernel's peak memory, in bytes."""
RESULT, ERROR = b"result\n", b"error\n"
"""How the answer of a job begins."""


@dataclass(frozen=True, slots=True)
class Start:
    """A server's work before it forks: it imports modules and calls a function of ours that loads things.

    Attributes:
        modules: The modules.
        function: The function, as ``package.module:name``; empty for none.
        argument: Its argument; it is sent as a pickle.
    """

    modules: tuple[str, ...] = ()
    function: str = ""
    argument: object = None


@dataclass(frozen=True, slots=True)
class Job:
    """The work of a forked process: it calls one of our functions with one argument; that returns bytes.

    Attributes:
        number: What the answer is known by.
        function: The function, as ``package.module:name``.
        argument: Its argument; it is sent as a pickle.
        timeout: Seconds that it may take.
        memory_limit: Bytes that it may take; None for half of the machine.
    """

    number: int
    function: str
    argument: object
    timeout: float | None = None
    memory_limit: int | None = None


@dataclass(slots=True)
class _Running:
    """A job in its process: where it writes, and when it has to be done."""

    job: Job
    result: IO[bytes]
    until: float
    started: float
    late: bool = False


def main(jobs: int, parent: int) -> NoReturn:
    """Take jobs from a connection, and send each answer back over it, until this process is ended."""
    processes.adopt_and_die_with(parent)
    connection = Connection(jobs)
    start, sys.path[:] = pickle.loads(connection.recv_bytes())  # noqa: S301  (from the parent, which started us)
    server = _Server(connection)
    for module in start.modules:
        with contextlib.suppress(Exception):  # the job that needs it raises the reason
            importlib.import_module(module)
    if start.function:
        with contextlib.suppress(Exception):  # likewise
            lazy.attribute(start.function)(start.argument)
    connection.send_bytes(json.dumps({"threads": _threads()}).encode())
    server.run()


def _threads() -> int:
    """Return how many threads this process has; systems without ``/proc`` are taken to have started some."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208  (nothing but a number is needed)
    except OSError:
        return 2


class _Server:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._running: dict[int, _Running] = {}
        self._registry: Registry = plugins.registry()
        self._woken, wake = os.pipe()
        self._jobs = connection.fileno()
        self._own = (self._jobs, self._woken, wake)
        for descriptor in (self._woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a process has ended: stop waiting

    def run(self) -> NoReturn:
        """Serve until the parent closes the connection."""
        while True:
            ready, _, _ = select.select([self._jobs, self._woken], [], [], self._patience())
            if self._woken in ready:
                os.read(self._woken, 1 << 12)
            self._collect()
            self._stop_late()
            if self._jobs in ready:
                try:
                    job = pickle.loads(self._connection.recv_bytes())  # noqa: S301  (likewise)
                except EOFError:
                    self._end_all()
                self._start(job)

    def _patience(self) -> float | None:
        """Return the seconds until the next job is late; None where none has a time."""
        until = min((one.until for one in self._running.values()), default=_NEVER)
        return None if until == _NEVER else max(0.0, until - time.monotonic())

    def _start(self, job: Job) -> None:
        result = tempfile.TemporaryFile()  # noqa: SIM115  (it is closed when the job has ended)
        now = time.monotonic()
        until = _NEVER if job.timeout is None else now + job.timeout
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in self._own:
                os.close(descriptor)
            _run(job, result.fileno(), server, self._registry)
        self._running[pid] = _Running(job, result, until, now)

    def _collect(self) -> None:
        """Answer for every job whose process has ended; orphans of jobs, which are ours now, end as well."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            one = self._running.pop(pid, None)
            if one is not None:
                processes.end_started(os.getpid(), spare=frozenset(self._running))
                self._answer(one, status, used.ru_maxrss)

    def _answer(self, one: _Running, status: int, peak: int) -> None:
        with one.result as result:
            result.seek(0)
            content = result.read()
        head = {
            "number": one.job.number,
            "status": os.waitstatus_to_exitcode(status),
            "late": one.late,
            "seconds": time.monotonic() - one.started,
            "peak": peak * _MAXRSS,
        }
        self._connection.send_bytes(json.dumps(head).encode())
        self._connection.send_bytes(content)

    def _stop_late(self) -> None:
        now = time.monotonic()
        for pid, one in self._running.items():
            if now > one.until and not one.late:
                one.late = True
                one.until = _NEVER
                _kill(pid)

    def _end_all(self) -> NoReturn:
        for pid in self._running:
            _kill(pid)
        os._exit(0)


def _kill(pid: int) -> None:
    """End a process and those that it has started; stopped first, so that it stays their ancestor."""
    for group in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group(pid, signal.SIGSTOP)
    processes.end_started(pid)
    for group in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group(pid, signal.SIGKILL)


def _run(job: Job, result: int, server: int, registry: Registry) -> NoReturn:
    """Do a job in the process that was forked for it, and end it; nothing of the server is in reach."""
    code, home = 1, os.getpid()
    try:
        os.setsid()
        processes.adopt_and_die_with(server)
        memory.limit_data(job.memory_limit or memory.default_limit())
        try:
            content = RESULT + lazy.attribute(job.function)(job.argument)
        except BaseException as error:  # noqa: BLE001  (the user's code may raise anything)
            worker.lift_limits()
            content = ERROR + worker.failure(error, registry).encode()
        worker.flush()
        if worker.process() == home:  # and no process that the user's code forked, and that came back here
            code = 0 if worker.write(result, [content]) else 1
    finally:
        worker.leave(code)
