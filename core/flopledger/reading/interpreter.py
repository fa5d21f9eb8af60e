"""Starting an interpreter of our own, in a session of its own, and ending it with all that it has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.reading import processes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TASK_HEAD = 8
"""The bytes of a task's length, which go before it."""
_BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); from {module} import main; main(*map(int, sys.argv[1:]))"
)


class Interpreter:
    """A Python process that runs ``main`` of one of our modules, until it is ended.

    Args:
        module: The module; its ``main`` gets the numbers of the descriptors, and this process's.
        passed: The descriptors that it gets.
        output: Where it prints to.
        environment: Variables that it gets besides this process's own.
    """

    def __init__(
        self, module: str, passed: Sequence[int], output: int, environment: Mapping[str, str] | None = None
    ) -> None:
        package = str(Path(__file__).parents[2])
        mark = f"{os.getpid()}-{os.urandom(8).hex()}"
        self._mark = f"{processes.MARK}={mark}".encode()
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter, and numbers)
            [
                sys.executable, "-P", "-c", _BOOT.format(module=module),
                package, *map(str, passed), str(os.getpid()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {}), processes.MARK: mark},
            pass_fds=passed,
            start_new_session=True,
        )  # fmt: skip

    def status(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for it to end, and return the exit status."""
        return self._process.wait()

    def end(self) -> None:
        """End it with its session, and the processes that have left the session.

        One that still runs is stopped first, so that those it has started keep it as their ancestor.
        """
        process = self._process
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGSTOP)
        processes.end_started(process.pid if process.returncode is None else None, self._mark)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def search_path() -> list[str]:
    """Return where this process looks for modules, for another that may be in another folder."""
    return [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100  (as import does)
