"""``flopledger check``: whether networks stay within limits."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion, messages
from flopledger.cli.exits import UNKNOWN, code_of
from flopledger.cli.options import format_option, load_conventions, output_option, switches_option
from flopledger.cli.output import room, warnings, write
from flopledger.cli.progress import numbered, progress
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.cli.values import pairs
from flopledger.errors import FlopledgerError, UsageError
from flopledger.records import dataclass
from flopledger.report import CHECK_FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction
    from typing import Any

    from flopledger.checking.budgets import Budget
    from flopledger.checking.earlier import Earlier
    from flopledger.checking.limits import Unread, Verdict
    from flopledger.conventions.convention import Convention

OVER = 1
"""The exit code where a figure is over its limit."""
FOR_CI = ("github", "junit")
"""The formats that show a source that can't be read where the others are shown."""

EXAMPLES = """\b
Examples:
  flopledger check resnet18.prototxt --max-macs 1.9G --max-params 12M
  flopledger check resnet18.prototxt --max count=1900000000 --max buffers=10K
  flopledger check resnet18.prototxt --max peak=8GiB
  flopledger check resnet18.prototxt lenet.prototxt --max-flops 4G --format json
  flopledger count resnet18.prototxt --format json -o resnet18.json
  flopledger check resnet18.prototxt --against resnet18.json --tolerance 0.5%
  flopledger check --format github
"""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The arguments of ``check``: the sources, their limits, and the format of the result."""

    sources: tuple[str, ...]
    convention: str | None
    switches: tuple[str, ...]
    max_macs: str | None
    max_flops: str | None
    max_params: str | None
    limits: tuple[str, ...]
    against: str | None
    tolerance: str | None
    form: str
    output: str | None
    strict: bool = False

    def all_limits(self) -> dict[str, Fraction]:
        """Return every limit by the figure that it is on.

        Raises:
            UsageError: A limit is malformed, on no figure of a total, or given twice.
        """
        from flopledger import quantities  # noqa: PLC0415  (the help needs none of it)
        from flopledger.checking import limits as budget  # noqa: PLC0415  (the help needs none of it)

        short = {"macs": self.max_macs, "flops": self.max_flops, "params": self.max_params}
        given = pairs("--max", self.limits)
        for key, text in short.items():
            if text is not None and key in given:
                raise UsageError(
                    f"--max-{key} and --max {key} are both given, as {text!r} and {given[key]!r}"
                )
        written = {**{key: text for key, text in short.items() if text is not None}, **given}
        return {
            budget.check_key(key): quantities.parse_limit(text, budget.UNITS.get(key, ""))
            for key, text in written.items()
            if _in_bytes(key) is None
        }

    def conventions_limited(self) -> list[tuple[Convention, Fraction]]:
        """Return the limits on the bytes that other conventions count, such as those of ``peak``."""
        from flopledger import quantities  # noqa: PLC0415  (the help needs none of it)

        given = pairs("--max", self.limits).items()
        found = ((_in_bytes(key), text) for key, text in given)
        return [(one, quantities.parse_bytes(text)) for one, text in found if one is not None]


def _in_bytes(key: str) -> Convention | None:
    """Return the convention of a name that counts bytes; None if there is none."""
    from flopledger.checking.limits import KEYS  # noqa: PLC0415  (the help needs none of it)
    from flopledger.conventions.names import known_as  # noqa: PLC0415
    from flopledger.plugins import discovery  # noqa: PLC0415

    if key in KEYS or known_as(key, discovery.conventions()) is None:
        return None
    (found,) = load_conventions((key,), {})
    return found if found.unit == "B" else None


NO_OPTIONS = CheckOptions((), None, (), None, None, None, (), None, None, "", None)


@click.command("check", short_help="Check networks against limits.", epilog=EXAMPLES)
@click.argument("sources", metavar="[SOURCE...]", nargs=-1, shell_complete=completion.files)
@source_options
@click.option(
    "-c", "--convention", metavar="NAME|FILE", shell_complete=completion.conventions,
    help="The convention to count under, by name or a file such as ./mine.toml. Default: mac.",
)  # fmt: skip
@switches_option()
@click.option("--max-macs", metavar="LIMIT", help="The most multiply-accumulates, such as 4.2G.")
@click.option("--max-flops", metavar="LIMIT", help="The most FLOP, 2 for each multiply-accumulate: 8.4G.")
@click.option("--max-params", metavar="LIMIT", help="The most parameters, such as 26M.")
@click.option(
    "--max", "limits", metavar="KEY=LIMIT", multiple=True,
    help="The most of a figure of the total (count, buffers ...), or of bytes under a convention: peak=8GiB.",
)  # fmt: skip
@click.option(
    "--against",
    metavar="FILE",
    shell_complete=completion.files,
    help="Earlier ledgers (count --format json) or a saved graph to compare with.",
)
@click.option(
    "--tolerance",
    metavar="SHARE",
    help="How much more than --against is allowed: 0.5% or 0.005. Default: none.",
)
@format_option(
    CHECK_FORMATS, "How the result is written; github annotates a pull request, junit is for CI systems."
)
@output_option
@click.option("--strict", is_flag=True, help="Exit with 4 if any call has no formula, whatever is limited.")
def command(**params: Any) -> None:
    """Check networks against limits, or against an earlier count; exit with 1 if one is over a limit.

    Where calls have no formula, operations are a lower bound, and the network may exceed a limit that the
    bound does not: the exit code is then 4.

    SOURCE is a file, package.module:attribute or file.py:attribute. Without one, the budgets in the
    pyproject.toml here or above are checked: tables [[tool.flopledger.budgets]] with source, inputs,
    max-macs ...
    """
    from flopledger.report import check as verdict  # noqa: PLC0415  (the help needs none of it)

    reading = SourceOptions.taken_from(params)
    options = CheckOptions(**params)
    found, unread = check(options, reading) if options.sources else check_budgets(options, reading)
    if len(unread) == 1 and not found and options.form not in FOR_CI:
        raise unread[0].error
    write(verdict.render(found, options.form, room(options.output)[0], unread), options.output)
    for line in warnings([one.ledger for one in found]):
        messages.warn(line)
    for one in unread:
        messages.error(str(one.error))
    code = exit_code(found, unread, strict=options.strict)
    if code == UNKNOWN:
        messages.error("some calls have no formula, so that not every limit is known to be kept")
    if code:
        raise click.exceptions.Exit(code)


def exit_code(found: Sequence[Verdict], unread: Sequence[Unread], *, strict: bool) -> int:
    """Return the exit code of several checks: a result that is not there outweighs one that is known."""
    if unread:
        return max(code_of(one.error) for one in unread)
    if any(one.over for one in found):
        return OVER
    open_limit = not all(one.passed for one in found)
    return UNKNOWN if open_limit or (strict and not all(one.ledger.total.complete for one in found)) else 0


def check_budgets(options: CheckOptions, reading: SourceOptions) -> tuple[list[Verdict], list[Unread]]:
    """Check the budgets of the project that this folder is in, from the folder of the project.

    The options then only say how the result is written.

    Raises:
        UsageError: There are none, or an option for a source is given without one.
    """
    from flopledger.checking.budgets import budgets, project  # noqa: PLC0415  (the help needs none of it)
    from flopledger.checking.limits import Unread  # noqa: PLC0415

    if replace(options, form="", output=None, strict=False) != NO_OPTIONS or reading != SourceOptions():
        raise UsageError("the options are for a source, and none is named: SOURCE is missing")
    found: list[Verdict] = []
    unread: list[Unread] = []
    root = project(Path.cwd())
    for budget in budgets(root):
        try:
            with contextlib.chdir(root):  # whose files the sources are
                checked, failed = check(*_as_options(budget))
        except FlopledgerError as error:
            checked, failed = [], [Unread(budget.source, error)]
        found += checked
        unread += failed
    return found, unread


def _as_options(budget: Budget) -> tuple[CheckOptions, SourceOptions]:
    """Return a budget as the options that it is short for."""
    given = CheckOptions(
        (budget.source,), budget.text("convention"), budget.pairs("set"), budget.text("max-macs"),
        budget.text("max-flops"), budget.text("max-params"), budget.pairs("max"), budget.text("against"),
        budget.text("tolerance"), "table", None,
    )  # fmt: skip
    return given, SourceOptions(
        inputs=budget.inputs,
        arguments=dict(budget.tables.get("arguments", {})),
        frontend=budget.text("frontend"),
        mode=budget.text("mode"),
        phase=budget.text("phase"),
    )


def check(options: CheckOptions, reading: SourceOptions) -> tuple[list[Verdict], list[Unread]]:
    """Count the sources, and compare their figures with the limits.

    Returns:
        What was checked, and the sources that could not be.

    Raises:
        UsageError: There is nothing to hold them against.
    """
    from flopledger import quantities  # noqa: PLC0415
    from flopledger.checking.limits import Unread  # noqa: PLC0415

    limits, others = options.all_limits(), options.conventions_limited()
    if not limits and not others and options.against is None:
        raise UsageError("nothing to check: give --max-macs, --max-flops, --max-params, --max or --against")
    if options.tolerance is not None and options.against is None:
        raise UsageError("--tolerance is for --against")
    (convention,) = load_conventions((options.convention or "mac",), pairs("--set", options.switches))
    tolerance = quantities.parse_tolerance("0" if options.tolerance is None else options.tolerance)
    before = None if options.against is None else _before(options.against, convention)
    held = _Held(convention, limits, others, before, tolerance)
    found: list[Verdict] = []
    unread: list[Unread] = []
    for what, source in numbered(options.sources):
        try:
            found.extend(_checked(what, source, reading, held))
        except FlopledgerError as error:
            unread.append(Unread(source, error))
    return found, unread


@dataclass(frozen=True, slots=True)
class _Held:
    """The limits of each source: those given, those under other conventions, and earlier counts."""

    convention: Convention
    limits: dict[str, Fraction]
    others: Sequence[tuple[Convention, Fraction]]
    before: Sequence[Earlier] | None
    tolerance: Fraction


def _checked(what: str, source: str, reading: SourceOptions, held: _Held) -> Iterator[Verdict]:
    """Yield the verdicts on a source."""
    from flopledger.checking import earlier as earlier_counts  # noqa: PLC0415
    from flopledger.checking import limits as budget  # noqa: PLC0415
    from flopledger.counting import engine  # noqa: PLC0415
    from flopledger.reading import profiles  # noqa: PLC0415

    convention, limits, before = held.convention, held.limits, held.before
    # Of a network without inputs nothing but the parameters is known, and no other figure is within a limit.
    alone = convention.weights_suffice and before is None
    alone &= all(key == "buffers" or key.endswith("params") for key in limits)
    if limits or before is not None:
        with progress(f"reading {what}"):
            graph = reading.read(source, convention.profile, weights_suffice=alone)
            ledger = engine.count(graph, convention)
        earlier = None if before is None else earlier_counts.of_same(before, ledger)
        yield budget.check(ledger, limits, earlier, held.tolerance)
    if held.others:
        with progress(f"reading {what}"), reading.readings(source) as readings:
            graphs = profiles.reading_for_each(readings.read, [one for one, _ in held.others])
        for graph, (one, most) in zip(graphs, held.others, strict=True):
            yield budget.check(engine.count(graph, one), {"count": most})


def _before(path: str, convention: Convention) -> Sequence[Earlier]:
    """Read earlier counts: those of ledgers, or that of a saved graph, which is counted now."""
    from flopledger.checking import earlier as earlier_counts  # noqa: PLC0415  (the help needs none of it)
    from flopledger.counting import engine  # noqa: PLC0415

    found = earlier_counts.load(path)
    if found is not None:
        return found
    graph = SourceOptions().read(path, {})
    return [earlier_counts.of_ledger(engine.count(graph, convention), path)]
