"""Writes results to stdout or to a file, completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger import input_files, printable
from flopledger.errors import OutputError, UsageError
from flopledger.report.numbers import calls_text
from flopledger.report.wrapping import NARROWEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from flopledger.counting.ledger import Ledger

MOST_LINKS = 40
_READ = frozenset(
    (
        *("source", "sources", "a", "b", "database", "against", "inputs_from", "inputs_from_b"),
        *("convention", "conventions", "device", "arguments"),
    )
)
_NAMED = ("convention", "conventions", "device")
"""Parameters whose values are files only where they are written as paths."""
DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,9})\Z")
STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}


def write(text: str, target: str | None = None, *, gated: bool = False) -> None:
    """Write a result to a file, or to stdout where there is none.

    Invisible characters are escaped, unless the text is ``gated`` already: it has a terminal's styles, or
    scripts whose hashes it states.

    A regular file is replaced in one step, so that it holds the old or the new content and never
    half of one. Anything else (a pipe, a device, ``/dev/stdout``) is opened and written to directly; a pipe
    that nobody reads is refused at once, since opening it would wait for a reader that may never come.

    Raises:
        OutputError: The file can't be written.
        UsageError: The command has read it.
        OSError: stdout can't be written.
    """
    text = text if gated else printable.lines(text)
    if target is None or target == "-":
        _write_stdout(text)
        return
    if input_files.was_read(target):
        raise _refusal(target)
    try:
        _write_file(text.encode("utf-8", "backslashreplace"), Path(target))
    except OSError as error:
        raise OutputError(f"{target}: it can't be written: {error.strerror or error}") from None


def spare(target: str | None, params: Mapping[str, object]) -> None:
    """Refuse a target that the same command reads, and that would be lost, before anything is read.

    :func:`write` refuses whatever was opened in this process. This is for what a child process will read, and
    spares the user the wait.

    Args:
        target: The file to write.
        params: The command's parameters by name; of these, :data:`_READ` may name files.

    Raises:
        UsageError: One of them is the target, whichever way it is written.
    """
    if target is None or not os.path.isfile(target):  # noqa: PTH113  (no error for what can be no path)
        return
    for name in _READ.intersection(params):
        given = params[name]
        for value in given if isinstance(given, tuple) else (given,):
            # FILE, FILE.py:MAKE or KEY=FILE
            text = str(value).partition("=")[2] if name == "arguments" else str(value)
            if name in _NAMED and not text.endswith(".toml") and "/" not in text:
                continue
            head = text.rpartition(":")[0]
            if any(_same(file, target) for file in (text, head, f"{head.replace('.', '/')}.py")):
                raise _refusal(target)


def _refusal(target: str) -> UsageError:
    return UsageError(f"-o {target}: this command reads that file; name another to write")


def _same(file: str, target: str) -> bool:
    try:
        return Path(file).samefile(target)
    except (OSError, ValueError):  # the value names no file
        return False


def room(target: str | None) -> tuple[int | None, bool]:
    """Return the columns that the output has, None where they are not limited, and whether it has styles."""
    if target not in (None, "-"):
        return None, False
    terminal = sys.stdout is not None and sys.stdout.isatty()
    color = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if not terminal and "COLUMNS" not in os.environ:
        return None, color
    import shutil  # noqa: PLC0415  (slow to import: it knows archives too)

    return max(shutil.get_terminal_size().columns, NARROWEST), color


def _write_stdout(text: str) -> None:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "stdout is closed")
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.flush()
    _write_all(sys.stdout.buffer, text.encode(encoding, "replace"))


def _write_all(stream: BinaryIO, content: bytes) -> None:
    """Write to the end: an unbuffered stream (``python -u``) may take less than it is given."""
    left = memoryview(content)
    while left:
        left = left[stream.write(left) :]
    stream.flush()


def _write_file(content: bytes, target: Path) -> None:
    descriptor = _descriptor(target)
    if descriptor is not None:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            _write_all(stream, content)
    elif target.exists() and not stat.S_ISREG(target.stat().st_mode):
        with os.fdopen(_opened(target), "wb") as stream:
            _write_all(stream, content)
    else:
        real = Path(os.path.realpath(target))
        if real.is_symlink():  # it leads to itself, and would be replaced
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        _replace(content, real)


def _opened(target: Path) -> int:
    """Open a special file without waiting, for writes that may wait."""
    try:
        opened = os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a socket, or a pipe that no process reads") from None
        raise
    os.set_blocking(opened, True)
    return opened


def _descriptor(target: Path) -> int | None:
    """Return the open descriptor that a path such as ``/dev/stdout`` refers to, following links."""
    for _ in range(MOST_LINKS):
        name = os.path.abspath(target)  # noqa: PTH100  (resolve() would follow the descriptor itself)
        match = DESCRIPTOR.match(name)
        if name in STREAMS or match:
            return STREAMS.get(name) or int(match[1] if match else 0)
        if not target.is_symlink():
            return None
        target = target.parent / target.readlink()
    return None


def _replace(content: bytes, target: Path) -> None:
    """Write beside the target, then rename; the mode stays, or is a new file's."""
    import tempfile  # noqa: PLC0415  (slow to import, and needed for files alone)

    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            _write_all(stream, content)
            os.fchmod(stream.fileno(), _mode(target))
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _mode(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def warnings(ledgers: Sequence[Ledger]) -> Iterator[str]:
    """Yield the warnings that some formats can't show: unknown calls, disagreements."""
    for ledger in ledgers:
        where = f"{ledger.graph.reading.source}, {ledger.convention.name}"
        if ledger.coverage.unknown:
            calls = sum(unknown.calls for unknown in ledger.coverage.unknown)
            sources = ", ".join(unknown.source for unknown in ledger.coverage.unknown)
            yield f"{where}: {calls_text(calls)} without a formula, not in the total: {sources}"
        yield from (f"{where}: levels disagree: {line}" for line in ledger.disagreements)
