from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.analysis.flow import live
from flopledger.conventions import loader
from flopledger.counting.engine import count
from flopledger.errors import ConventionError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.graph.graph import Graph

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
    return [int(str(row.count)) for row in count(graph, loader.load(file)).rows]


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
    ledger = count(chain("relu"), loader.load(file))
    assert ledger.total.count == 7 + 5 + 3
    assert [(a.what, a.count) for a in ledger.adjustments] == [("parameters", 15)]


def written(source: str, *, inner: bool) -> Graph:
    """A tensor, a view of it, a call on the view that gives ``source``, and the tensor as the output."""
    builder = GraphBuilder(builtin())
    whole = builder.input("x", (1, 10))
    part, made = builder.tensor((1, 5), alias_of=whole), builder.tensor((1, 5))
    outputs = [part] if source == "in place" else [made]
    builder.modules.append(Module(0, ("",), "Net"))
    root = builder.layer("", "container", "Net", module=0, inputs=[whole])
    builder.layer("view", "reshape", "view", parent=root, inputs=[whole], outputs=[part])
    around = builder.layer("op", "relu", "op", parent=root, inputs=[part], outputs=outputs) if inner else root
    builder.layer("write", "relu", source, parent=around, inputs=[part], outputs=outputs)
    return builder.build(Reading("by hand", "hand", "hand"), [whole])


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("source", ["in place", "apart"])
def test_a_view_of_what_is_needed_is_not_itself_and_a_write_into_it_is(source: str, *, inner: bool) -> None:
    graph = written(source, inner=inner)
    has_calls = [True, False, True, False] if inner else [True, False, False]
    needed = source == "in place"
    assert live(graph, has_calls) == [needed] * len(graph.layers)


def test_a_view_that_no_call_made_needs_what_it_shows() -> None:
    builder = GraphBuilder(builtin())
    tensor = builder.input("x", (1, 10))
    made = builder.tensor((1, 10))
    other = builder.tensor((1, 10), alias_of=made)
    builder.layer("relu", "relu", "relu", inputs=[tensor], outputs=[made])
    builder.layer("unused", "relu", "relu", inputs=[tensor], outputs=[builder.tensor((1, 10))])
    graph = builder.build(Reading("by hand", "hand", "hand"), [other])
    assert live(graph, [False, False]) == [True, False]


def kept() -> Graph:
    """A module of 7 weights in the network, and one of 4 that the network calls and has not registered."""
    builder = GraphBuilder(builtin())
    tensor = builder.input("x", (1, 10))
    builder.modules.append(Module(0, ("",), "Net", parameters=(("w", 0),)))
    builder.modules.append(Module(1, ("/Kept",), "Kept", parameters=(("w", 1),)))
    builder.parameters.append(Parameter(0, ("w",), (7,), object=0, storage=0))
    builder.parameters.append(Parameter(1, ("/Kept.w",), (4,), object=1, storage=1))
    root = builder.layer("", "container", "Net", module=0, inputs=[tensor])
    around = builder.layer("kept", "container", "Kept", parent=root, module=1, inputs=[tensor])
    made = builder.tensor((1, 10))
    builder.layer("relu", "relu", "relu", parent=around, inputs=[tensor], outputs=[made])
    return builder.build(Reading("by hand", "hand", "hand"), [made])


def test_a_module_that_is_registered_nowhere_has_no_ways_but_those_around_it(tmp_path: Path) -> None:
    assert figures(tmp_path, '[rules.layer]\n"*" = "paths"\n', kept()) == [1, 0, 0]
    assert figures(tmp_path, '[rules.layer]\n"*" = "paths_around"\n', kept()) == [1, 1, 1]


def test_a_parameter_that_is_registered_nowhere_can_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    rules = '[rules.layer]\n"*" = "0"\n[params]\nover = "parameters"\nwhere = "registered"\ncount = "numel"\n'
    file.write_text(HEAD + rules)
    assert count(kept(), loader.load(file)).total.params == 7
