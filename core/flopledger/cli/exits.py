"""Exit codes, and the one place where exceptions become a message and a code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from flopledger.cli import messages
from flopledger.errors import ConventionError, ExpressionError, FlopledgerError, OutputError, UsageError

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
    """Turn what goes wrong inside into a message on stderr and an exit code."""
    outcome = Outcome()
    try:
        yield outcome
        if sys.stdout is not None:  # None where the caller has closed it (``>&-``)
            sys.stdout.flush()
    except click.exceptions.Exit as error:
        outcome.code = error.exit_code
        if error.exit_code == 0 and sys.stdout is None:  # help or a version that nobody could read
            messages.error("the output can't be written: stdout is closed")
            outcome.code = OUTPUT
    except click.ClickException as error:
        messages.say(_shown(error))
        outcome.code = USAGE
    except (click.Abort, KeyboardInterrupt):
        outcome.code = INTERRUPTED
    except FlopledgerError as error:
        messages.error(str(error))
        outcome.code = next(code for kind, code in CODES if isinstance(error, kind))
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            messages.error(f"the output can't be written: {error.strerror}")
        outcome.code = OUTPUT
        _abandon_stdout()
    except (MemoryError, RecursionError) as error:
        messages.error(f"the source is too large to be read here ({type(error).__name__})")
        outcome.code = SOURCE


def _shown(error: click.ClickException) -> str:
    """Return what click says of a wrong option, which repeats what the user typed."""
    written = io.StringIO()
    error.show(written)
    return written.getvalue().removesuffix("\n")


def _abandon_stdout() -> None:
    """Let what is left in stdout's buffer go nowhere: the interpreter flushes it once more at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
