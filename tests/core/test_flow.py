from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger import convention
from flopledger.builder import GraphBuilder
from flopledger.engine import count
from flopledger.errors import ConventionError
from flopledger.graph import Graph, Module, Parameter, Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'name = "mine"\nunit = "FLOP"\ntotal = "layer"\n'
FLOW = "[flow]\nfrom = \"kind == 'tanh'\"\nuntil = \"kind == 'reshape'\"\n"


def chain(*kinds: str) -> Graph:
    """Calls of ten elements, one after the other, in a container."""
    builder = GraphBuilder(builtin())
    tensor = builder.input("x", (1, 10))
    builder.modules.append(Module(0, ("",), "Net", children=(1,)))
    builder.modules.append(Module(1, ("inner",), "Inner", parameters=(("w", 0), ("mean", 1))))
    builder.parameters.append(Parameter(0, ("w",), (7,), object=0, storage=0))
    builder.parameters.append(Parameter(1, ("mean",), (5,), role="running_mean", object=1, storage=1))
    builder.parameters.append(Parameter(2, ("step",), (3,), role="optimizer", object=2, storage=2))
    root = builder.layer("", "container", "Net", module=0, inputs=[tensor])
    for number, kind in enumerate(kinds):
        made, attrs = builder.tensor((1, 10)), {"shape": (1, 10)} if kind == "reshape" else {}
        builder.layer(f"{number}", kind, kind, parent=root, inputs=[tensor], outputs=[made], attrs=attrs)
        tensor = made
    return builder.build(Reading("by hand", "hand", "hand"), [tensor])


def figures(folder: Path, text: str, graph: Graph) -> list[int]:
    file = folder / "mine.toml"
    file.write_text(HEAD + text)
    return [int(str(row.count)) for row in count(graph, convention.load(file)).rows]


def test_what_comes_after_a_call_is_hidden_until_another(tmp_path: Path) -> None:
    graph = chain("relu", "tanh", "relu", "reshape", "relu")
    rules = '[rules.layer]\n"*" = "0 if hidden else 1"\n'
    # the container, relu and tanh; relu and reshape are reached; the last is not
    assert figures(tmp_path, FLOW + rules, graph) == [1, 1, 1, 0, 0, 1]


def test_nothing_is_hidden_without_a_flow(tmp_path: Path) -> None:
    rules = '[rules.layer]\n"*" = "0 if hidden else 1"\n'
    assert figures(tmp_path, rules, chain("tanh", "relu")) == [1, 1, 1]


def test_a_flow_has_both_ends(tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match="expected an expression"):
        figures(tmp_path, '[flow]\nfrom = "True"\n[rules.layer]\n"*" = "1"\n', chain("relu"))


def test_the_depth_of_a_call_is_how_many_are_around_it(tmp_path: Path) -> None:
    assert figures(tmp_path, '[rules.layer]\n"*" = "depth"\n', chain("relu", "relu")) == [0, 1, 1]


def test_weights_and_buffers_below_a_module_are_stored_in_it(tmp_path: Path) -> None:
    rules = '[reduce.layer]\nwhere = "depth == 0"\n[rules.layer]\n"*" = "all_stored"\n'
    assert figures(tmp_path, rules, chain("relu")) == [7 + 5]


def test_an_optimizer_s_state_is_in_none_of_our_own_figures() -> None:
    total = chain("relu").count("mac").total
    assert (total.params, total.buffers) == (7, 5)


def test_a_total_may_be_the_parameters_and_says_what_no_row_has(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = HEAD.replace('total = "layer"', 'total = "params"').replace("FLOP", "params")
    file.write_text(text + '[rules.layer]\n"*" = "0"\n[params]\nover = "parameters"\ncount = "numel"\n')
    ledger = count(chain("relu"), convention.load(file))
    assert ledger.total.count == 7 + 5 + 3
    assert [(a.what, a.count) for a in ledger.adjustments] == [("parameters", 15)]
