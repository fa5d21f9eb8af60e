"""Reports: a ledger as a table, JSON, CSV, markdown, LaTeX, a profile, or as the convention's tool prints it.

A report renders the contents of a ledger; it calculates only shares of a total and subtotals of the rows that
it shows. Each format is one module with a function ``render`` and one row of :data:`FORMATS`, and is imported
when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.errors import UsageError, choices
from flopledger.lazy import attribute
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.counting.ledger import Ledger

__all__ = [
    "ANSWER_FORMATS",
    "CHECK_FORMATS",
    "COLUMNS",
    "EVERYTHING",
    "FITTED",
    "FORMATS",
    "GROUPS",
    "PAGE",
    "SORT_KEYS",
    "TRAFFIC",
    "View",
    "render",
]

FORMATS: Mapping[str, str] = {
    "table": "flopledger.report.table",
    "json": "flopledger.report.jsonfile",
    "csv": "flopledger.report.csvfile",
    "markdown": "flopledger.report.markdown",
    "latex": "flopledger.report.latex",
    "speedscope": "flopledger.report.speedscope",
    "tool": "flopledger.report.tool",
}
"""The formats, and the module that renders each."""


ANSWER_FORMATS = ("table", "json", "markdown")
"""The formats of everything else: explanations, comparisons and checks."""
CHECK_FORMATS = (*ANSWER_FORMATS, "github", "junit")
"""The formats of checks: GitHub's annotations and JUnit's XML too."""
PAGE = "html"
"""The format of explanations and comparisons that is a page, as ``flopledger view`` makes of a network."""


COLUMNS = (
    "kind", "class", "input", "output", "kernel", "params", "params-share", "trainable", "count", "macs",
    "forward", "grad_input", "grad_weight", "recompute", "reads", "writes", "share", "bar",
    "intensity", "bound", "time",
)  # fmt: skip
"""The columns of a table, which :mod:`flopledger.report.columns` makes."""
TRAFFIC = ("reads", "writes")
"""The columns, and fields of JSON and CSV, of the bytes moved: they are followed only where asked for."""
SORT_KEYS = ("count", "macs", "params", "path", "kind", "source")
"""The keys by which rows can be sorted."""
GROUPS = ("kind", "source", "module")
"""The keys by which rows can be summed."""


@dataclass(frozen=True, slots=True)
class View:
    """How much of a ledger is shown, and where.

    Attributes:
        depth: How many levels of the tree are shown; deeper ones are in their parents' subtotals.
        top: How many rows are shown, the largest first.
        sort: The sort order of the rows, one of :data:`SORT_KEYS`.
        width: The columns that there is room for; None for no limit.
        color: Whether the text may carry a terminal's styles.
        full: Whether every row is shown, however many there are; ``depth``, ``top`` and ``sort`` too decide
            that themselves, and else a table has about as many lines as a screen.
        by: What rows are summed by, one of :data:`GROUPS`.
        columns: The columns of a table, of :data:`COLUMNS`; () for the usual ones.
        units: ``raw`` for figures of rows in full, ``auto`` for four digits and a prefix.
    """

    depth: int | None = None
    top: int | None = None
    sort: str | None = None
    width: int | None = None
    color: bool = False
    full: bool = False
    by: str | None = None
    columns: tuple[str, ...] = ()
    units: str = "raw"


FITTED = View()
"""About as many lines as a screen shows."""
EVERYTHING = View(full=True)


def render(ledgers: Sequence[Ledger], form: str = "table", view: View = FITTED) -> str:
    """Render ledgers in a format, as a text that ends with a line break.

    Raises:
        UsageError: There is no such format.
        ConventionError: ``tool``: a convention does not say how its tool prints.
    """
    if form not in FORMATS:
        raise UsageError(f"no format is called {form!r}{choices(form, FORMATS)}")
    renderer: Callable[[Sequence[Ledger], View], str] = attribute(f"{FORMATS[form]}:render")
    return renderer(ledgers, view)
