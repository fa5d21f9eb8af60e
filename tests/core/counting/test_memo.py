from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import hypothesis
import pytest
from flopledger.analysis import analysis
from flopledger.analysis.signatures import Signatures
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.errors import ConventionError, FlopledgerError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin
from graphs import graphs
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.counting.ledger import Ledger
    from flopledger.graph.graph import Graph

CONVENTIONS = [
    name for name in sorted(convention_names.shipped()) if loader.load(name).frameworks in ((), ("torch",))
]
RULES = """\
name = "mine"
unit = "MAC"
total = "layer + function"
[rules.layer]
"hand.call" = "{rule}"
[params]
over = "parameters"
count = "numel * (100 if again else 1)"
"""


def calls(*natives: object) -> Graph:
    """Return a network that calls one module with one argument after the other; each has one weight of 3."""
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 3))
    builder.modules.append(Module(0, ("",), "hand.Net"))
    for i, native in enumerate(natives):
        builder.parameters.append(Parameter(i, (f"p{i}",), (3,), object=i, storage=0))
        builder.layer(
            f"call{i}", "relu", "hand.call", index=i + 1, inputs=[x], outputs=[x], native={"given": native}
        )
    return builder.build(Reading("by hand", "hand", "hand"), [x])


def ledger(tmp_path: Path, graph: Graph, rule: str) -> Ledger:
    file = tmp_path / "mine.toml"
    file.write_text(RULES.format(rule=rule))
    return graph.count(str(file))


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        ("7 if native.given is True else 1", [7, 1, 1, 1, 1]),
        ("5 if is_tensor(native.given) else 6 if is_list(native.given) else 0", [0, 0, 0, 5, 6]),
        ("out_elems", [6, 6, 6, 6, 6]),
        ("index", [1, 2, 3, 4, 5]),
    ],
)
def test_calls_that_a_rule_can_distinguish_are_distinguished(
    tmp_path: Path, rule: str, counts: list[int]
) -> None:
    given = (True, 1, 1.0, TensorRef(0), (2, 3))

    assert [row.count for row in ledger(tmp_path, calls(*given), rule).rows] == counts


def test_parameters_that_a_rule_can_distinguish_are_distinguished(tmp_path: Path) -> None:
    assert ledger(tmp_path, calls(1, 1, 1), "0").total.params == 3 + 300 + 300


def test_an_error_is_that_of_the_first_call_it_concerns(tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match=r"mine: call1: .*expected a number"):
        ledger(tmp_path, calls(1, (1,), (1,)), "native.given")


@hypothesis.given(graphs(symbols=True), st.sampled_from(CONVENTIONS))
def test_counting_what_looks_alike_once_changes_nothing(graph: Graph, name: str) -> None:
    shared = _counted(graph, name)
    fresh = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "_ANALYSES", {})
        patch.setattr(Signatures, "_number", lambda *_: next(fresh))  # then no two look alike
        alone = _counted(graph, name)

    assert alone == shared


def _counted(graph: Graph, name: str) -> Ledger | str:
    try:
        return graph.count(name)
    except FlopledgerError as error:  # a drawn call may have none of the arguments that a rule reads
        return str(error)
