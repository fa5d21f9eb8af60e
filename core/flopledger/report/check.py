"""Checks as people and machines read them: each figure with its limit, and the layers that grew."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting.ledger import OPERATIONS, figure
from flopledger.report import answers, ci, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Small
from flopledger.report.explanation import signed
from flopledger.report.numbers import grouped, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.checking.limits import Finding, Growth, Unread, Verdict
    from flopledger.counting.ledger import Ledger
    from flopledger.report.blocks import Block

SCHEMA = "flopledger.check/1"
SEVERAL = "flopledger.checks/1"
HEADERS = ("", "figure", "found", "limit", "before", "change")
RIGHT = frozenset({2, 3, 4, 5})
GROWN = ("layer", "figure", "before", "now", "change")
GROWN_RIGHT = frozenset({2, 3, 4})
MOST = 20
"""How many layers that grew are shown."""


def render(
    verdicts: Sequence[Verdict], form: str = "table", width: int | None = None, unread: Sequence[Unread] = ()
) -> str:
    """Render verdicts in a format, as a text that ends with a line break.

    The formats for machines also name the sources that could not be checked; for people they are messages.
    """
    if form in ("github", "junit"):
        return ci.github(verdicts, unread) if form == "github" else ci.junit(verdicts, unread)
    every = (block for verdict in verdicts for block in blocks(verdict))
    return answers.render(form, every, lambda: documents(verdicts, unread), width)


def blocks(verdict: Verdict) -> Iterator[Block]:
    """Yield a verdict as people read it."""
    yield Heading(heading(verdict))
    earlier = any(finding.before is not None for finding in verdict.findings)
    shown = len(HEADERS) if earlier else HEADERS.index("before")
    rows = [_row(finding, verdict.ledger)[:shown] for finding in verdict.findings]
    yield Grid(HEADERS[:shown], rows, RIGHT)
    if verdict.grown:
        rows = [_grown(one) for one in verdict.grown[:MOST]]
        more = f"and {len(verdict.grown) - MOST} more" if len(verdict.grown) > MOST else ""
        yield Grid(GROWN, rows, GROWN_RIGHT, title="Layers that grew:", more=more)
    yield Small((notes.provenance(verdict.ledger),))


def heading(verdict: Verdict) -> str:
    """Return the sentence that states whether the check passes."""
    source = verdict.ledger.graph.reading.source
    if verdict.passed or verdict.over:
        return f"{source}: {'over' if verdict.over else 'within'} its limits"
    return f"{source}: not known to be within its limits, {notes.without_formula(verdict.ledger.total)}"


def _row(finding: Finding, ledger: Ledger) -> tuple[str, ...]:
    exact, total = grouped(finding.found), ledger.total
    of_bytes = finding.key == "count" and total.unit == "B"
    name = f"{ledger.convention.name} (B)" if of_bytes else finding.key
    found = notes.bounded(exact, total) if finding.key in OPERATIONS else exact
    before = "" if finding.before is None else grouped(finding.before)
    change = "" if finding.before is None else _change(finding.before, finding.found)
    state = "over" if finding.over else "ok" if finding.passed else "unknown"
    return (state, name, found, _limit(finding.limit), before, change)


def _limit(limit: int | Fraction) -> str:
    """Write a limit; if it is not a whole number, the largest figure that it allows."""
    return grouped(int(limit))


def _change(before: int | Fraction, after: int | Fraction) -> str:
    difference = after - before
    share = f" ({percent(Fraction(difference) / before)})" if before and difference else ""
    return f"{signed(difference)}{share}"


def _grown(growth: Growth) -> tuple[str, ...]:
    before = "new" if growth.before is None else grouped(growth.before)
    change = _change(growth.before or 0, growth.after)
    return (growth.path or "(network)", growth.key, before, grouped(growth.after), change)


def documents(verdicts: Sequence[Verdict], unread: Sequence[Unread] = ()) -> dict[str, object]:
    """Return the JSON document of one or several checks."""
    return {
        "schema": SEVERAL,
        "passed": all(verdict.passed for verdict in verdicts) and not unread,
        "checks": [document(verdict) for verdict in verdicts],
        "errors": [{"source": one.source, "error": str(one.error)} for one in unread],
    }


def document(verdict: Verdict) -> dict[str, object]:
    """Return one check of the JSON document that ``check.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "passed": verdict.passed,
        "complete": verdict.ledger.total.complete,
        "unknown_calls": verdict.ledger.total.unknown_calls,
        "graph": jsonfile.graph_document(verdict.ledger.graph),
        "convention": jsonfile.convention_document(verdict.ledger.convention),
        "findings": [
            {
                "figure": finding.key,
                "passed": finding.passed,
                "complete": not finding.open,
                "found": figure(finding.found),
                "limit": figure(finding.limit),
                "before": None if finding.before is None else figure(finding.before),
            }
            for finding in verdict.findings
        ],
        "grown": [
            {
                "path": growth.path,
                "figure": growth.key,
                "before": None if growth.before is None else figure(growth.before),
                "after": figure(growth.after),
            }
            for growth in verdict.grown
        ],
    }
