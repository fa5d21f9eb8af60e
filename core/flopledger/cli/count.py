"""``flopledger count``: networks under conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flopledger.cli import completion, messages
from flopledger.cli.exits import UNKNOWN, USAGE
from flopledger.cli.options import (
    device_option,
    format_option,
    load_conventions,
    load_device,
    output_option,
    switches_option,
)
from flopledger.cli.output import room, warnings, write
from flopledger.cli.progress import numbered, progress
from flopledger.cli.sources import SourceOptions, shared_by, source_options
from flopledger.cli.values import pairs
from flopledger.errors import ProfileMismatch, UsageError
from flopledger.records import dataclass
from flopledger.report import COLUMNS, FORMATS, GROUPS, SORT_KEYS, TRAFFIC, View, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import Ledger
    from flopledger.graph.graph import Graph
    from flopledger.reading.shared import Shared

TABLES = ("table", "markdown", "latex")
"""The formats that sum rows and choose among columns."""
FIELDS = ("json", "csv")
"""The formats that have every field of a row, and the bytes moved if they are asked for."""
SHOW_UNKNOWN = ("table", "markdown")
"""The formats that show unknown calls; with the others a warning on stderr reports them."""

EXAMPLES = """\b
Examples:
  flopledger count alexnet.prototxt
  flopledger count alexnet.prototxt -c caffe-script --format tool
  flopledger count net.prototxt -i data=Nx3xHxW -c 2mac --set bias=mac
  flopledger count alexnet.prototxt --device h100-sxm --by kind
  flopledger count alexnet.prototxt --columns kind,count,reads,writes
  flopledger count a.prototxt b.prototxt -c mac -c ops --format json -o counts.json
"""


@dataclass(frozen=True, slots=True)
class CountOptions:
    """The arguments of ``count``: the sources, the conventions, and the format of the result."""

    sources: tuple[str, ...]
    conventions: tuple[str, ...]
    switches: tuple[str, ...]
    form: str
    output: str | None
    depth: int | None
    top: int | None
    sort: str | None
    full: bool
    by: str | None
    columns: str
    units: str
    strict: bool
    device: str | None = None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns that are asked for; () for the usual ones."""
        return tuple(name.strip() for name in self.columns.split(",")) if self.columns else ()

    @property
    def traffic(self) -> bool:
        """Whether the bytes moved are asked for."""
        return not set(TRAFFIC).isdisjoint(self.chosen)

    def check(self) -> None:
        """Refuse options that the format can't show.

        Raises:
            UsageError: The rows are summed, or columns chosen, where the format lists rows as they are.
        """
        chosen = set(self.chosen)
        asked = {"--by": self.by, "--columns": chosen - set(TRAFFIC if self.form in FIELDS else ())}
        for option, value in asked.items():
            if value and self.form not in TABLES:
                more = f", which has {' and '.join(TRAFFIC)} alone" if self.form in FIELDS else ""
                raise UsageError(
                    f"{option} is for the formats {', '.join(TABLES)}, not for {self.form}{more}"
                )
        if self.by and self.sort:
            raise UsageError("--by puts the largest sum first and --sort orders rows; give one of them")

    def view(self) -> View:
        """Return how much is shown, and which styles the output supports."""
        width, color = room(self.output)
        return View(
            self.depth, self.top, self.sort, width, color,
            full=self.full, by=self.by, columns=self.chosen, units=self.units,
        )  # fmt: skip


@click.command("count", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, shell_complete=completion.files)
@source_options
@click.option(
    "-c", "--convention", "conventions", metavar="NAME|FILE", multiple=True,
    shell_complete=completion.conventions,
    help="A convention, by name or a file such as ./mine.toml; may be repeated. Default: mac.",
)  # fmt: skip
@switches_option()
@format_option(list(FORMATS), "How results are written; tool: as the convention's tool prints them.")
@output_option
@click.option("--depth", type=click.IntRange(min=1), help="Levels of the table's tree, or of --by module.")
@click.option("--top", type=click.IntRange(min=1), help="Only N rows, the largest first (not in json).")
@click.option("--sort", type=click.Choice(list(SORT_KEYS)), help="Sort rows instead of showing a tree.")
@click.option("--full", is_flag=True, help="Every row of a table; else about 40 lines, equal blocks in one.")
@click.option("--by", type=click.Choice(list(GROUPS)), help="Sum a table's rows by kind, source or module.")
@click.option(
    "--columns", metavar="NAME,...", default="", shell_complete=completion.several_of(COLUMNS),
    help=f"A table's columns, of {', '.join(COLUMNS)}. With json and csv, reads,writes add these fields.",
)  # fmt: skip
@click.option(
    "--units", type=click.Choice(["auto", "raw"]), default="raw", show_default=True,
    help="Figures of rows in full, or with a prefix: 118 M.",
)  # fmt: skip
@device_option
@click.option("--strict", is_flag=True, help="Exit with 4 if any call has no formula.")
def command(**params: Any) -> None:
    """Count networks under conventions.

    SOURCE is a file, package.module:attribute or file.py:attribute.
    """
    reading = SourceOptions.taken_from(params)
    options = CountOptions(**params)
    options.check()
    ledgers, refused = count(options, reading)
    with progress("writing"):
        view = options.view()
        styled = view.color and options.form == "table"
        text = render(ledgers, options.form, view)
    write(text, options.output, gated=styled)
    unknown = [ledger for ledger in ledgers if ledger.coverage.unknown]
    if options.form not in SHOW_UNKNOWN:
        for line in warnings(ledgers):
            messages.warn(line)
    for error in refused:
        messages.error(str(error))
    if refused:
        raise click.exceptions.Exit(USAGE)
    if options.strict and unknown:
        messages.error("--strict: some calls have no formula")
        raise click.exceptions.Exit(UNKNOWN)


def count(options: CountOptions, reading: SourceOptions) -> tuple[list[Ledger], list[ProfileMismatch]]:
    """Count each source under each convention, in the order given.

    Returns:
        The ledgers, and the refusals, where others of the same command were not refused.

    Raises:
        ProfileMismatch: Every convention refuses the reading.
    """
    loaded = load_conventions(options.conventions or ("mac",), pairs("--set", options.switches))
    more = _more(options)
    with shared_by(options.sources) as shared:
        found = [
            one
            for what, source in numbered(options.sources)
            for one in _count(source, loaded, reading, shared, what, more)
        ]
    refused = [one for one in found if isinstance(one, ProfileMismatch)]
    if len(refused) == len(found):
        raise refused[0]
    return [one for one in found if not isinstance(one, ProfileMismatch)], refused


def _count(  # noqa: PLR0913, PLR0917  (each is a part of the command)
    source: str,
    loaded: Sequence[Convention],
    reading: SourceOptions,
    shared: Shared | None,
    what: str,
    more: Callable[[Ledger, Graph], Ledger],
) -> list[Ledger | ProfileMismatch]:
    """Read a source once for each profile that is needed, and count it under each convention."""
    from flopledger.reading import profiles  # noqa: PLC0415  (the help needs none of it)

    alone = all(convention.weights_suffice for convention in loaded)
    with progress(f"reading {what}"):
        with reading.readings(source, shared, weights_suffice=alone) as readings:
            graphs = profiles.reading_for_each(readings.read, loaded)
        return [_counted(graph, convention, more) for graph, convention in zip(graphs, loaded, strict=True)]


def _more(options: CountOptions) -> Callable[[Ledger, Graph], Ledger]:
    """Return a function that adds the figures that are asked for: the bound of the time, the bytes moved."""
    device = load_device(options.device)

    def add(ledger: Ledger, graph: Graph) -> Ledger:
        if device is not None:
            from flopledger.counting import roofline  # noqa: PLC0415

            ledger = roofline.on_device(ledger, graph, device)
        if options.traffic:
            from flopledger.counting import traffic  # noqa: PLC0415

            ledger = traffic.with_traffic(ledger, graph)
        return ledger

    return add


def _counted(
    graph: Graph, convention: Convention, more: Callable[[Ledger, Graph], Ledger]
) -> Ledger | ProfileMismatch:
    """Count a reading; one that --mode put into another mode than the convention's is refused by it alone."""
    from flopledger.counting import engine, idle  # noqa: PLC0415  (the help needs none of it)

    try:
        for line in idle.without_effect(graph, convention):
            messages.warn(line)
        return more(engine.count(graph, convention), graph)
    except ProfileMismatch as error:
        return error
