"""The only place where the command line writes to stderr; all text is escaped here."""

from __future__ import annotations

import contextlib
import os
import sys

from flopledger import printable


def say(message: str) -> None:
    """Write a message of one or several lines, if stderr is open.

    A closed or full stderr changes neither the result nor the exit code.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):  # it is None where it is closed
        sys.stderr.write(f"{printable.lines(message)}\n")
        sys.stderr.flush()


def error(message: str) -> None:
    """Report an error."""
    say(f"Error: {message}")


def warn(line: str) -> None:
    """Report, in one line, a caveat without which the result would mislead."""
    say(f"Warning: {printable.line(line)}")


def status(text: str) -> None:
    """Replace the last line of the terminal, an empty text by nothing; only for a terminal.

    A line as wide as the terminal would wrap, and each replacement of it would leave a line behind.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"\r{_clipped(printable.line(text))}" if text else "\r\x1b[K")
        sys.stderr.flush()


def _clipped(text: str) -> str:
    """Return the part of a text that fits into one line of the terminal; an ideograph takes two columns."""
    from flopledger.report.columns import padded  # noqa: PLC0415  (only a terminal needs it)

    try:
        room = os.get_terminal_size(sys.stderr.fileno()).columns - 1
    except (OSError, ValueError):  # no terminal of the system's
        return text
    return padded(text, max(room, 1), right=False).rstrip() if room > 0 else text
