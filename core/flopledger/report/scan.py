"""The summary of a scan as people and machines read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import answers
from flopledger.report.blocks import Grid, Heading, Line, Small

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from flopledger.report.blocks import Block
    from flopledger.scanning.scan import Progress

SCHEMA = "flopledger.scan/1"
MOST = 20
"""How many failures are listed; the database has all."""
LONGEST = 160
"""How much of a reason is shown; the database has the whole."""


def render(
    found: Progress, statuses: Counter[str], path: str, form: str = "table", width: int | None = None
) -> str:
    """Render the summary of a scan in a format, as a text that ends with a line break.

    Args:
        found: What the scan did.
        statuses: The status of every network that it was about, now.
        path: The database.
        form: One of :data:`flopledger.report.ANSWER_FORMATS`.
        width: The columns that a table has room for; None for no limit.
    """
    return answers.render(form, blocks(found, statuses, path), lambda: document(found, statuses, path), width)


def blocks(found: Progress, statuses: Counter[str], path: str) -> Iterator[Block]:
    """Yield the summary as people read it."""
    kept = f", {found.kept:,} were there" if found.kept else ""
    yield Heading(f"{path}: {found.done.total():,} of {found.total:,} networks counted{kept}")
    rows: list[tuple[str, ...]] = [(status, f"{number:,}") for status, number in statuses.items() if number]
    yield Grid(("status", "networks"), rows, frozenset({1}))
    if found.failures:
        rows = [(name, status, _short(reason)) for name, status, reason in found.failures[:MOST]]
        more = f"and {len(found.failures) - MOST:,} more" if len(found.failures) > MOST else ""
        yield Grid(("network", "status", "reason"), rows, title="Not counted in full:", more=more)
    yield Small((f"flopledger zoo {path} shows the table.",)) if found.total else Line("nothing to count")


def _short(reason: str) -> str:
    line = reason.partition("\n")[0]
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def document(found: Progress, statuses: Counter[str], path: str) -> dict[str, object]:
    """Return the JSON document that ``scan.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "database": path,
        "networks": found.total,
        "counted": found.done.total(),
        "kept": found.kept,
        "statuses": dict(statuses),
        "failures": [
            {"name": name, "status": status, "reason": reason} for name, status, reason in found.failures
        ],
    }
