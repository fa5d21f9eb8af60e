"""A server and the processes that it forks; the jobs call functions of this file's own module."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger.reading.fork_server import Job, Start
from flopledger.reading.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JOBS = """
import os, signal, subprocess, sys, threading, time

LOADED = os.getpid()

def same(what):
    return what

def place(_):
    return f"{LOADED} {os.getpid()} {os.getppid()}".encode()

def kill(number):
    os.kill(os.getpid(), number)

def fail(_):
    raise ValueError("no")

def leave(code):
    os._exit(code)

def wait(seconds):
    time.sleep(seconds)
    return b"waited"

def orphan(_):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print("orphan", flush=True)
            time.sleep(1000)
        os._exit(0)
    time.sleep(0.2)
    return b"left one"

def escape(_):
    if os.fork() == 0:
        return b"of the fork"
    time.sleep(0.3)
    return b"of the job"

def big(size):
    return b"x" * size
"""


MARK = "FLOPLEDGER_STARTED_BY_TEST"
"""A variable that marks this test's servers and their remains among those of anybody else."""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    (tmp_path / "server_jobs.py").write_text(JOBS)
    (tmp_path / "with_a_thread.py").write_text("import threading, time\n"
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n")  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(MARK, str(os.getpid()))
    started: list[Server] = []

    def start(*modules: str) -> Server:
        started.append(Server(Start(modules)))
        return started[-1]

    yield start
    for server in started:
        server.close()


def job(name: str, argument: object = None, number: int = 0, timeout: float | None = None) -> Job:
    return Job(number, f"server_jobs:{name}", argument, timeout)


def test_a_job_runs_in_a_fork_of_what_was_imported_once(start: Callable[..., Server]) -> None:
    server = start("server_jobs")
    places = []
    for _ in range(2):
        server.send(job("place"))
        places.append(tuple(map(int, server.receive().content.split())))

    (loaded, first, parent), (again, second, _) = places
    assert loaded == again == parent
    assert len({loaded, first, second, os.getpid()}) == 4


def test_jobs_run_side_by_side_and_answer_in_the_order_in_which_they_end(
    start: Callable[..., Server],
) -> None:
    server = start("server_jobs")
    server.send(job("wait", 2.0, 1))
    server.send(job("same", b"at once", 2))

    assert [(server.receive().number) for _ in range(2)] == [2, 1]


def test_a_job_that_dies_fails_or_hangs_ends_alone(start: Callable[..., Server]) -> None:
    server = start("server_jobs")
    asked = [
        job("kill", signal.SIGSEGV, 1),
        job("fail", None, 2),
        job("leave", 3, 3),
        job("wait", 99, 4, 0.3),
    ]
    for one in (*asked, job("same", b"fine", 5)):
        server.send(one)
    found = {answer.number: answer for answer in (server.receive() for _ in range(5))}

    assert (found[1].word, found[1].status) == ("", -signal.SIGSEGV)
    assert (found[2].word, b"ValueError: no" in found[2].content) == ("error", True)
    assert (found[3].word, found[3].status) == ("", 3)
    assert (found[4].late, found[4].status) == (True, -signal.SIGKILL)
    assert (found[5].word, found[5].content) == ("result", b"fine")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc to find them in")
def test_what_a_job_leaves_behind_ends_with_it(start: Callable[..., Server]) -> None:
    server = start("server_jobs")
    server.send(job("wait", 1.0, 1))
    server.send(job("orphan", None, 2))

    found = {answer.number: answer.content for answer in (server.receive(), server.receive())}
    assert found == {1: b"waited", 2: b"left one"}  # the other job goes on
    assert _sleepers() == set()


def _sleepers() -> set[int]:
    """Return the processes of this test that are forks of forks of a server."""
    found = set()
    own = f"{MARK}={os.getpid()}".encode()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended, or belongs to somebody else
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and own in stat.with_name("environ").read_bytes().split(b"\0"):
                found.add((int(stat.parent.name), int(fields[1])))
    servers = {pid for pid, parent in found if parent == os.getpid()}
    return {pid for pid, _ in found if pid not in servers}


def test_a_process_that_a_job_forks_does_not_answer_for_it(start: Callable[..., Server]) -> None:
    server = start("server_jobs")
    server.send(job("escape"))

    assert server.receive().content == b"of the job"


def test_a_large_answer_arrives(start: Callable[..., Server]) -> None:
    server = start("server_jobs")
    server.send(job("big", 5_000_000))

    assert len(server.receive().content) == 5_000_000


def test_a_server_whose_modules_start_threads_forks_without_them(start: Callable[..., Server]) -> None:
    server = start("with_a_thread", "server_jobs")
    server.send(job("place"))
    loaded, own, parent = map(int, server.receive().content.split())

    assert loaded == own != parent  # the job has imported the module itself


def test_a_server_that_has_died_is_an_error(start: Callable[..., Server]) -> None:
    server = start()
    server.send(job("place"))
    parent = int(server.receive().content.split()[2])
    os.kill(parent, signal.SIGKILL)
    time.sleep(0.1)

    with pytest.raises(SourceError, match="has ended"):
        server.receive()
