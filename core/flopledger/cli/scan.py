"""``flopledger scan``: count many networks into a database."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion, messages
from flopledger.cli.exits import UNKNOWN
from flopledger.cli.live import live_line
from flopledger.cli.options import device_option, format_option, switches_option
from flopledger.cli.output import room, write
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.cli.values import pairs
from flopledger.errors import UsageError
from flopledger.records import dataclass
from flopledger.report import ANSWER_FORMATS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

    from flopledger.scanning.outcome import Chosen
    from flopledger.scanning.scan import Counts, Progress, Settings

FAILED = 1
"""The exit code of --strict where a network was not read."""
TIMEOUT_S = 600.0
"""Seconds that each network may take unless --timeout says how many: no scan hangs for ever."""

EXAMPLES = """\b
Examples:
  flopledger scan nets/ -o zoo.db
  flopledger scan 'nets/**/*.prototxt' -c mac -c caffe-script -o zoo.db --jobs 4
  flopledger scan timm:resnet* keras.applications -c mac -c fvcore -o zoo.db --keep-graphs
  flopledger scan list.toml -o zoo.db --retry failed
  flopledger zoo zoo.db --sort macs
"""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """The arguments of ``scan``: the networks, the conventions, the database, and where they are counted."""

    what: tuple[str, ...]
    conventions: tuple[str, ...]
    switches: tuple[str, ...]
    output: str
    jobs: int | None
    dask: str | None
    retry: tuple[str, ...]
    keep_graphs: bool
    strict: bool
    form: str
    device: str | None = None

    def chosen(self) -> tuple[Chosen, ...]:
        """Return the conventions; each switch is set on those that have it.

        Raises:
            ConventionError: A convention is unknown or malformed, or no convention has a switch.
        """
        from flopledger.cli.options import load_conventions  # noqa: PLC0415  (the help needs none of it)
        from flopledger.scanning.outcome import Chosen  # noqa: PLC0415

        names = self.conventions or ("mac",)
        loaded = load_conventions(names, pairs("--set", self.switches))
        return tuple(
            Chosen(name, tuple(sorted(one.changed.items()))) for name, one in zip(names, loaded, strict=True)
        )

    def settings(self, reading: SourceOptions) -> Settings:
        """Return the conventions and the options for each network.

        Raises:
            UsageError: An option has a value that it can't have, or is for one network alone.
        """
        from flopledger.scanning.options import checked  # noqa: PLC0415
        from flopledger.scanning.scan import RETRIED, Settings  # noqa: PLC0415

        if reading.inputs_from:
            raise UsageError("--inputs is for one network; give -i, or inputs for each in a list")
        given = {"device": self.device, **reading.plain()}
        return Settings(
            conventions=self.chosen(),
            inputs=reading.inputs,
            options=checked({name: value for name, value in given.items() if value is not None}),
            arguments=reading.arguments,
            frontend=reading.frontend or "",
            keep_graphs=self.keep_graphs,
            retry=frozenset(status for word in self.retry for status in RETRIED[word]),
        )

    def where(self, reading: SourceOptions) -> AbstractContextManager[Counts]:
        """Return where the networks are counted."""
        timeout = reading.timeout or TIMEOUT_S
        if self.dask is not None:
            from flopledger.scanning.cluster import Cluster  # noqa: PLC0415  (it imports Dask)

            return Cluster(self.dask, self.jobs, timeout, reading.memory_limit)
        from flopledger.scanning.workers import Workers  # noqa: PLC0415

        return Workers(self.jobs or os.cpu_count() or 1, timeout, reading.memory_limit)


@click.command("scan", short_help="Count many networks.", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("what", metavar="WHAT...", nargs=-1, required=True, shell_complete=completion.scanned)
@source_options
@click.option(
    "-c", "--convention", "conventions", metavar="NAME|FILE", multiple=True,
    shell_complete=completion.conventions,
    help="A convention, by name or a file such as ./mine.toml; may be repeated. Default: mac.",
)  # fmt: skip
@switches_option()
@device_option
@click.option(
    "-o", "output", metavar="FILE", required=True, shell_complete=completion.files,
    help="The database; a scan that is in it is continued.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), help="Networks at a time. Default: one for each core.")
@click.option("--dask", metavar="ADDRESS", help="Count on a Dask cluster: the scheduler's address, or local.")
@click.option(
    "--retry", type=click.Choice(["failed", "unknown"]), multiple=True,
    help="Count networks again that failed, or that have calls without a formula.",
)  # fmt: skip
@click.option("--keep-graphs", is_flag=True, help="Keep each network's graph, for explain and view.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if a network was not read, else with 4 if a call is unknown."
)
@format_option(ANSWER_FORMATS, "How the summary is written.")
def command(**params: Any) -> None:
    """Count many networks, each in a process of its own, into a SQLite database.

    WHAT is a registry (timm, torchvision.models, keras.applications ..., with a pattern as in
    timm:resnet*), a folder, a glob of files, a list (.toml with [[network]] tables, .jsonl), or a single
    source. Running it again counts only the missing networks.
    """
    from flopledger.report import scan as summary  # noqa: PLC0415  (the help needs none of it)
    from flopledger.scanning.scan import scan, works_of  # noqa: PLC0415
    from flopledger.scanning.store import Store  # noqa: PLC0415

    reading = SourceOptions.taken_from(params)
    options = ScanOptions(**params)
    settings = options.settings(reading)
    with options.where(reading) as where, live_line() as show:
        works = works_of(options.what, where, settings)
        with Store(options.output) as store:
            found = scan(works, store, where, settings, lambda progress: show(_line(progress)))
            statuses = store.tally(found.keys)
    write(summary.render(found, statuses, options.output, options.form, room(None)[0]))
    if options.strict and statuses.total() > statuses["ok"]:
        failed = statuses.total() - statuses["ok"] - statuses["unknown"]
        what = f"{failed} of {statuses.total()} networks not read" if failed else "some calls have no formula"
        messages.error(f"--strict: {what}")
        raise click.exceptions.Exit(FAILED if failed else UNKNOWN)


def _line(progress: Progress) -> str:
    """Return how far a scan is, in one line: done of all, rate, failures, time left."""
    done = progress.done.total()
    spent = max(time.monotonic() - progress.started, 1e-9)
    rate = done / spent
    failed = done - progress.done["ok"] - progress.done["unknown"]
    parts = [f"{progress.total - progress.left} of {progress.total}"]
    if done:
        parts.append(f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each")
        parts.append(f"{_time(progress.left / rate)} left")
    if failed:
        parts.append(f"{failed} failed")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
