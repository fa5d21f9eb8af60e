"""The command line: one module for each command, and one row of :data:`COMMANDS`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from flopledger import input_files
from flopledger.cli.exits import reported
from flopledger.errors import nearest
from flopledger.lazy import attribute
from flopledger.reading import noise

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "count", "view", "explain", "compare", "check", "llm", "memory", "read", "scan", "zoo", "conventions",
    "frontends",
)  # fmt: skip
"""The commands, in the order in which the help lists them; each is ``command`` in its module."""

PROGRAM = "flopledger"
COMPLETION = "_FLOPLEDGER_COMPLETE"
"""Set by the shell when it asks how to complete a line."""

EXAMPLES = """\b
Examples:
  flopledger count alexnet.prototxt
  flopledger count alexnet.prototxt -c mac -c caffe-script --format markdown
  flopledger conventions mac

\b
Completion in bash or zsh (there with zsh_source), and in fish; conventions, formats and switches too:
  eval "$(_FLOPLEDGER_COMPLETE=bash_source flopledger)"
  _FLOPLEDGER_COMPLETE=fish_source flopledger | source
"""


class Commands(click.Group):
    """A group that imports a command's module when it is needed."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """Return a command, or None if there is none of that name."""
        if name not in COMMANDS:
            return None
        command: click.Command = attribute(f"{__name__}.{name}:command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; of a wrong name, the nearest is named."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}{nearest(name, COMMANDS)}.".replace("?.", "?"))
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@click.version_option(package_name="flopledger", prog_name=PROGRAM, message="%(prog)s %(version)s")
def group() -> None:
    """Count a network's parameters and operations under a convention you name.

    Exit codes: 0; 1 a check or comparison fails; 2 options, specs, conventions; 3 the source can't
    be read; 4 --strict and something is unknown; 5 the output can't be written; 130 Ctrl-C.
    """


def run(args: Sequence[str]) -> int:
    """Run the command line with its arguments and return the exit code."""
    if COMPLETION in os.environ:
        group.main(list(args), prog_name=PROGRAM, complete_var=COMPLETION)
    with (
        reported() as outcome,
        noise.kept_back(),
        input_files.remembered(),
        group.make_context(PROGRAM, list(args)) as context,
    ):
        group.invoke(context)
    return outcome.code
