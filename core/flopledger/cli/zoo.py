"""``flopledger zoo``: the table of a database of networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion
from flopledger.cli.options import format_option, output_option
from flopledger.cli.output import room, write
from flopledger.cli.progress import progress
from flopledger.errors import OutputError, UsageError
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flopledger.scanning.table import ZooRow

FORMATS = ("table", "json", "csv", "markdown", "latex", "html")

EXAMPLES = """\b
Examples:
  flopledger zoo zoo.db --sort macs
  flopledger zoo zoo.db --where 'macs < 5e9 and name like "resnet%"' --columns name,params,macs,fvcore
  flopledger zoo zoo.db --columns name,params,macs --format latex -o table.tex
  flopledger zoo zoo.db --format html -o zoo.html
  flopledger zoo new.db --against old.db
  flopledger zoo zoo.db --published
"""


@dataclass(frozen=True, slots=True)
class ZooOptions:
    """The arguments of ``zoo``: the database, which rows and columns, and the format."""

    database: str
    condition: str | None
    sort: str | None
    columns: str | None
    against: str | None
    published: bool
    pages: bool
    form: str
    output: str | None


@click.command("zoo", short_help="Show a database of networks.", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("database", metavar="ZOO.DB", shell_complete=completion.files)
@click.option("--where", "condition", metavar="SQL", help="A condition over the columns, in SQL.")
@click.option("--sort", metavar="COLUMN", help="Sort by a column, the largest first. Default: by name.")
@click.option("--columns", metavar="NAME,...", help="The columns, by name; conventions are columns too.")
@click.option(
    "--against", metavar="OLD.DB", shell_complete=completion.files,
    help="Show what changed since an earlier database.",
)  # fmt: skip
@click.option("--published", is_flag=True, help="Show where figures differ from what a registry states.")
@click.option("--pages", is_flag=True, help="With html: write a page for each kept graph, and link to it.")
@format_option(FORMATS, "How the table is written.")
@output_option
def command(**params: Any) -> None:
    """Show the table of a database that scan has made, or the changes between two."""
    options = ZooOptions(**params)
    if options.form == "html" and options.output is None:
        raise UsageError("--format html writes a page: give its file with -o")
    with progress("writing"):
        text = show(options)
    write(text, options.output, gated=options.form == "html")


def show(options: ZooOptions) -> str:
    """Return the table that the options ask for, as text.

    Raises:
        SourceError: A database is missing or malformed.
        UsageError: A column or a condition can't be used.
    """
    from flopledger.report import zoo as report  # noqa: PLC0415  (the help needs none of it)
    from flopledger.scanning import differences, table  # noqa: PLC0415
    from flopledger.scanning.store import Store  # noqa: PLC0415

    width = room(options.output)[0]
    if options.against and options.published:
        raise UsageError("--against and --published are two questions; ask one at a time")
    with Store(options.database, readonly=True) as store:
        rows = table.rows_of(store)
        known = table.columns_of(rows)
        if options.condition is not None:
            rows = table.where(rows, options.condition)
        if options.sort is not None:
            rows = table.ordered(rows, table.check_column(options.sort, known))
        if options.published:
            found = list(table.published(rows))
            return report.render_changes(found, ("published", options.database), options.form, width)
        if options.against is not None:
            with Store(options.against, readonly=True) as earlier:
                changed = list(differences.explained(earlier, store, rows))
            return report.render_changes(changed, (options.against, options.database), options.form, width)
    if options.columns is None:
        columns = report.usual(rows)
    else:
        columns = [table.check_column(name.strip(), known) for name in options.columns.split(",")]
    if options.form == "html":
        return _page(options, rows)
    return report.render(rows, columns, options.database, options.form, width)


def _page(options: ZooOptions, rows: Sequence[ZooRow]) -> str:
    """Return the page of a zoo; write those of the networks whose graphs are kept into a folder beside it."""
    from flopledger.report.view.zoo import of_zoo  # noqa: PLC0415
    from flopledger.report.zoo import provenance_lines  # noqa: PLC0415

    pages = _pages(options, rows) if options.pages else {}
    return of_zoo(rows, Path(options.database).stem, list(provenance_lines(rows)), pages)


def _pages(options: ZooOptions, rows: Sequence[ZooRow]) -> dict[int, str]:
    from flopledger.conventions import loader  # noqa: PLC0415
    from flopledger.counting import engine  # noqa: PLC0415
    from flopledger.report.view import of_network  # noqa: PLC0415
    from flopledger.scanning.store import Store  # noqa: PLC0415

    page = Path(options.output or "")
    folder = page.with_name(f"{page.stem}_networks")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: it can't be made: {error.strerror}") from None
    found = {}
    with Store(options.database, readonly=True) as store:
        for row in rows:
            graph = store.graph(row.number) if row.has_graph else None
            if graph is not None:
                name = f"{row.number}.html"
                drawn = of_network(graph, [engine.count(graph, loader.load("mac"))])
                write(drawn, str(folder / name), gated=True)
                found[row.number] = f"{folder.name}/{name}"
    return found
