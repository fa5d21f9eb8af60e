"""Exit codes, and the one place where exceptions become a message and a code."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from flopledger.errors import ConventionError, ExpressionError, FlopledgerError, OutputError, UsageError
from flopledger.report.numbers import plain_line

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
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        outcome.code = error.exit_code
    except click.ClickException as error:
        error.show()
        outcome.code = USAGE
    except (click.Abort, KeyboardInterrupt):
        outcome.code = INTERRUPTED
    except FlopledgerError as error:
        _say(str(error))
        outcome.code = next(code for kind, code in CODES if isinstance(error, kind))
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _say(f"the output can't be written: {error.strerror}")
        outcome.code = OUTPUT
        _abandon_stdout()
    except (MemoryError, RecursionError) as error:
        _say(f"the source is too large to be read here ({type(error).__name__})")
        outcome.code = SOURCE


def _say(message: str) -> None:
    with contextlib.suppress(OSError):
        click.echo("\n".join(map(plain_line, f"Error: {message}".split("\n"))), err=True)


def _abandon_stdout() -> None:
    """Let what is left in stdout's buffer go nowhere: the interpreter flushes it once more at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
