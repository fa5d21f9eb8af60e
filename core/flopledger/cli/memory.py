"""``flopledger memory``: the memory that a network takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion
from flopledger.cli.options import dtypes_option, format_option, output_option, typed
from flopledger.cli.output import room, write
from flopledger.cli.progress import progress
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.errors import UsageError
from flopledger.records import dataclass
from flopledger.report import ANSWER_FORMATS

if TYPE_CHECKING:
    from typing import Any

    from flopledger.counting.footprint import Footprint
    from flopledger.graph.graph import Graph
    from flopledger.reading.read import Readings

EXAMPLES = """\b
Examples:
  flopledger memory alexnet.prototxt
  flopledger memory model.py:Net -i 8x3x224x224 --step train --optimizer adamw
  flopledger memory config.json --seq 1 --past 8191 --batch 16 --dtype weights=int8,kv=int8
"""


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """The arguments of ``memory``: the source, how it is trained, and the format of the result."""

    source: str
    optimizer: str
    dtypes: str | None
    form: str
    output: str | None


@click.command("memory", short_help="What a network takes in memory.", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("source", shell_complete=completion.files)
@source_options
@click.option(
    "--optimizer", metavar="NAME", default="adamw", show_default=True,
    shell_complete=completion.optimizers,
    help="With --step train: sgd, momentum, rmsprop, adagrad, adam, adamw or amsgrad.",
)  # fmt: skip
@dtypes_option("weights, gradients, optimizer, kv")
@format_option(ANSWER_FORMATS)
@output_option
def command(**params: Any) -> None:
    """Show the memory of a network in bytes: weights, inputs, activations, and what training adds.

    SOURCE is a file, package.module:attribute or file.py:attribute. Activations are counted as they would be
    freed at the earliest; workspaces of kernels and the framework's own memory are not in it.
    """
    from flopledger.report import footprint as report  # noqa: PLC0415  (the help needs none of it)

    reading = SourceOptions.taken_from(params)
    options = MemoryOptions(**params)
    with progress(f"reading {options.source}"):
        found = _footprint(options, reading)
        write(report.render(found, options.form, room(options.output)[0]), options.output)


def _footprint(options: MemoryOptions, reading: SourceOptions) -> Footprint:
    from flopledger.counting import footprint  # noqa: PLC0415

    dtypes = typed(options.dtypes, footprint.KINDS)
    trains = reading.step == "train"
    plain = replace(reading, step=None, freeze=(), train_only=(), recompute=(), grad_inputs=None)
    with plain.readings(options.source) as readings:
        forward = readings.read({"grad": False})
        train = _train(readings, reading, options.source, required=trains)
    return footprint.footprint(forward, train, trains=trains, optimizer=options.optimizer, dtypes=dtypes)


def _train(readings: Readings, reading: SourceOptions, source: str, *, required: bool) -> Graph | None:
    """Read a training step; None where the frontend has none and none is asked for."""
    request = replace(reading, step="train").readings(source).request
    readings.request = replace(request, options={**request.options})
    try:
        return readings.read({})
    except UsageError:
        if required:
            raise
        return None
