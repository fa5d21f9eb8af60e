"""The only functions that open untrusted files.

A named pipe without a writer, a terminal or a socket keeps whoever opens it waiting, and a device may have
no end. So a file is looked at first, opened without waiting, looked at again (it may have been replaced in
between), and read up to a bound. Every failure is an ``OSError`` whose ``strerror`` describes it; the caller
knows the purpose of the file, and which error to raise. A command remembers what it has opened, so that its
result replaces none of it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from dataclasses import field
from typing import TYPE_CHECKING, BinaryIO

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(slots=True)
class _Opened:
    """The files that the running command has opened, by device and number; nothing is kept beside one."""

    files: set[tuple[int, int]] = field(default_factory=set)
    kept: bool = False


_opened = _Opened()


class _Stream(io.BufferedReader):
    """A file whose reading fails where it would wait: some pipes below /proc say they are files."""

    def read(self, size: int | None = -1, /) -> bytes:
        found: bytes | None = super().read(size)
        if found is None:
            raise OSError(errno.EAGAIN, "it has no content yet, expected a regular file")
        return found


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Remember inside the ``with`` which files are opened."""
    before = _opened.files, _opened.kept
    _opened.files, _opened.kept = set(), True
    try:
        yield
    finally:
        _opened.files, _opened.kept = before


def remember(path: str | Path) -> None:
    """Remember a file that the command reads, or that belongs to what it reads, but does not open here."""
    with contextlib.suppress(OSError, ValueError):
        _remember(os.stat(path))  # noqa: PTH116  (a text that is no path at all is asked about too)


def was_read(path: str | Path) -> bool:
    """Return whether the command has opened a file, whichever way it was written."""
    try:
        found = os.stat(path)  # noqa: PTH116  (likewise)
    except (OSError, ValueError):
        return False
    return (found.st_dev, found.st_ino) in _opened.files


def _remember(found: os.stat_result) -> None:
    if _opened.kept:
        _opened.files.add((found.st_dev, found.st_ino))


def kind(path: str | Path) -> str:
    """Describe a path that is not a regular file (``a pipe``, ``nothing``); return an empty text if it is."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  (a text that is no path at all is asked about too)
    except (OSError, ValueError):
        return "nothing"
    return _kind(mode)


def is_folder(path: str | Path) -> bool:
    """Return whether a path is a folder; ``Path.is_dir`` raises for a name that no file can have."""
    return kind(path) == "a directory"


def names_in(folder: str | Path) -> list[str]:
    """Return the names in a folder, in order; none if it can't be listed."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  (names alone are wanted)
    except (OSError, ValueError):
        return []


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading, without waiting for anything.

    Raises:
        OSError: There is none, it can't be read, or it is a pipe, a device, a socket or a directory.
    """
    try:
        _check(os.stat(path).st_mode, path)  # noqa: PTH116  (some devices act when they are opened)
        descriptor = os.open(path, _FLAGS)
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    stream = _Stream(io.FileIO(descriptor))
    try:
        found = os.fstat(descriptor)
        _check(found.st_mode, path)
    except OSError:
        stream.close()
        raise
    _remember(found)
    return stream


def read_bytes(path: str | Path, most: int) -> bytes:
    """Read a regular file.

    Raises:
        OSError: As :func:`open_regular`, or it has more than ``most`` bytes.
    """
    with open_regular(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes", str(path))
    return content


def read_text(path: str | Path, most: int) -> str:
    """Read a regular file of UTF-8 text.

    Raises:
        OSError: As :func:`read_bytes`, or it is no such text.
    """
    content = read_bytes(path, most)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        message = f"line {number}: the byte 0x{content[error.start]:02x} is not UTF-8 text"
        raise OSError(errno.EILSEQ, message, str(path)) from None


def head(path: str | Path, size: int) -> bytes:
    """Return the first bytes of a regular file; no bytes if it can't be opened as one."""
    try:
        with open_regular(path) as stream:
            return stream.read(size)
    except OSError:
        return b""


def _check(mode: int, path: str | Path) -> None:
    found = _kind(mode)
    if found:
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, f"it is {found}, expected a regular file", str(path))


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    return next((name for test, name in _KINDS if test(mode)), "no regular file")
