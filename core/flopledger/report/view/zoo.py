"""A zoo as one page: a table to sort and search, a scatter, and a link to the page of each kept graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report.view.page import page
from flopledger.scanning.options import label
from flopledger.scanning.table import differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.scanning.table import ZooRow

SCRIPTS = ("figures.js", "dom.js", "save.js", "zoo.js")


def of_zoo(
    rows: Sequence[ZooRow], title: str, provenance: Sequence[str], pages: Mapping[int, str] | None = None
) -> str:
    """Draw the networks of a zoo.

    Args:
        rows: The networks.
        title: The page's title.
        provenance: What read them, for the small print.
        pages: The address of each network's own page, by the number of its row.
    """
    titles = list(dict.fromkeys(name for row in rows for name in row.figures)) or ["macs"]
    units = {name: unit for row in rows for name, unit in row.units.items()}
    differ = differing(rows)
    content = {
        "conventions": [f"{name} ({units[name]})" if name in units else name for name in titles],
        "units": [units.get(name, "MAC") for name in titles],
        "provenance": " · ".join(provenance),
        "rows": [
            [
                label(row.name, {name: row.options.get(name) for name in differ}),
                row.cells["status"],
                row.cells["input_size"],
                row.cells["params"],
                [row.value(name) for name in titles],
                (pages or {}).get(row.number),
            ]
            for row in rows
        ],
    }
    return page(title, content, scripts=SCRIPTS, body="zoo.html")
