"""The values that a shell completes options and arguments to.

A shell asks again at each press of the key: only what it needs is imported, and no framework ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import click

Found = list[CompletionItem]
FILE_SIGNS = (".", "/", "~")
"""The beginnings of words that can only become paths."""


def files(_: click.Context, __: click.Parameter, incomplete: str) -> Found:
    """Let the shell complete the names of files."""
    return [CompletionItem(incomplete, type="file")]


def conventions(_: click.Context, __: click.Parameter, incomplete: str) -> Found:
    """Complete the names of conventions, or the file of one's own."""
    if incomplete.startswith(FILE_SIGNS):
        return [CompletionItem(incomplete, type="file")]
    from flopledger.conventions import names  # noqa: PLC0415  (each shell needs one of these)
    from flopledger.plugins import discovery  # noqa: PLC0415

    return _starting(names.known(discovery.conventions()), incomplete)


def devices(_: click.Context, __: click.Parameter, incomplete: str) -> Found:
    """Complete the names of devices, or the file of one's own."""
    if incomplete.startswith(FILE_SIGNS):
        return [CompletionItem(incomplete, type="file")]
    from flopledger.devices import file  # noqa: PLC0415

    return _starting(file.shipped(), incomplete)


def frontends(_: click.Context, __: click.Parameter, incomplete: str) -> Found:
    """Complete the names of the installed frontends."""
    from flopledger.plugins import discovery  # noqa: PLC0415

    return _starting(discovery.registry().plugins, incomplete)


def scanned(context: click.Context, parameter: click.Parameter, incomplete: str) -> Found:
    """Complete the registries that can be scanned, else files: beside these bash drops words."""
    from flopledger.plugins import discovery  # noqa: PLC0415

    plugins = discovery.registry().plugins.values()
    known = sorted(name for plugin in plugins for name in plugin.frontend.registries)
    return _starting(known, incomplete) or files(context, parameter, incomplete)


def switches(context: click.Context, _: click.Parameter, incomplete: str) -> Found:
    """Complete ``KEY=VALUE`` to the switches of the conventions that the line names, or of ``mac``."""
    from flopledger.conventions import loader  # noqa: PLC0415
    from flopledger.errors import FlopledgerError  # noqa: PLC0415

    named = context.params.get("conventions") or context.params.get("convention") or ("mac",)
    found: list[str] = []
    for name in [named] if isinstance(named, str) else named:
        try:
            known = loader.load(name).switches
        except FlopledgerError:  # the command itself will name the slip
            continue
        found += [f"{key}={value}" for key, switch in known.items() for value in switch.values]
    return _starting(dict.fromkeys(found), incomplete)


def optimizers(_: click.Context, __: click.Parameter, incomplete: str) -> Found:
    """Complete the names of optimizers."""
    from flopledger.analysis import memory  # noqa: PLC0415

    return _starting(memory.STATES, incomplete)


def several_of(known: Sequence[str]) -> Callable[..., Found]:
    """Complete the last of several names with commas between them."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> Found:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        return _starting(
            [f"{before}{comma}{name}" for name in known if name not in given], before + comma + last
        )

    return complete


def _starting(known: Iterable[str], incomplete: str) -> Found:
    return [CompletionItem(name) for name in known if name.startswith(incomplete.lower())]
