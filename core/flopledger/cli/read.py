"""``flopledger read``: a network, saved as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flopledger.cli import completion, messages
from flopledger.cli.options import load_conventions, output_option
from flopledger.cli.output import write
from flopledger.cli.progress import progress
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.records import dataclass

if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\b
Examples:
  flopledger read alexnet.prototxt -o alexnet.json
  flopledger count alexnet.json -c caffe-script
  flopledger read net.prototxt -i data=Nx3xHxW --phase train -o net.json
"""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The arguments of ``read``: the source, the conventions to read for, and the output file."""

    source: str
    conventions: tuple[str, ...]
    output: str | None


@click.command(
    "read", short_help="Read a network and save it as a graph.", epilog=EXAMPLES, no_args_is_help=True
)
@click.argument("source", shell_complete=completion.files)
@source_options
@click.option(
    "--for", "conventions", metavar="CONVENTION", multiple=True,
    shell_complete=completion.conventions,
    help="Read as this convention needs it; may be repeated.",
)  # fmt: skip
@output_option
def command(**params: Any) -> None:
    """Read a network and save it as a graph, which can be counted anywhere, again and again."""
    from flopledger.reading import profiles  # noqa: PLC0415  (the help needs none of it)

    reading = SourceOptions.taken_from(params)
    options = ReadOptions(**params)
    loaded = load_conventions(options.conventions, {})
    alone = all(convention.weights_suffice for convention in loaded)
    with progress(f"reading {options.source}"):
        graph = reading.read(options.source, profiles.profile_for(loaded), weights_suffice=alone)
        written = graph.to_json()
        write(written if written.endswith("\n") else f"{written}\n", options.output)
    if graph.reading.of_weights:
        messages.warn(f"{options.source}: {graph.reading.notes[-1]}")
