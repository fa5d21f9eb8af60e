"""The table of a zoo as people and machines read it: networks in rows, figures in columns."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.errors import UsageError, choices
from flopledger.report import jsonfile, latex, markdown, plain
from flopledger.report.blocks import Grid, Heading, Small
from flopledger.report.csvfile import safe_cell
from flopledger.report.notes import version
from flopledger.report.numbers import BEYOND
from flopledger.scanning.table import OWN, WHOLE, columns_of, differing, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from flopledger.report.blocks import Block
    from flopledger.scanning.table import Change, ZooRow

SCHEMA, CHANGES = "flopledger.zoo/1", "flopledger.zoo-changes/1"
USUAL = ("name", "status", "input_size", "params", "macs")
"""The columns that every table has unless others are chosen."""
NUMBERS = (*WHOLE, "seconds", "seconds_at_least")


def usual(rows: Sequence[ZooRow]) -> list[str]:
    """Return the columns that are shown unless others are chosen: the options in which rows differ too."""
    given = options_of(rows)
    bound = [name for name in ("seconds_at_least",) if any(row.value(name) is not None for row in rows)]
    alike = all(row.value("macs") == row.figures["mac"] for row in rows if "mac" in row.figures)
    shown = {*OWN, *given, *(["mac"] if alike else [])}  # those of a training step have the backward too
    figures = [name for name in columns_of(rows) if name not in shown]
    name, *rest = USUAL
    return [name, *differing(rows), *rest, *bound, *figures]


def render(
    rows: Sequence[ZooRow],
    columns: Sequence[str],
    path: str,
    form: str = "table",
    width: int | None = None,
) -> str:
    """Render networks in a format, as a text that ends with a line break.

    Args:
        rows: The networks, in order.
        columns: The columns of the formats for people; JSON has all.
        path: The database.
        form: ``table``, ``json``, ``csv``, ``markdown`` or ``latex``.
        width: The columns that a table has room for; None for no limit.

    Raises:
        UsageError: There is no such format.
    """
    if form == "json":
        return jsonfile.written(document(rows)) + "\n"
    if form == "csv":
        return _csv(rows, columns)
    if form == "latex":
        return _latex(rows, columns)
    return _written(blocks(rows, columns, path), form, width)


def _written(blocks: Iterator[Block], form: str, width: int | None) -> str:
    if form == "table":
        return plain.write(blocks, width)
    if form == "markdown":
        return markdown.write(blocks)
    known = ("table", "json", "csv", "markdown", "latex")
    raise UsageError(f"no format is called {form!r}{choices(form, known)}")


def blocks(rows: Sequence[ZooRow], columns: Sequence[str], path: str) -> Iterator[Block]:
    """Yield the table as people read it."""
    networks = "1 network" if len(rows) == 1 else f"{len(rows):,} networks"
    yield Heading(f"{path}: {networks}")
    right = frozenset(
        i for i, column in enumerate(columns) if column in NUMBERS or _is_convention(column, rows)
    )
    heads = [_head(column, rows) for column in columns]
    yield Grid(heads, [[cell(row.value(column)) for column in columns] for row in rows], right)
    yield Small(tuple(provenance_lines(rows)))


def _is_convention(column: str, rows: Sequence[ZooRow]) -> bool:
    return any(column in row.figures for row in rows)


def _head(column: str, rows: Sequence[ZooRow]) -> str:
    units = {row.units[column] for row in rows if column in row.units}
    return f"{column} ({' or '.join(sorted(units))})" if units else column


def cell(value: Any) -> str:
    """Write a value for people: a whole number in groups of digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def provenance_lines(rows: Sequence[ZooRow]) -> Iterator[str]:
    """Yield a line for each framework and registry with its release, and the options that all rows share."""
    seen = dict.fromkeys(
        (
            row.cells["framework"],
            row.cells["framework_version"],
            row.cells["registry"],
            row.cells["registry_version"],
        )
        for row in rows
        if row.cells["framework"]
    )
    for framework, release, registry, registry_release in seen:
        where = f", {registry} {registry_release}".rstrip() if registry else ""
        yield f"{framework} {release}".rstrip() + where
    alike = [name for name in options_of(rows) if name not in differing(rows)]
    if alike:
        yield "each read with " + ", ".join(f"{name}={rows[0].value(name)}" for name in alike)
    yield f"flopledger {version()}"


def _latex(rows: Sequence[ZooRow], columns: Sequence[str]) -> str:
    sides = ["r" if column in NUMBERS or _is_convention(column, rows) else "l" for column in columns]
    body = [[cell(row.value(column)) for column in columns] for row in rows]
    caption = [f"{line}." for line in provenance_lines(rows)]
    return "\n".join(latex.table(sides, [_head(column, rows) for column in columns], body, caption)) + "\n"


def _csv(rows: Sequence[ZooRow], columns: Sequence[str]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(map(safe_cell, columns))  # a convention may have any name
    writer.writerows([safe_cell(row.value(column)) for column in columns] for row in rows)
    return written.getvalue()


def document(rows: Sequence[ZooRow]) -> dict[str, object]:
    """Return the JSON document that ``zoo.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "flopledger": version(),
        "rows": [
            {
                **row.cells,
                "options": dict(row.options),
                "figures": dict(row.figures),
                "units": dict(row.units),
                "published": dict(row.published),
            }
            for row in rows
        ],
    }


def render_changes(
    changes: Sequence[Change], titles: tuple[str, str], form: str = "table", width: int | None = None
) -> str:
    """Render the differences between two zoos, or from published figures.

    Args:
        changes: The differences.
        titles: What the two sides are, as ``("old.db", "new.db")``.
        form: ``table``, ``json`` or ``markdown``.
        width: The columns that a table has room for; None for no limit.

    Raises:
        UsageError: There is no such format.
    """
    if form == "json":
        rows = [
            {
                "name": one.name,
                "what": one.what,
                "before": one.before,
                "after": one.after,
                "causes": list(one.causes),
            }
            for one in changes
        ]
        return jsonfile.written({"schema": CHANGES, "a": titles[0], "b": titles[1], "rows": rows}) + "\n"
    return _written(_change_blocks(changes, titles), form, width)


def _change_blocks(changes: Sequence[Change], titles: tuple[str, str]) -> Iterator[Block]:
    a, b = titles
    differ = "1 figure differs" if len(changes) == 1 else f"{len(changes):,} figures differ"
    yield Heading(f"{a} and {b}: {differ}")
    rows = [
        (one.name, one.what, cell(one.before), cell(one.after), _difference(one), tuple(one.causes))
        for one in changes
    ]
    if rows:
        yield Grid(("network", "figure", a, b, "difference", "why"), rows, frozenset({2, 3, 4}))


def _difference(change: Change) -> str:
    before, after = change.before, change.after
    if not (isinstance(before, int) and isinstance(after, int)):
        return ""
    share = Fraction(after - before, before) if before else None
    percentage = "" if share is None or abs(share) >= BEYOND else f" ({float(100 * share):+.2f}%)"
    return f"{after - before:+,}{percentage}"
