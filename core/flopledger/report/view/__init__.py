"""Pictures: one HTML file that opens offline, of a network, of an explanation, or of a comparison.

The page draws what it is given and trusts no name in it; see :mod:`flopledger.report.view.page`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import is_symbolic, symbol_names, text
from flopledger.report import comparison, explanation, notes
from flopledger.report.view.network import network, places
from flopledger.report.view.page import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flopledger.comparing.comparison import Comparison
    from flopledger.counting.ledger import Ledger
    from flopledger.dims.types import Number, Shape
    from flopledger.explaining.explanation import Explanation, Side
    from flopledger.graph.graph import Graph

__all__ = ["of_comparison", "of_explanation", "of_network"]

MOST_LAYERS = 200
"""How many layers of a cause a page lists."""
_NOWHERE: Mapping[str, int] = MappingProxyType({})


def of_network(graph: Graph, ledgers: Sequence[Ledger], explanations: Sequence[Explanation] = ()) -> str:
    """Draw a network under one convention or several.

    Args:
        graph: The network; its data flow is drawn.
        ledgers: Its counts, of which the page shows one at a time.
        explanations: Why the other conventions' figures differ from the first one's.
    """
    drawn = network(graph, ledgers)
    content = {
        "network": drawn,
        "explanations": _documents(explanations, places(drawn)),
        "symbols": _symbols(map(_figures, explanations)),
        "sizes": _sizes(tensor.shape for tensor in graph.tensors),
    }
    return page(graph.reading.source, content, flow=True)


def of_explanation(found: Explanation) -> str:
    """Draw why two figures differ."""
    content = {
        "explanations": _documents([found]),
        "symbols": _symbols([_figures(found)]),
        "unknown": explanation.unknowns(found),
    }
    return page(explanation.heading(found), content)


def of_comparison(found: Comparison) -> str:
    """Draw two networks side by side."""
    names = [side.graph.reading.source for side in (found.a, found.b)]
    content = {
        "comparison": _compared(found, names),
        "symbols": _symbols([_compared_figures(found)]),
        "sizes": _sizes(
            shape for side in (found.a, found.b) for row in side.rows for shape in (*row.inputs, *row.outputs)
        ),
        "unknown": comparison.unknowns(found),
    }
    return page(" against ".join(names), content)


def _symbols(figures: Iterable[Iterable[Number]]) -> list[str]:
    """Return the symbols in figures, each of which needs a slider."""
    return sorted({name for each in figures for value in each for name in symbol_names(value)})


def _sizes(shapes: Iterable[Shape | None]) -> list[str]:
    """Return the formulas of the sizes of tensors: where one of them is below 1, figures have no meaning."""
    return sorted({text(dim) for shape in shapes for dim in shape or () if is_symbolic(dim)})


def _figures(found: Explanation) -> Iterator[Number]:
    yield from (found.a.figure, found.b.figure)
    for cause in found.causes:
        yield from (cause.count, *(count for _, count in cause.layers))


def _compared_figures(found: Comparison) -> Iterator[Number]:
    yield from (value for _, cells in comparison.figures(found) for _, value, _ in cells if value is not None)
    for group in found.groups():
        yield from (group.macs, group.params)
    for item in (side for pair in found.pairs for side in (pair.a, pair.b) if side is not None):
        yield from (item.macs, item.params)


def _documents(
    explanations: Sequence[Explanation], rows: Mapping[str, int] = _NOWHERE
) -> list[dict[str, object]]:
    """Return what a page draws of explanations: a layer by the number of its row, where there is one."""
    return [
        {
            **{side: _side(of) for side, of in (("a", one.a), ("b", one.b))},
            "causes": [
                {
                    "cause": cause.cause,
                    "count": figure(cause.count),
                    "layers": [[rows.get(path, path), figure(n)] for path, n in cause.layers[:MOST_LAYERS]],
                    "more": max(0, len(cause.layers) - MOST_LAYERS),
                }
                for cause in one.causes
            ],
            "closing": explanation.closing(one),
            "provenance": explanation.provenance(one),
        }
        for one in explanations
    ]


def _side(side: Side) -> dict[str, object]:
    return {
        "name": side.convention.name,
        "figure": figure(side.figure),
        "bound": notes.lower_bound("", side.unknown_calls),
    }


def _compared(found: Comparison, names: Sequence[str]) -> dict[str, object]:
    return {
        **comparison.document(found),
        "names": list(names),
        "verdict": comparison.verdict(found),
        "figures": [
            [
                label,
                *(
                    [words, None if value is None else figure(value), signed]
                    for words, value, signed in cells
                ),
            ]
            for label, cells in comparison.figures(found)
        ],
        "provenance": comparison.provenances(found),
    }
