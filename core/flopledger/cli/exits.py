"""Exit codes, and the one place where exceptions become a message and a code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

import click

from flopledger.cli import messages
from flopledger.errors import ConventionError, ExpressionError, FlopledgerError, OutputError, UsageError
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE, SOURCE, UNKNOWN, OUTPUT, INTERRUPTED = 2, 3, 4, 5, 130

CODES: tuple[tuple[type[FlopledgerError], int], ...] = (
    (UsageError, USAGE),
    (ConventionError, USAGE),
    (ExpressionError, USAGE),
    (OutputError, OUTPUT),
    (FlopledgerError, SOURCE),
)
"""The exit code of each error; the first class that fits."""


@dataclass(slots=True)
class Outcome:
    """How a run ends."""

    code: int = 0


@contextlib.contextmanager
def reported() -> Iterator[Outcome]:
    """Turn exceptions inside the ``with`` into a message on stderr and an exit code."""
    outcome = Outcome()
    try:
        yield outcome
        if sys.stdout is not None:  # None where the caller has closed it (``>&-``)
            sys.stdout.flush()
    except click.exceptions.Exit as error:
        outcome.code = error.exit_code
        if error.exit_code == 0 and sys.stdout is None:  # help or version text that was not written anywhere
            messages.error("the output can't be written: stdout is closed")
            outcome.code = OUTPUT
    except click.ClickException as error:
        messages.say(_shown(error))
        outcome.code = USAGE
    except (click.Abort, KeyboardInterrupt):
        outcome.code = INTERRUPTED
    except FlopledgerError as error:
        messages.error(str(error))
        outcome.code = code_of(error)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            messages.error(f"the output can't be written: {error.strerror}")
        outcome.code = OUTPUT
        _abandon_stdout()
    except (MemoryError, RecursionError) as error:
        messages.error(f"the source is too large to be read here ({type(error).__name__})")
        outcome.code = SOURCE


def code_of(error: FlopledgerError) -> int:
    """Return the exit code of an error."""
    return next(code for kind, code in CODES if isinstance(error, kind))


def _shown(error: click.ClickException) -> str:
    """Return click's message about a wrong option, which repeats the user's text."""
    written = io.StringIO()
    error.show(written)
    return written.getvalue().removesuffix("\n")


def _abandon_stdout() -> None:
    """Discard the remaining contents of stdout's buffer: the interpreter flushes it again when it exits."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
