"""Names that are imported when they are first used, and the only place where an import points up.

A package offers its public names through :func:`offer`, so that importing it costs nothing: the command
line answers ``--help`` without a single kind, convention or report, and a light plugin does not pull in
the graph. Formats, families of kinds and commands, which are found by name, go through :func:`attribute`.

Folders import only from those below them. A graph counts itself and a ledger prints itself all the same,
since users expect ``graph.count()`` and ``print(ledger)``; the functions that such a method calls are in
higher folders, and are listed in :data:`UPWARD`. No other module may import upwards:
``tests/packaging/test_layers.py``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.api import count_graph
    from flopledger.counting.ledger import Ledger
    from flopledger.plugins.discovery import kinds
    from flopledger.report import render as render_ledgers
    from flopledger.report.comparison import document as comparison_document
    from flopledger.report.comparison import render as render_comparison
    from flopledger.report.explanation import document as explanation_document
    from flopledger.report.explanation import render as render_explanation
    from flopledger.report.jsonfile import document as ledger_document
    from flopledger.report.jsonfile import render_one as ledger_json
    from flopledger.report.jsonfile import row_document
    from flopledger.report.shown import as_html, as_text, in_console, one_line

__all__ = [
    "Ledger",
    "Shown",
    "as_html",
    "as_text",
    "attribute",
    "comparison_document",
    "count_graph",
    "explanation_document",
    "in_console",
    "kinds",
    "ledger_document",
    "ledger_json",
    "offer",
    "one_line",
    "render_comparison",
    "render_explanation",
    "render_ledgers",
    "row_document",
]


def attribute(home: str) -> Any:
    """Import the object called ``package.module:name``; without a name, the module itself.

    Raises:
        ImportError: There is no such module.
        AttributeError: It has no such name.
    """
    module, _, name = home.partition(":")
    found = importlib.import_module(module)  # which waits where another thread has it half imported
    return getattr(found, name) if name else found


def offer(module: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and the ``__dir__`` of a module that offers names defined elsewhere.

    Nothing is kept in the module: a name always has the current value in its home module, which matters to
    code that replaces a function there (tests, debuggers, tracers).

    Args:
        module: The module that offers them, its ``__name__``.
        homes: Each name and the module that it is imported from; ``module:other`` where it is called
            ``other`` there.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home = homes[name]
        return attribute(home if ":" in home else f"{home}:{name}")

    def names() -> list[str]:
        return sorted(homes)

    return get, names


UPWARD = {
    "Ledger": "flopledger.counting.ledger",
    "as_html": "flopledger.report.shown",
    "as_text": "flopledger.report.shown",
    "comparison_document": "flopledger.report.comparison:document",
    "count_graph": "flopledger.api",
    "explanation_document": "flopledger.report.explanation:document",
    "in_console": "flopledger.report.shown",
    "kinds": "flopledger.plugins.discovery",
    "ledger_document": "flopledger.report.jsonfile:document",
    "ledger_json": "flopledger.report.jsonfile:render_one",
    "one_line": "flopledger.report.shown",
    "render_comparison": "flopledger.report.comparison:render",
    "render_explanation": "flopledger.report.explanation:render",
    "render_ledgers": "flopledger.report:render",
    "row_document": "flopledger.report.jsonfile",
}
"""The functions of higher layers that methods of lower ones call, and their modules."""

__getattr__, __dir__ = offer(__name__, UPWARD)


class Shown:
    """A result that shows itself: in one line within others, as a table in a console, as HTML in a notebook.

    A result holds a network's whole tables, which the representation of a dataclass would write in full.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(__getattr__("one_line")(self))

    def __str__(self) -> str:
        return str(__getattr__("as_text")(self)) or repr(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001  (IPython calls it so)
        """Show the table where the result is all there is to show, as IPython's consoles do."""
        alone = not cycle and getattr(printer, "indentation", 0) == 0
        printer.text((alone and str(__getattr__("in_console")(self))) or repr(self))

    def _repr_html_(self) -> str:
        """Show the result in a notebook."""
        return str(__getattr__("as_html")(self))
