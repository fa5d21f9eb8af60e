"""``flopledger view``: a network as a page that opens in a browser."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion
from flopledger.cli.options import (
    device_option,
    load_conventions,
    load_device,
    output_option,
    switches_option,
)
from flopledger.cli.output import write
from flopledger.cli.progress import progress
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.cli.values import pairs
from flopledger.records import dataclass

if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\b
Examples:
  flopledger view alexnet.prototxt -o alexnet.html
  flopledger view model.py:Net -i 1x3x224x224 -c mac -c ptflops -o net.html
  flopledger view alexnet.prototxt --device h100-sxm -o alexnet.html
  flopledger view net.prototxt -i data=Nx3xHxW -o net.html
"""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """The arguments of ``view``: the source, the conventions, and the output file."""

    source: str
    conventions: tuple[str, ...]
    switches: tuple[str, ...]
    output: str
    device: str | None = None


@click.command("view", short_help="Draw a network as a web page.", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("source", shell_complete=completion.files)
@source_options
@click.option(
    "-c", "--convention", "conventions", metavar="NAME|FILE", multiple=True,
    shell_complete=completion.conventions,
    help="A convention to switch to on the page; may be repeated. Default: mac.",
)  # fmt: skip
@switches_option("Change a decision of the conventions.")
@device_option
@functools.partial(output_option, words="The page to write; - for stdout.", required=True)
def command(**params: Any) -> None:
    """Draw where a network's operations and parameters go, in one HTML file that opens offline.

    Under several conventions, the page switches between them and explains why the others differ from the
    first. Sizes that are symbols (-i data=Nx3xHxW) have sliders. With --device, the time is a figure too.
    """
    reading = SourceOptions.taken_from(params)
    options = ViewOptions(**params)
    with progress(f"drawing {options.source}"):
        write(drawn(options, reading), options.output, gated=True)


def drawn(options: ViewOptions, reading: SourceOptions) -> str:
    """Read the source once for each profile, count it under each convention, and draw it."""
    from flopledger.counting import engine  # noqa: PLC0415  (the help needs none of it)
    from flopledger.explaining import explanation  # noqa: PLC0415
    from flopledger.reading import profiles  # noqa: PLC0415
    from flopledger.report import view  # noqa: PLC0415

    loaded = load_conventions(options.conventions or ("mac",), pairs("--set", options.switches))
    device = load_device(options.device)
    with reading.readings(options.source) as readings:
        graphs = profiles.reading_for_each(readings.read, loaded)
    counts = [engine.evaluate(graph, one) for graph, one in zip(graphs, loaded, strict=True)]
    ledgers = [engine.ledger_of(one) for one in counts]
    if device is not None:
        from flopledger.counting import roofline  # noqa: PLC0415  (few need it)

        ledgers[0] = roofline.on_device(ledgers[0], graphs[0], device)
    return view.of_network(graphs[0], ledgers, explanation.from_first(counts))
