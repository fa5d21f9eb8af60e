"""The one place where the command line writes to stderr; every text passes the gate here."""

from __future__ import annotations

import contextlib
import sys

from flopledger import printable


def say(message: str) -> None:
    """Write a message of one or several lines, if anybody listens.

    A closed or full stderr changes neither the result nor the exit code.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):  # it is None where it is closed
        sys.stderr.write(f"{printable.lines(message)}\n")
        sys.stderr.flush()


def error(message: str) -> None:
    """Say what went wrong."""
    say(f"Error: {message}")


def warn(line: str) -> None:
    """Say, in one line, what a result is not to be read without."""
    say(f"Warning: {printable.line(line)}")


def status(text: str) -> None:
    """Replace the last line of the terminal, an empty text by nothing; only for a terminal."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"\r{printable.line(text)}" if text else "\r\x1b[K")
        sys.stderr.flush()
