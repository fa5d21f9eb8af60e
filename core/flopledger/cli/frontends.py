"""``flopledger frontends``: lists the frontends that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flopledger.cli.options import format_option
from flopledger.cli.output import room, write

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = """\b
Examples:
  flopledger frontends
  flopledger frontends --format json
"""


@click.command("frontends", short_help="List the installed frontends.", epilog=EXAMPLES)
@format_option(("table", "json"))
def command(form: str) -> None:
    """List the frontends: the models and files that each reads, and which are missing or broken."""
    if form == "json":
        from flopledger.plugins import discovery as plugins  # noqa: PLC0415  (the help needs none of it)
        from flopledger.report import installed  # noqa: PLC0415

        write(installed.frontends(plugins.registry()))
        return
    from flopledger.report.wrapping import wrapped  # noqa: PLC0415

    width = room(None)[0]
    write("".join(f"{part}\n" for line in lines() for part in wrapped(line, width, "    ")))


def lines() -> Iterator[str]:
    """Yield one line for each frontend that is installed, then the broken ones."""
    from flopledger.plugins import discovery as plugins  # noqa: PLC0415  (the help needs none of it)

    registry = plugins.registry()
    for plugin in registry.plugins.values():
        yield f"{plugin.frontend.summary} [{plugin.distribution}]"
    for failure in registry.failures.values():
        yield f"{failure.name}: broken: {failure.error} [{failure.distribution}]"
    if not registry.plugins:
        yield "no frontend is installed; saved graphs can still be counted"
