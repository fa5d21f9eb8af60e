"""A server that forks a process for each job: the side of the process that has the jobs.

The server's own side is :mod:`flopledger.reading.fork_server`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import subprocess
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from flopledger.errors import SourceError
from flopledger.reading import relay
from flopledger.reading.fork_server import Start
from flopledger.reading.interpreter import Interpreter, search_path
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.reading.fork_server import Job

_SERVER = "flopledger.reading.fork_server"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A fork copies one thread, so that there must be no others; and each core has a job of its own."""
_WORDS = (b"result", b"error")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server about one job.

    Attributes:
        number: That of the job.
        word: ``result``, ``error``, or empty where its process ended before it had either.
        content: The bytes that the function returned, or the JSON that describes the error.
        status: The exit status of its process; a signal is negative.
        late: Whether it was ended since its time was over.
        seconds: The time that it took.
        peak: Bytes of memory that its process had at most.
    """

    number: int
    word: str
    content: bytes
    status: int
    late: bool
    seconds: float
    peak: int


class Server:
    """An interpreter that imports modules once, and forks a process for each job.

    Args:
        start: The modules to import and to load; those that fail are left to the jobs that need them.
        output: Where the jobs print to; nowhere unless it is given.
    """

    def __init__(self, start: Start, output: int = subprocess.DEVNULL) -> None:
        self._output = output
        self._start(start)
        ready = json.loads(self.connection.recv_bytes())
        if start.modules and ready["threads"] > 1:  # forking would copy one of them, and the locks of all
            self.close()
            self._start(Start())
            self.connection.recv_bytes()

    def _start(self, start: Start) -> None:
        self._held = contextlib.ExitStack()
        ours, theirs = (relay.above_standard(end.detach()) for end in socket.socketpair())
        self.connection = Connection(ours)
        self._held.callback(self.connection.close)
        try:
            interpreter = Interpreter(_SERVER, (theirs,), self._output, _ONE_THREAD)
        finally:
            os.close(theirs)
        self._held.callback(interpreter.end)
        self.connection.send_bytes(pickle.dumps((start, search_path())))

    def send(self, job: Job) -> None:
        """Start a job."""
        self.connection.send_bytes(pickle.dumps(job))

    def receive(self) -> Answer:
        """Wait for the next job that has ended; :attr:`connection` can be waited for with others.

        Raises:
            SourceError: The server has ended, and its jobs with it.
        """
        try:
            head = json.loads(self.connection.recv_bytes())
            content = self.connection.recv_bytes()
        except (EOFError, OSError):
            raise SourceError("the process that starts others to read networks has ended") from None
        word, _, rest = content.partition(b"\n")
        known = word in _WORDS and head["status"] == 0
        return Answer(**head, word=word.decode() if known else "", content=rest if known else b"")

    def close(self) -> None:
        """End the server, its jobs, and all that they have started."""
        self._held.close()
