"""Pictures: one HTML file that opens offline, of a network, of an explanation, or of a comparison.

The page draws what it is given and trusts no name in it; see :mod:`flopledger.report.view.page`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import comparison, explanation
from flopledger.report.view.network import network
from flopledger.report.view.page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.comparing.comparison import Comparison
    from flopledger.counting.ledger import Ledger
    from flopledger.explaining.explanation import Explanation
    from flopledger.graph.graph import Graph

__all__ = ["of_comparison", "of_explanation", "of_network"]


def of_network(graph: Graph, ledgers: Sequence[Ledger], explanations: Sequence[Explanation] = ()) -> str:
    """Draw a network under one convention or several.

    Args:
        graph: The network; its data flow is drawn.
        ledgers: Its counts, of which the page shows one at a time.
        explanations: Why the other conventions' figures differ from the first one's.
    """
    content = {"network": network(graph, ledgers), "explanations": _documents(explanations)}
    return page(graph.reading.source, content, flow=True)


def of_explanation(found: Explanation) -> str:
    """Draw why two figures differ."""
    return page(explanation.heading(found), {"explanations": _documents([found])})


def of_comparison(found: Comparison) -> str:
    """Draw two networks side by side."""
    names = [side.graph.reading.source for side in (found.a, found.b)]
    return page(" against ".join(names), {"comparison": _compared(found, names)})


def _documents(explanations: Sequence[Explanation]) -> list[dict[str, object]]:
    return [
        {
            **explanation.document(one, layers=True),
            "source": one.source,
            "closing": explanation.closing(one),
            "provenance": explanation.provenance(one),
        }
        for one in explanations
    ]


def _compared(found: Comparison, names: Sequence[str]) -> dict[str, object]:
    return {
        **comparison.document(found),
        "names": list(names),
        "verdict": comparison.verdict(found),
        "figures": comparison.totals(found),
        "provenance": comparison.provenances(found),
    }
