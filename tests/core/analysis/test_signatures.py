from __future__ import annotations

import pytest
from flopledger.analysis.analysis import Analysis
from flopledger.conventions import facts, loader
from flopledger.counting.rules import Rules
from flopledger.counting.scopes import CallScope
from flopledger.errors import FlopledgerError
from flopledger.kinds import builtin
from graphs import graphs
from hypothesis import given

ALIKE = [name for name, fact in facts.STRUCTURAL.items() if fact.alike]


@given(graph=graphs(symbols=True))
def test_calls_of_one_signature_have_all_their_alike_facts_in_common(graph) -> None:  # noqa: ANN001
    rules = Rules(Analysis(graph, builtin()), loader.load("mac"))
    seen: dict[int, dict[str, object]] = {}
    for layer in graph.layers:
        scope = CallScope(rules, layer)
        values: dict[str, object] = {}
        for name in ALIKE:
            try:
                values[name] = scope(name)
            except FlopledgerError as error:
                values[name] = type(error)
        assert seen.setdefault(rules.analysis.signatures.of[layer.id], values) == values


@pytest.mark.parametrize("name", ["index", "depth", "leaf", "paths", "own", "uncovered", "live", "first"])
def test_a_fact_of_the_place_is_not_alike(name: str) -> None:
    assert name not in ALIKE


def test_the_facts_of_kind_source_and_shapes_are_alike() -> None:
    assert {"kind", "source", "level", "input", "out", "in_elems", "out_elems", "ops"} <= {*ALIKE}
