"""A convention is evaluated over a network once for each answer, however many figures the answer has."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.comparing.comparison import compare
from flopledger.conventions import loader
from flopledger.counting import engine
from flopledger.explaining import find_figure
from flopledger.explaining.explanation import explain
from flopledger.explaining.survey import survey
from flopledger.explaining.work import Unbiased
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.conventions.convention import Convention
    from flopledger.expressions.compiler import Expression, Scope
    from flopledger.graph.graph import Graph

WIDTHS = (2, 3, 5, 7)


@pytest.fixture
def graph() -> Graph:
    """Return four dense layers of different widths: no two calls are alike."""
    builder = GraphBuilder(builtin())
    tensor = builder.input("x", (1, 4))
    for width in WIDTHS:
        made = builder.tensor((1, width))
        attrs = {"out_features": width, "bias": False}
        builder.layer(f"fc{width}", "linear", "Dense", inputs=[tensor], outputs=[made], attrs=attrs)
        tensor = made
    return builder.build(Reading("by hand", "hand", "hand"), [tensor])


class Watched:
    """Conventions that note each evaluation of a rule."""

    def __init__(self) -> None:
        self.evaluations: Counter[tuple[str, object]] = Counter()

    def load(self, name: str) -> Convention:
        loaded = loader.load(name)
        levels = {
            level: replace(rules, rules={key: self._noting(name, rule) for key, rule in rules.rules.items()})
            for level, rules in loaded.levels.items()
        }
        return replace(loaded, levels=levels)

    def _noting(self, name: str, rule: Expression) -> Expression:
        def run(scope: Scope) -> object:
            if not isinstance(scope, Unbiased):  # what a bias adds takes a second look at a call
                self.evaluations[name, scope("out_elems")] += 1
            return rule.run(scope)

        return replace(rule, run=run)


def answers(graph: Graph, load: Callable[[str], Convention]) -> dict[str, Callable[[], object]]:
    mac, other = load("mac"), load("seed-001")
    every = [mac, *map(load, ("2mac", "2mac-1", "seed-001", "ops"))]
    return {
        "count": lambda: engine.count(graph, mac),
        "explain": lambda: explain(graph, mac, other),
        "explain to itself": lambda: explain(graph, mac, mac),
        "explain params": lambda: explain(graph, mac, other, what="params"),
        "survey": lambda: survey([(graph, every)], mac),
        "find a figure": lambda: find_figure.candidates([(graph, [other])]),
        "compare": lambda: compare(graph, graph, other),
    }


@pytest.mark.parametrize("answer", ["count", "explain", "explain to itself", "survey"])
def test_each_rule_is_evaluated_once_for_each_call(graph: Graph, answer: str) -> None:
    watched = Watched()
    answers(graph, watched.load)[answer]()

    names = {name for name, _ in watched.evaluations}
    assert watched.evaluations == {(name, width): 1 for name in names for width in WIDTHS}
    assert names


def test_a_comparison_evaluates_each_convention_once_for_each_network(graph: Graph) -> None:
    watched = Watched()
    answers(graph, watched.load)["compare"]()

    assert watched.evaluations == {("seed-001", width): 2 for width in WIDTHS}


def test_parameters_are_explained_without_evaluating_a_rule_for_calls(graph: Graph) -> None:
    watched = Watched()
    answers(graph, watched.load)["explain params"]()

    assert not watched.evaluations


def test_a_search_for_a_figure_evaluates_each_variant_once(graph: Graph) -> None:
    """No decision of this convention matters to dense layers without a bias, so no two are combined."""
    watched = Watched()
    answers(graph, watched.load)["find a figure"]()

    switches = loader.load("seed-001").switches.values()
    variants = 1 + sum(len(switch.values) - 1 for switch in switches)
    assert watched.evaluations == {("seed-001", width): variants for width in WIDTHS}
