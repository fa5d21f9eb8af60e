"""Processes that a reading has started: finding and ending them, wherever they have moved to.

A process may leave its session (``setsid``) and lose its parent (a daemon forks twice). Two things it keeps:
while the reading's own process lives and has asked to adopt orphans, every descendant has it among its
ancestors; and it carries a mark in its environment, unless it executes a program with another environment.
On systems without ``/proc`` only the session itself is ended.

Functions that are needed after the user's code has run are bound here before it runs: that code may replace
functions of Python's own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
MARK = "FLOPLEDGER_READING"
"""The variable of the environment by which the processes of a reading are known."""
_ZOMBIE = b"Z"
LONGEST_S = 5.0
"""How long processes are ended that start others as fast."""
_open, _read, _close, _listdir = os.open, os.read, os.close, os.listdir
_kill, _getpid, _clock = os.kill, os.getpid, time.monotonic
_BLOCK = 1 << 16
_MOST = 1 << 22


def adopt_and_die_with(parent: int) -> None:
    """Let the kernel end this process with its parent, and give it the orphans among its descendants.

    Other systems than Linux have no such calls.
    """
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        if os.getppid() != parent:
            os._exit(1)


def end_started(root: int | None, mark: bytes = b"", spare: frozenset[int] = frozenset()) -> None:
    """Kill every process that descends from ``root`` or carries the mark, but not ``root`` and this one.

    A process may start another while it is looked for, so that this is done until none is left.

    Args:
        root: The process whose descendants are meant; None where it has ended: its number may be reused.
        mark: The variable of the environment as ``NAME=value``; none where it is empty.
        spare: Processes that go on, with all that they have started.
    """
    until = _clock() + LONGEST_S
    while _clock() < until:
        found = _started(root, mark, spare)
        if not found:
            return
        for pid in found:
            try:
                _kill(pid, signal.SIGKILL)
            except OSError:
                continue


def _started(root: int | None, mark: bytes, spare: frozenset[int] = frozenset()) -> set[int]:
    """Return the processes that live, are not ``root``, and descend from it or carry the mark."""
    parents: dict[int, int] = {}
    marked: set[int] = set()
    try:
        names = _listdir("/proc")
    except OSError:
        return set()
    for name in names:
        if not name.isdigit():
            continue
        stat = _content(f"/proc/{name}/stat").rpartition(b")")[2].split()
        if len(stat) < 2 or stat[0] == _ZOMBIE:
            continue
        parents[int(name)] = int(stat[1])
        if mark and mark in _content(f"/proc/{name}/environ").split(b"\0"):
            marked.add(int(name))
    found = {pid for pid in parents if pid in marked or _descends(pid, root, parents)} - spare
    found -= {root, _getpid()}
    return {pid for pid in found if not any(_descends(pid, one, parents) for one in spare)}


def _descends(pid: int, root: int | None, parents: dict[int, int]) -> bool:
    if not root:
        return False
    for _ in range(len(parents)):
        pid = parents.get(pid, 0)
        if pid in (root, 0):
            return pid == root
    return False


def _content(path: str) -> bytes:
    """Return the contents of a file of ``/proc``; empty if the process ended or is not ours."""
    content = b""
    try:
        descriptor = _open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        while len(content) < _MOST:
            block = _read(descriptor, _BLOCK)
            if not block:
                break
            content += block
    except OSError:
        return b""
    finally:
        _close(descriptor)
    return content
