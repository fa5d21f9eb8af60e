"""The forms of a result in a console and a notebook: one line, a table, or HTML.

A graph has no figures of its own, so it is shown as our own convention counts it.
"""

from __future__ import annotations

import functools
import shutil
import sys
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.comparing.comparison import Comparison
from flopledger.counting.ledger import Ledger
from flopledger.errors import FlopledgerError
from flopledger.explaining.explanation import Explanation
from flopledger.graph.graph import Graph
from flopledger.report import FITTED, comparison, explanation, html, notes, plain, sections
from flopledger.report.numbers import calls_text, grouped, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.report.blocks import Block

OWN = "mac"
"""The convention that a graph is shown under."""


def one_line(result: object) -> str:
    """Return a result in one line, as ``repr`` shows it."""
    return f"<{type(result).__name__} {printable.line(_summary(result))}>"


def as_text(result: object, width: int | None = None) -> str:
    """Return a result as a table; no line of it is wider than ``width``."""
    return plain.write(_blocks(result), width).rstrip("\n")


def in_console(result: object) -> str:
    """Return a result as a table that fits the terminal, where the output is one."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return as_text(result, shutil.get_terminal_size().columns if terminal else None)


def as_html(result: object) -> str:
    """Return a result as HTML for a notebook."""
    return html.render(_blocks(result))


@functools.singledispatch
def _summary(result: object) -> str:
    raise TypeError(f"no result: {type(result).__name__}")


@_summary.register(Ledger)
def _(result: Ledger) -> str:
    total = result.total
    count = notes.bounded(f"{grouped(total.count)} {total.unit}", total)
    figures = [f"{count} ({notes.titled(result.convention)})"]
    if total.params is not None:
        figures.append(f"{grouped(total.params)} params")
    return f"{result.graph.reading.source}: {', '.join(figures)}"


@_summary.register(Graph)
def _(result: Graph) -> str:
    reading = result.reading
    inputs = ", ".join(shape_text(result.shape(given.tensor)) for given in result.inputs) or "no inputs"
    framework = f"{reading.framework} {reading.framework_version}".strip()
    return f"{reading.source}: {framework}, {inputs}, {calls_text(len(result.layers))}"


@_summary.register(Explanation)
def _(result: Explanation) -> str:
    a, b = (notes.titled(side.convention) for side in (result.a, result.b))
    causes = "1 cause" if len(result.causes) == 1 else f"{len(result.causes)} causes"
    gap = f"{explanation.signed(result.gap)} {result.b.unit}"
    return f"{result.source}: {a} to {b}, {gap} in {causes}"


@_summary.register(Comparison)
def _(result: Comparison) -> str:
    names = " against ".join(side.graph.reading.source for side in (result.a, result.b))
    return f"{names}: {comparison.verdict(result)}"


@functools.singledispatch
def _blocks(result: object) -> Iterable[Block]:
    raise TypeError(f"no result: {type(result).__name__}")


@_blocks.register(Ledger)
def _(result: Ledger) -> Iterable[Block]:
    return sections.of_ledgers([result], FITTED)


@_blocks.register(Graph)
def _(result: Graph) -> Iterable[Block]:
    try:
        return sections.of_ledgers([result.count(OWN)], FITTED)
    except FlopledgerError:  # it is shown all the same: counting it gives the error
        return []


@_blocks.register(Explanation)
def _(result: Explanation) -> Iterable[Block]:
    return explanation.blocks(result)


@_blocks.register(Comparison)
def _(result: Comparison) -> Iterable[Block]:
    return comparison.blocks(result)
