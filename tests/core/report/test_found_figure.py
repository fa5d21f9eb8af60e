"""Conventions that print a figure: while calls are unknown, figures are lower bounds and say so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flopledger.conventions import loader
from flopledger.explaining import search
from flopledger.quantities import parse_figure
from flopledger.report import found_figure
from partly_known import partly_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    import flopledger as fl


class Read:
    """A network that was read already."""

    def __init__(self, graph: fl.Graph) -> None:
        self.graph = graph

    def read(self, _: Mapping[str, object]) -> fl.Graph:
        return self.graph


def found(*figures: str, known: bool = False) -> search.Found:
    graph = partly_known(known=known)
    conventions = [loader.load(name) for name in ("mac", "ops")]
    return search.search(Read(graph), graph, conventions, [parse_figure(figure) for figure in figures])


def test_a_figure_without_the_unknown_calls_is_marked() -> None:
    """The dense layer takes 15 MAC, or 25 FLOP by `ops`; the call before it is unknown."""
    shown = found_figure.render(found("15", "25")).replace("\\", "")
    for figure in ("at least 15", "at least 25"):
        assert figure in shown
    assert "The gap is not known; without the unknown calls it is +10" in shown
    assert "Unknown, so not in the figures:" in shown
    assert "Odd: 1 call, 1x3 -> 1x3 at odd" in shown
    document = json.loads(found_figure.render(found("15"), "json"))
    assert document["figures"][0]["matches"][0]["unknown_calls"] == 1


def test_a_figure_of_parameters_and_one_of_known_calls_are_not_marked() -> None:
    """The dense layer has 15 weights, the other one."""
    assert "at least" not in found_figure.render(found("16"))
    assert "at least" not in found_figure.render(found("15", "25", known=True))
