from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.counting import engine
from flopledger.errors import FlopledgerError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin
from graphs import graphs
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.graph.graph import Graph

CONVENTIONS = [
    name for name in sorted(convention_names.shipped()) if loader.load(name).frameworks in ((), ("torch",))
]


@given(graphs(symbols=True), st.sampled_from(CONVENTIONS))
def test_totals_without_rows_are_those_of_the_ledger(graph: Graph, name: str) -> None:
    convention = loader.load(name)
    try:
        expected = replace(engine.count(graph, convention).total, training=None)
    except FlopledgerError as error:
        with pytest.raises(type(error)):
            engine.count_total(graph, convention)
    else:
        assert engine.count_total(graph, convention) == expected


@pytest.mark.parametrize("name", ["mac", "2mac", "2mac-1", "ops"])
def test_totals_without_rows_know_a_call_without_a_formula_inside_one_that_has_one(name: str) -> None:
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 3))
    builder.modules.append(Module(0, ("",), "hand.Net"))
    outer = builder.layer("relu", "relu", "hand.relu", inputs=[x], outputs=[x])
    builder.layer("relu/odd", "unknown", "hand.odd", level="function", parent=outer, inputs=[x], outputs=[x])
    graph = builder.build(Reading("by hand", "hand", "hand"), [x])

    assert engine.count_total(graph, loader.load(name)) == graph.count(name).total


MINE = """\
name = "mine"
unit = "MAC"
total = "layer"
[switches.weight]
values = ["1", "5"]
default = "{default}"
doc = "how much a parameter counts"
[rules.layer]
"{source}" = "1"
[params]
over = "{over}"
count = "{rule}"
"""


@pytest.mark.parametrize(
    ("over", "rule", "expected"),
    [
        ("parameters", "numel * (5 if switch.weight == '5' else 1)", [3, 15]),
        ("modules", "own * (7 if mapped else 1)", [21, 3]),
    ],
)
def test_parameter_rules_of_the_same_words_mean_what_their_convention_says(
    tmp_path: Path, over: str, rule: str, expected: list[int]
) -> None:
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 3))
    builder.modules.append(Module(0, ("",), "hand.Net", parameters=(("weight", 0),)))
    builder.parameters.append(Parameter(0, ("weight",), (3,)))
    builder.layer("net", "relu", "hand.Net", module=0, inputs=[x], outputs=[x])
    graph = builder.build(Reading("by hand", "hand", "hand"), [x])
    found = []
    for default, source in (("1", "hand.Net"), ("5", "hand.Other")):
        file = tmp_path / f"mine{default}.toml"
        file.write_text(MINE.format(default=default, source=source, over=over, rule=rule))
        found.append(graph.count(str(file)).total.params)

    assert found == expected
