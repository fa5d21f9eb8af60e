"""``flopledger conventions``: the list, and a page for one."""

from __future__ import annotations

import click

from flopledger.cli import completion
from flopledger.cli.options import format_option, load_conventions
from flopledger.cli.output import room, write

EXAMPLES = """\b
Examples:
  flopledger conventions
  flopledger conventions caffe-script
  flopledger conventions ./mine.toml
  flopledger conventions --format json
"""


@click.command("conventions", short_help="List the conventions, or describe one.", epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=completion.conventions)
@format_option(("table", "json"), "How the list is written; json has names, units and switches, no rules.")
def command(name: str | None, form: str) -> None:
    """List the conventions, or show the rules of one and its differences from mac."""
    from flopledger.report import convention_page as conventions  # noqa: PLC0415  (the help needs none of it)

    if form == "json":
        from flopledger.report import installed  # noqa: PLC0415

        write(installed.conventions(conventions.every() if name is None else load_conventions((name,), {})))
        return
    width = room(None)[0]
    if name is None:
        write(conventions.overview(width))
    else:
        write(conventions.page(name, min(width or conventions.WIDTH, conventions.WIDTH)))
