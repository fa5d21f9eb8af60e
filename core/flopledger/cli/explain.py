"""``flopledger explain``: why two figures of a network differ, and where a figure comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion
from flopledger.cli.options import format_option, load_conventions, output_option, switches_option
from flopledger.cli.output import room, write
from flopledger.cli.progress import progress
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.cli.values import pairs
from flopledger.errors import UsageError
from flopledger.records import dataclass
from flopledger.report import ANSWER_FORMATS, PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flopledger.conventions.convention import Convention
    from flopledger.graph.graph import Graph
    from flopledger.reading.read import Readings
    from flopledger.scanning.kept import Kept

BASE = "mac"
"""The convention from which ``--all`` explains every other."""
PAIR = 2

EXAMPLES = """\b
Examples:
  flopledger explain alexnet.prototxt mac netscope
  flopledger explain alexnet.prototxt mac 2mac --set b.bias=mac --layers
  flopledger explain alexnet.prototxt --all
  flopledger explain alexnet.prototxt 727M 1.4G
  flopledger explain zoo.db --name resnet50 mac 2mac
  flopledger explain model.py:Net ptflops thop -i 1x3x224x224 --format markdown
"""


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """The arguments of ``explain``: the source, the figures, and the format of the result."""

    source: str
    conventions: tuple[str, ...]
    name: str | None
    every: bool
    figures: tuple[str, ...]
    switches: tuple[str, ...]
    what: str
    layers: bool
    full: bool
    form: str
    output: str | None

    def sorted(self) -> ExplainOptions:
        """Return the options with figures in place of the conventions, ``4.1G 3.8G``, as figures."""
        from flopledger import quantities  # noqa: PLC0415  (the help needs none of it)

        if not self.conventions or not all(map(quantities.is_figure, self.conventions)):
            return self
        return replace(self, conventions=(), figures=(*self.figures, *self.conventions))

    def check(self) -> None:
        """Refuse to do several things at once, or none.

        Raises:
            UsageError: Not exactly one of two conventions, ``--all`` and ``--figure`` is asked for.
        """
        asked = [bool(self.conventions), self.every, bool(self.figures)]
        if sum(asked) != 1:
            raise UsageError("give two conventions, or --all, or figures such as 4.1G, and only one of these")
        if self.conventions and len(self.conventions) != PAIR:
            given = " ".join(self.conventions)
            raise UsageError(f"two conventions are explained, from one to the other; found {given}")
        if not self.conventions and (self.layers or self.what != "count"):
            raise UsageError("--layers and --what are for two conventions, not for --all or --figure")
        if self.full and not self.figures:
            raise UsageError(
                "--full is for figures; the causes between two conventions are always shown in full"
            )
        if not self.conventions and self.form == PAGE:
            raise UsageError("a page explains two conventions; --all and --figure are tables")


@click.command("explain", short_help="Explain why two figures differ.", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("source", shell_complete=completion.files)
@click.argument("conventions", metavar="[A B | FIGURE...]", nargs=-1, shell_complete=completion.conventions)
@source_options
@click.option("--name", metavar="NAME", help="A network of a database that scan made with --keep-graphs.")
@click.option("--all", "every", is_flag=True, help="Every convention that applies, explained from mac.")
@click.option(
    "--figure", "figures", metavar="FIGURE", multiple=True,
    help="Find the conventions that print a figure, such as 4.09G or 25.6M; may be repeated.",
)  # fmt: skip
@switches_option("Change a decision of both conventions that have it; a.KEY=VALUE or b.KEY=VALUE of one.")
@click.option(
    "--what", type=click.Choice(["count", "params"]), default="count", show_default=True,
    help="The figure to explain: operations or parameters.",
)  # fmt: skip
@click.option("--layers", is_flag=True, help="Name the layers behind each cause.")
@click.option("--full", is_flag=True, help="Every answer for a figure; else those that assume the least.")
@format_option([*ANSWER_FORMATS, PAGE])
@output_option
def command(**params: Any) -> None:
    """Explain why two conventions give different figures, by causes that sum to the gap.

    SOURCE is a file, package.module:attribute or file.py:attribute. A becomes B one decision at a time. Two
    figures such as 4.1G 3.8G are searched for, and the way from one to the other is explained.
    """
    reading = SourceOptions.taken_from(params)
    options = ExplainOptions(**params).sorted()
    options.check()
    with progress(f"explaining {options.source}"):
        if options.every:
            text = _survey(options, reading)
        elif options.figures:
            text = _search(options, reading)
        else:
            text = _story(options, reading)
    write(text, options.output, gated=options.form == PAGE)


def _story(options: ExplainOptions, reading: SourceOptions) -> str:
    from flopledger.explaining import explanation  # noqa: PLC0415  (the help needs none of it)
    from flopledger.reading import profiles  # noqa: PLC0415  (the help needs none of it)
    from flopledger.report import explanation as story  # noqa: PLC0415

    a, b = sides((options.conventions[0], options.conventions[1]), pairs("--set", options.switches))
    alone = options.what == "params" and a.weights_suffice and b.weights_suffice
    with source_of(options, reading, weights_suffice=alone) as read:
        graph_a, graph_b = profiles.reading_for_each(read.read, (a, b))
    found = explanation.explain(graph_a, a, b, graph_b=graph_b, what=options.what)
    return story.render(found, options.form, layers=options.layers, width=room(options.output)[0])


def source_of(
    options: ExplainOptions, reading: SourceOptions, *, weights_suffice: bool = False
) -> Readings | Kept:
    """Return the reader of the source: of the source itself, or a graph that a scan has kept."""
    if options.name is None:
        return reading.readings(options.source, weights_suffice=weights_suffice)
    from flopledger.scanning.kept import Kept  # noqa: PLC0415

    if reading != SourceOptions():
        raise UsageError("--name takes a graph that was read already: leave the options of reading out")
    return Kept(options.source, options.name)


def sides(names: tuple[str, str], switches: Mapping[str, str]) -> tuple[Convention, Convention]:
    """Load the two conventions, each with its own switches and those that name no side.

    Raises:
        ConventionError: A convention is unknown or malformed, or has no such switch.
    """
    from flopledger.conventions import loader  # noqa: PLC0415

    loaded = [loader.load(name) for name in names]
    chosen: list[dict[str, str]] = [{}, {}]
    for key, value in switches.items():
        side, dot, name = key.partition(".")
        if dot and side in ("a", "b"):
            chosen["ab".index(side)][name] = value
            continue
        having = [i for i, one in enumerate(loaded) if key in one.switches] or [0, 1]
        for i in having:
            chosen[i].setdefault(key, value)
    return loaded[0].set(chosen[0]), loaded[1].set(chosen[1])


def _survey(options: ExplainOptions, reading: SourceOptions) -> str:
    from flopledger.explaining import survey  # noqa: PLC0415
    from flopledger.report import survey as report  # noqa: PLC0415

    graphs = readings(options, reading)
    return report.render(survey.survey(graphs, graphs[0][1][0]), options.form, room(options.output)[0])


def _search(options: ExplainOptions, reading: SourceOptions) -> str:
    from flopledger import quantities  # noqa: PLC0415
    from flopledger.explaining import search  # noqa: PLC0415
    from flopledger.report import found_figure  # noqa: PLC0415

    figures = [quantities.parse_figure(text) for text in options.figures]
    with source_of(options, reading) as source:
        first, fitting = _fitting(options, source)
        found = search.search(source, first, fitting, figures)
    return found_figure.render(found, options.form, room(options.output)[0], full=options.full)


def readings(options: ExplainOptions, reading: SourceOptions) -> list[tuple[Graph, list[Convention]]]:
    """Read the source once for each profile that a convention for its framework needs; ``mac`` is first."""
    from flopledger.reading import profiles  # noqa: PLC0415

    with source_of(options, reading) as source:
        first, fitting = _fitting(options, source)
        return profiles.readings(source.read, fitting, first)


def _fitting(options: ExplainOptions, source: Readings | Kept) -> tuple[Graph, list[Convention]]:
    """Return the source as it stands, and the conventions that apply to it; ``mac`` is first."""
    from flopledger.conventions import names as convention_names  # noqa: PLC0415
    from flopledger.counting import engine  # noqa: PLC0415
    from flopledger.frontend.request import GIVEN  # noqa: PLC0415
    from flopledger.plugins import discovery as plugins  # noqa: PLC0415

    names = [BASE, *(name for name in convention_names.known(plugins.conventions()) if name != BASE)]
    loaded = load_conventions(names, pairs("--set", options.switches))
    first = source.read({"mode": GIVEN})
    trains = first.reading.profile.get("step") == "train"
    alike = [one for one in loaded if one.unit != "B" and _of_step(one, trains=trains)]
    return first, [one for one in alike if engine.applies(first, one)]


def _of_step(convention: Convention, *, trains: bool) -> bool:
    """Return whether a convention counts operations of a training step, or else of a forward pass."""
    step = convention.profile.get("step", "forward")
    if trains:
        return step == "train" or bool(convention.estimates) or step == "given"
    return step != "train" and not convention.estimates
