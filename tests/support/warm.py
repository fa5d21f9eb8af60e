"""Runs the command in forks of one process that has imported it: most tests need no Python of their own.

As a script it is that process. It reads one job a line as JSON, and answers with the exit code once the job
has ended. A fork takes the folder, environment and limits of its job, and runs the command as ``python -m``
does, up to the end of the interpreter. Tests of the start itself, of terminals and of signals start a Python.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import pkgutil
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SYMBOLIC = ("flopledger.dims.symbols", "flopledger.dims.arithmetic", "flopledger.__main__")
"""Not imported before: sympy, whose memory a job may not have, and the module that runs the command."""
_AT_START = ("PYTHON", "LC_", "LANG")
"""Prefixes of variables that Python reads only when it starts."""


def run(
    args: list[str], folder: Path, env: dict[str, str] | None = None, *, memory: int = 0, cpu_s: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command with arguments in a folder, within bytes of memory and seconds of processor time."""
    environment = dict(os.environ if env is None else env)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        files = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (out, err)]
        job = {"args": args, "folder": str(folder), "env": environment, "files": files}
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps({**job, "memory": memory, "cpu_s": cpu_s}) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        texts = [file.seek(0) or file.read().decode() for file in (out, err)]
    return subprocess.CompletedProcess(args, code, *texts)


def takes(env: dict[str, str] | None) -> bool:
    """Return whether a fork can take these variables; some only matter to a Python that starts."""
    return not any(name.startswith(_AT_START) for name in env or {})


@functools.cache
def _server() -> subprocess.Popen[str]:
    """Start the process that forks; it ends when its input does, with this one."""
    pipe = subprocess.PIPE
    server = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, text=True)
    atexit.register(server.communicate)
    return server


def _serve() -> dict[str, Any]:
    """Fork for each job and wait for its end; return the job in the fork.

    Raises:
        SystemExit: There are no more jobs.
    """
    while line := sys.stdin.readline():
        process = os.fork()
        if process == 0:
            job: dict[str, Any] = json.loads(line)
            return job
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201  (the answer)
    raise SystemExit


def _become(job: dict[str, Any]) -> None:
    """Take a job's arguments, environment, files and limits."""
    inputs = os.open(os.devnull, os.O_RDONLY)
    out, err = (os.open(file, os.O_WRONLY) for file in job["files"])
    for number, file in enumerate((inputs, out, err)):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["folder"])
    sys.argv, sys.path[0] = ["flopledger", *job["args"]], job["folder"]
    signal.alarm(300)  # nothing waits longer than that
    if job["memory"]:
        resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    if job["cpu_s"]:
        resource.setrlimit(resource.RLIMIT_CPU, (job["cpu_s"], job["cpu_s"]))


def _preload() -> None:
    """Import the command and the modules that it needs for most networks."""
    for package in ("flopledger", "flopledger_caffe"):
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, f"{package}."):
            if found.name not in _SYMBOLIC:
                with contextlib.suppress(ModuleNotFoundError):  # an extra that is not installed
                    importlib.import_module(found.name)


if __name__ == "__main__":
    _preload()
    _become(_serve())
    runpy.run_module("flopledger", run_name="__main__", alter_sys=True)
