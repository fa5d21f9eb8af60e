"""How a process that read a source ended, in words: an error of its own, a signal, a limit."""

from __future__ import annotations

import signal

from flopledger import errors, printable
from flopledger.errors import FlopledgerError, SourceError
from flopledger.reading.memory import default_limit


def error(source: str, limit: int | None, *, name: str, message: str, memory: bool) -> FlopledgerError:
    """Return the error of a process that read a source as one of this process, of its class if ours.

    Args:
        source: The source as the user named it.
        limit: The bytes that the process might take, if the user has given a limit.
        name: The name of the error's class.
        message: Its text, in which only the line feeds between its lines are left.
        memory: Whether memory may have run out.
    """
    cls = vars(errors).get(name)
    if not (isinstance(cls, type) and issubclass(cls, FlopledgerError)):
        cls = SourceError
    first, *others = message.split("\n")
    lines = [first if first.startswith((source, printable.line(source))) else f"{source}: {first}", *others]
    return SourceError(*lines, _limit(limit)) if memory else cls(*lines)


def death(source: str, limit: int | None, status: int) -> str:
    """Describe how a child ended that gave no result."""
    what = f"{source}: the process that read it"
    if status >= 0:
        ended = f"{what} ended with exit code {status} before it was read"
        return f"{ended}: something in it calls exit, or replaces functions of Python's own"
    killer = f"was killed by {_signal(-status)}"
    if limit is not None or -status == signal.SIGKILL:
        return f"{what} {killer}. {_limit(limit)}"
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


def _limit(most: int | None) -> str:
    if most is None:
        found = f"{default_limit()} bytes may be taken unless --memory-limit says how many"
        return f"The usual cause is that memory ran out: {found}"
    return f"The usual cause is the memory limit of {most} bytes that --memory-limit sets: set a larger one"
