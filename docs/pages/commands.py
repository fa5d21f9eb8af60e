"""The page of the command line: each command with its arguments, options and examples."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click
from flopledger.cli import COMMANDS, PROGRAM, group

from pages.markup import block, code, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Mapping


ELSEWHERE = "[Exit codes](../exit-codes.md) and [input specs](../inputs.md) have pages of their own."
"""Left out of the manual page, which has no other pages to link to."""


def pages() -> Mapping[str, str]:
    """Return the page."""
    with click.Context(group, info_name=PROGRAM, **group.context_settings) as context:
        sections = [_section(context, name) for name in COMMANDS]
        return {
            "commands": page(
                "Command line",
                block(f"{PROGRAM} [--version] COMMAND [ARGUMENTS]"),
                _said(group),
                "Results go to standard output, all else to standard error.",
                block(ELSEWHERE, "{only} not man"),
                *sections,
            )
        }


def _section(parent: click.Context, name: str) -> str:
    command = group.get_command(parent, name)
    if command is None:
        message = f"there is no command {name!r}"
        raise LookupError(message)
    context = click.Context(command, info_name=name, parent=parent)
    usage = command.get_usage(context).removeprefix("Usage: ")
    return "\n\n".join(
        part
        for part in (
            f"## {code(f'{PROGRAM} {name}')}",
            block(" ".join(usage.split())),
            _said(command),
            table(("option", "meaning"), _options(command, context)),
            _examples(command),
        )
        if part
    )


def _said(command: click.Command) -> str:
    return "\n\n".join(
        prose(" ".join(part.split())) for part in inspect.cleandoc(command.help or "").split("\n\n")
    )


def _options(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    records = [option.get_help_record(context) for option in command.get_params(context)]
    return [(code(spelled), prose(said)) for spelled, said in filter(None, records) if said]


def _examples(command: click.Command) -> str:
    lines = inspect.cleandoc((command.epilog or "").replace("\b", "")).splitlines()
    return block("\n".join(line.strip() for line in lines[1:]), "sh") if lines else ""
