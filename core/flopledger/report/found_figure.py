"""Which conventions print a figure that was found somewhere, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure as written_figure
from flopledger.dims.bounds import number
from flopledger.report import answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Small
from flopledger.report.numbers import grouped, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.counting.ledger import GraphInfo
    from flopledger.explaining.find_figure import Match
    from flopledger.quantities import Figure
    from flopledger.report.blocks import Block

SCHEMA = "flopledger.figures/1"
HEADERS = ("convention", "figure", "unit", "off by", "")
RIGHT = frozenset({1, 3, 4})
MOST, NEAREST = 12, 3
"""How many conventions are shown that print a figure, and how many that come near where none does."""


def render(
    found: Sequence[tuple[Figure, Sequence[Match]]],
    graph: GraphInfo,
    form: str = "table",
    width: int | None = None,
) -> str:
    """Render the conventions found for each figure, as a text that ends with a line break."""
    return answers.render(form, blocks(found, graph), lambda: document(found, graph), width)


def blocks(found: Sequence[tuple[Figure, Sequence[Match]]], graph: GraphInfo) -> Iterator[Block]:
    """Yield the conventions found, as blocks for people."""
    for figure, matches in found:
        yield Heading(f"{graph.reading.source}: {verdict(figure, matches)}")
        yield Grid(HEADERS, _rows(figure, matches), RIGHT)
    yield Small((_provenance(graph),))


def verdict(figure: Figure, matches: Sequence[Match]) -> str:
    """Return the sentence that states whether any convention prints a figure."""
    if not matches:
        return f"no convention gives a figure to compare with {figure.text}"
    if not matches[0].fits:
        return f"no convention prints {figure.text}, with up to two decisions changed; the nearest:"
    return f"{figure.text} is the figure of these conventions:"


def shown(matches: Sequence[Match]) -> Sequence[Match]:
    """Return those that fit, or the nearest ones where none does."""
    fitting = [match for match in matches if match.fits]
    return fitting[:MOST] if fitting else matches[:NEAREST]


def _rows(figure: Figure, matches: Sequence[Match]) -> list[tuple[str, ...]]:
    return [
        (
            " ".join([match.by.convention, *(f"{name}={value}" for name, value in match.by.switches)]),
            grouped(match.by.count),
            match.by.unit,
            grouped(number(match.distance)),
            percent(match.distance / figure.middle) if figure.middle else "",
        )
        for match in shown(matches)
    ]


def _provenance(graph: GraphInfo) -> str:
    return "; ".join([*notes.origin(graph), *notes.signed(graph)])


def document(found: Sequence[tuple[Figure, Sequence[Match]]], graph: GraphInfo) -> dict[str, object]:
    """Return the JSON document that ``figures.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "graph": jsonfile.graph_document(graph),
        "figures": [_figure(figure, matches) for figure, matches in found],
    }


def _figure(figure: Figure, matches: Sequence[Match]) -> dict[str, object]:
    return {
        "text": figure.text,
        "low": written_figure(figure.low),
        "high": written_figure(figure.high),
        "fits": bool(matches) and matches[0].fits,
        "matches": [
            {
                "convention": match.by.convention,
                "set": dict(match.by.switches),
                "what": match.by.what,
                "unit": match.by.unit,
                "figure": written_figure(match.by.count),
                "off_by": written_figure(match.distance),
                "fits": match.fits,
            }
            for match in shown(matches)
        ],
    }
