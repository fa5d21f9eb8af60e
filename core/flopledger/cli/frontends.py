"""``flopledger frontends``: what can be read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flopledger.cli.output import write

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = """\b
Example:
  flopledger frontends
"""


@click.command("frontends", short_help="List what can be read here.", epilog=EXAMPLES)
def command() -> None:
    """List the frontends: what each reads, and what is missing or broken."""
    write("".join(f"{line}\n" for line in lines()))


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
