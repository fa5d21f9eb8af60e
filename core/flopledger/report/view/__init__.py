"""Pictures: one HTML file that opens offline, of a network, of an explanation, or of a comparison.

The page draws what it is given and trusts no name in it; see :mod:`flopledger.report.view.page`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger import gc_pause
from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import is_symbolic, symbol_names, text
from flopledger.dims.phrases import alternating, differences, parts
from flopledger.report import comparison, explanation, notes
from flopledger.report.view.lists import Cells, Figures
from flopledger.report.view.network import network, places
from flopledger.report.view.page import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flopledger.comparing.comparison import Comparison, Pair
    from flopledger.comparing.layers import ComparedLayer
    from flopledger.counting.ledger import Ledger
    from flopledger.dims.types import Dim, Number, Shape
    from flopledger.explaining.explanation import Explanation, Side
    from flopledger.graph.graph import Graph

__all__ = ["of_comparison", "of_explanation", "of_network"]

MOST_LAYERS = 200
"""How many layers of a cause a page lists."""
_NOWHERE: Mapping[str, int] = MappingProxyType({})


@gc_pause.paused()
def of_network(graph: Graph, ledgers: Sequence[Ledger], explanations: Sequence[Explanation] = ()) -> str:
    """Draw a network under one convention or several.

    Args:
        graph: The network; its data flow is drawn.
        ledgers: Its counts, of which the page shows one at a time.
        explanations: Why the other conventions' figures differ from the first one's.
    """
    figures = Figures()
    drawn = network(graph, ledgers, figures)
    content = {
        "network": drawn,
        **_documents(explanations, figures, places(drawn)),
        "symbols": _symbols(
            [*_figures(ledgers, explanations), *_dims(tensor.shape for tensor in graph.tensors)]
        ),
        "sizes": _sizes(tensor.shape for tensor in graph.tensors),
        "unknown": list(dict.fromkeys(line for ledger in ledgers for line in notes.unknowns(ledger))),
        "provenance": [notes.provenance(ledger) for ledger in ledgers],
        "figures": list(figures.found),
    }
    return page(graph.reading.source, content, flow=True)


@gc_pause.paused()
def of_explanation(found: Explanation) -> str:
    """Draw why two figures differ."""
    figures = Figures()
    content = {
        **_documents([found], figures),
        "symbols": _symbols(_explained(found)),
        "sizes": [],
        "unknown": explanation.unknowns(found),
        "provenance": [explanation.provenance(found)],
        "figures": list(figures.found),
    }
    return page(explanation.heading(found), content)


@gc_pause.paused()
def of_comparison(found: Comparison) -> str:
    """Draw two networks side by side."""
    names = [side.graph.reading.source for side in (found.a, found.b)]
    content = {
        "comparison": _compared(found, names),
        "symbols": _symbols(_compared_figures(found)),
        "sizes": _sizes(
            shape for side in (found.a, found.b) for row in side.rows for shape in (*row.inputs, *row.outputs)
        ),
        "unknown": comparison.unknowns(found),
        "provenance": comparison.provenances(found),
    }
    return page(" against ".join(names), content)


def _symbols(figures: Iterable[Number]) -> list[str]:
    """Return the symbols in figures, each of which needs a slider."""
    found = {value for value in figures if type(value) is not int}  # nearly all are, and to ask takes long
    return sorted({name for value in found if is_symbolic(value) for name in symbol_names(value)})


def _sizes(shapes: Iterable[Shape | None]) -> list[str]:
    """Return the formulas of the sizes of tensors: where one of them is below 1, figures have no meaning."""
    return sorted(map(text, _dims(shapes)))


def _dims(shapes: Iterable[Shape | None]) -> set[Dim]:
    """Return the sizes that are formulas."""
    found = {dim for shape in shapes for dim in shape or () if type(dim) is not int}
    return {dim for dim in found if is_symbolic(dim)}


def _figures(ledgers: Sequence[Ledger], explanations: Sequence[Explanation]) -> Iterator[Number]:
    for ledger in ledgers:
        yield from (ledger.total.count, 0 if ledger.total.params is None else ledger.total.params)
        for row in ledger.rows:
            yield from (row.count, row.params)
    for one in explanations:
        yield from _explained(one)


def _explained(found: Explanation) -> Iterator[Number]:
    yield from (found.a.figure, found.b.figure)
    for cause in found.causes:
        yield from (cause.count, *(count for _, count in cause.layers))


def _compared_figures(found: Comparison) -> Iterator[Number]:
    yield from (value for _, cells in comparison.figures(found) for _, value, _ in cells if value is not None)
    for item in (side for pair in found.pairs for side in (pair.a, pair.b) if side is not None):
        yield from (item.macs, item.params)
    for pair in found.pairs:
        yield from (part for part in parts(pair.phrase) if not isinstance(part, str))


def _documents(
    explanations: Sequence[Explanation], figures: Figures, rows: Mapping[str, int] = _NOWHERE
) -> dict[str, object]:
    """Return the data of explanations that a page draws: a layer by the number of its row, if it has one.

    Causes often have the same layers with the same figures, so that each such list is written once.
    """
    lists = Cells()
    documents = [
        {
            **{side: _side(of) for side, of in (("a", one.a), ("b", one.b))},
            "causes": [
                {
                    "cause": cause.cause,
                    "count": figure(cause.count),
                    "layers": lists.number(
                        [
                            each
                            for path, count in cause.layers[:MOST_LAYERS]
                            for each in (rows.get(path, path), figures.number(count))
                        ]
                    ),
                    "more": max(0, len(cause.layers) - MOST_LAYERS),
                }
                for cause in one.causes
            ],
            "gap": figure(one.gap),
            "closing": explanation.around_gap(one),
        }
        for one in explanations
    ]
    return {"explanations": documents, "layers": list(map(list, lists.found))}


def _side(side: Side) -> dict[str, object]:
    return {
        "name": side.convention.name,
        "figure": figure(side.figure),
        "bound": notes.lower_bound("", side.unknown_calls),
    }


def _compared(found: Comparison, names: Sequence[str]) -> dict[str, object]:
    number_of = {id(pair): number for number, pair in enumerate(found.pairs)}
    return {
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
        "summary": [
            {
                "reason": alternating(group.phrase),
                "times": group.times,
                "macs": figure(group.macs),
                "unknown": group.unknown,
                "params": figure(group.params),
                "pairs": [number_of[id(pair)] for pair in group.pairs],
            }
            for group in found.groups()
        ],
        "rows": [
            {
                "status": pair.status,
                "a": _layer(pair.a),
                "b": _layer(pair.b),
                "why": alternating(pair.phrase),
                "zeros": _zeros(pair),
            }
            for pair in found.pairs
        ],
    }


def _zeros(pair: Pair) -> list[object] | None:
    """Return the differences of a changed pair, which is the same where all are 0; None if it never is."""
    if pair.status != "changed":
        return None
    found = [pair.macs, pair.params]
    for reason in pair.reasons:
        if reason.alike:
            continue
        sizes = differences(reason.words)
        if not sizes:
            return None
        found += sizes
    return None if any(value != 0 for value in found if not is_symbolic(value)) else list(map(figure, found))


def _layer(item: ComparedLayer | None) -> dict[str, object] | None:
    if item is None:
        return None
    return {"path": item.path, "macs": figure(item.macs), "unknown": item.unknown}
