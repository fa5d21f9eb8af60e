"""Options that several commands share, besides those for reading a source: conventions, formats, devices."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar, cast

import click

from flopledger.cli import completion, output
from flopledger.cli.values import Name, pairs
from flopledger.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from flopledger.conventions.convention import Convention
    from flopledger.devices.device import Device

F = TypeVar("F", bound="Callable[..., Any]")


def output_option(
    command: F, words: str = "Write to a file instead of stdout.", *, required: bool = False
) -> F:
    """Add the option for the file of the result, which may be none of the files that the command reads."""
    run: Callable[..., Any] = command

    @functools.wraps(command)
    def checked(**params: Any) -> None:
        output.spare(params["output"], params)
        run(**params)

    option = click.option(
        "-o", "output", metavar="FILE", required=required, shell_complete=completion.files, help=words
    )
    return option(cast("F", checked))


def switches_option(words: str = "Change a decision of the convention.") -> Callable[[F], F]:
    """Return the option that changes documented decisions."""
    return click.option(
        "--set",
        "switches",
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=completion.switches,
        help=words,
    )


def format_option(formats: Sequence[str], words: str = "How the result is written.") -> Callable[[F], F]:
    """Return the option for the format of the result."""
    return click.option(
        "--format", "form", type=Name(formats), default="table", show_default=True, help=words
    )


def dtypes_option(kinds: str) -> Callable[[F], F]:
    """Return the option for types in memory; its value is for :func:`typed`."""
    words = f"Types in memory, where they are not the model's own: {kinds}."
    return click.option("--dtype", "dtypes", metavar="WHAT=DTYPE,...", help=words)


def device_option(command: F) -> F:
    """Add the option for a device, whose time is bounded."""
    return click.option(
        "--device", metavar="NAME|FILE", shell_complete=completion.devices,
        help="Bound the time on a device from below: h100-sxm, or a file such as ./mine.toml.",
    )(command)  # fmt: skip


def load_device(name: str | None) -> Device | None:
    """Load a device by name or file; None where none is given."""
    if name is None:
        return None
    from flopledger.devices import file  # noqa: PLC0415  (few need it)

    return file.load(name)


def load_conventions(names: Sequence[str], switches: Mapping[str, str]) -> list[Convention]:
    """Load conventions; each switch is set on those that have it.

    Raises:
        ConventionError: A convention is unknown or malformed, or no convention has a switch.
    """
    from flopledger.conventions import loader  # noqa: PLC0415  (the help needs none of it)

    found = [loader.load(name) for name in names]
    for name, value in switches.items():
        if not any(name in convention.switches for convention in found):
            found[0].set({name: value})  # raises, and names the switches that there are
    return [c.set({n: v for n, v in switches.items() if n in c.switches}) for c in found]


def typed(given: str | None, kinds: Sequence[str]) -> dict[str, str]:
    """Split ``--dtype WHAT=DTYPE,...``, and check the names of types.

    Raises:
        UsageError: What is typed is none of the kinds, or there is no such type.
    """
    from flopledger.graph.dtypes import bytes_each  # noqa: PLC0415  (the help needs none of it)

    found = pairs("--dtype", tuple(given.split(","))) if given else {}
    for name, dtype in found.items():
        if name not in kinds:
            raise UsageError(f"--dtype {name}={dtype}: {name!r} is none of {', '.join(kinds)}")
        bytes_each(dtype)
    return found
