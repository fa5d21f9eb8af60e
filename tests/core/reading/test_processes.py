from __future__ import annotations

import os
import subprocess
import sys

import pytest
from flopledger.reading import processes

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells which processes descend from one"
)
SLEEP = ("sleep", "60")


def _started(**environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(SLEEP, env={**os.environ, **environment})


def test_marked_processes_end_and_others_go_on() -> None:
    marked, other = _started(READING_MARK="1"), _started(READING_MARK="12")
    try:
        processes.end_started(None, b"READING_MARK=1")
        assert marked.wait(30) < 0
        assert other.poll() is None
    finally:
        for process in (marked, other):
            process.kill()
            process.wait()


def test_descendants_end_and_the_root_goes_on() -> None:
    code = "import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); input()"
    args, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(args, stdin=pipe, stdout=pipe) as root:
        assert root.stdout is not None
        child = int(root.stdout.readline())
        assert child in processes._started(root.pid, b"")
        processes.end_started(root.pid)
        assert processes._started(root.pid, b"") == set()
        assert root.poll() is None
        root.kill()


def test_without_a_root_and_a_mark_nothing_ends() -> None:
    assert processes._started(None, b"") == set()
