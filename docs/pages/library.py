"""The page of the Python library: the public names, their signatures and docstrings."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import flopledger
from flopledger import errors
from flopledger.comparing import comparison
from flopledger.counting import ledger
from flopledger.explaining import explanation

from pages.hooks import methods, record, signature
from pages.markup import code, documentation, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Mapping

LEDGER = (ledger.Ledger, ledger.Total, ledger.Row, ledger.Coverage, ledger.Unknown, ledger.Adjustment)
"""What a count gives, in the order of the page."""
EXPLAINED = (explanation.Explanation, explanation.Side, explanation.Cause)
COMPARED = (comparison.Comparison, comparison.Pair)
"""What an explanation and a comparison give."""


def pages() -> Mapping[str, str]:
    """Return the page."""
    public = {name: getattr(flopledger, name) for name in flopledger.__all__}
    functions = {name: thing for name, thing in public.items() if inspect.isfunction(thing)}
    return {
        "library": page(
            "Python",
            "`import flopledger as fl` gives these names: " + ", ".join(map(code, public)) + ".",
            *(signature(f"## {code(f'fl.{name}')}", function) for name, function in functions.items()),
            "A [graph](graph.md) has a method `count` of its own, so that it is read once and counted often. "
            "`fl.hookimpl` marks a plugin's [hooks](hooks.md).",
            *(record(cls, "##") for cls in LEDGER),
            *methods(ledger.Ledger, "###"),
            *(record(cls, "##") for cls in (*EXPLAINED, *COMPARED)),
            "## Errors",
            prose("Every error that is raised on purpose is a ``FlopledgerError``."),
            table(("error", "when"), _errors()),
        )
    }


def _errors() -> list[tuple[str, str]]:
    found = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, Exception)]
    return [(code(cls.__name__), documentation(cls)) for cls in found]
