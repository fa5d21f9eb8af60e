from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import flopledger as fl
import pytest
from documents import validated
from flopledger.cli.sources import SourceOptions
from flopledger.errors import ConventionError, ProfileMismatch, UsageError
from flopledger.testing import assert_budget
from handmade import network

EXAMPLES = Path(__file__).parents[2] / "examples"
LENET = EXAMPLES / "lenet.prototxt"
"""2,293,000 macs: 20 * 25 * 24^2 + 50 * 500 * 8^2 + 800 * 500 + 500 * 10; 431,080 parameters."""


def test_explain_reads_a_source_and_sums() -> None:
    found = fl.explain(LENET, "mac", "2mac")

    assert (found.a.figure, found.b.figure, found.gap) == (2_293_000, 4_586_000, 2_293_000)
    assert sum(cause.count for cause in found.causes) == found.gap
    assert str(found).startswith(f"{LENET}: operations, from mac to 2mac\n")
    assert validated("explain", found.to_json()) == json.loads(json.dumps(found.to_dict()))


def test_explain_takes_a_graph_inputs_and_loaded_conventions() -> None:
    two = fl.explain(LENET, "mac", fl.load("2mac").set({"bias": "add"}), "2x1x28x28")
    graph = fl.explain(fl.read(LENET), "mac", "caffe-script", what="params")

    assert two.a.figure == 4_586_000
    assert two.b.convention.switches == {"bias": "add"}
    assert graph.gap == -(20 + 50 + 500 + 10)


def test_explain_refuses_a_graph_that_was_read_otherwise() -> None:
    with pytest.raises(ProfileMismatch, match="torch-flop-counter-no-grad"):
        fl.explain(network(), "mac", "torch-flop-counter-no-grad")
    with pytest.raises(ConventionError, match="is for networks of torch"):
        fl.explain(LENET, "mac", "thop")


def test_compare_takes_sources_and_graphs() -> None:
    found = fl.compare(LENET, fl.read(LENET), convention="2mac")

    assert found.equal
    assert (found.a.total.count, found.a.total.unit) == (4_586_000, "FLOP")
    assert "Equal: " in str(found)
    assert validated("compare", found.to_json()) == json.loads(json.dumps(found.to_dict()))


def test_compare_takes_inputs_for_each_side() -> None:
    same = fl.compare(LENET, LENET, "2x1x28x28")
    other = fl.compare(LENET, LENET, "2x1x28x28", "1x1x28x28")

    assert (same.equal, same.macs) == (True, 0)
    assert (other.equal, other.macs) == (False, -2_293_000)


def test_functions_stay_functions_after_their_modules_are_imported() -> None:
    """A module of the name of a function would hide it once it is imported."""
    for name in ("explaining.explanation", "comparing.comparison", "counting.engine", "api"):
        importlib.import_module(f"flopledger.{name}")

    assert all(callable(getattr(fl, name)) for name in ("count", "read", "explain", "compare", "load"))


def test_a_budget_that_holds_gives_the_ledger() -> None:
    ledger = assert_budget(LENET, max_macs="2.3M", max_params=431_080, limits={"buffers": 0})

    assert ledger.total.macs == 2_293_000


def test_a_budget_that_does_not_hold_fails_with_the_table(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"over  macs    2,293,000  2,292,999"):
        assert_budget(LENET, max_macs=2_292_999)
    before = tmp_path / "before.json"
    before.write_text(fl.count(LENET).to_json())
    assert_budget(LENET, against=before)
    with pytest.raises(AssertionError, match=r"Layers that grew:\n.*\nconv2  count"):
        assert_budget(LENET, "2x1x28x28", against=before, tolerance="10%")


def test_a_budget_without_a_limit_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to check"):
        assert_budget(LENET)
    saved = tmp_path / "graph.json"
    saved.write_text(fl.read(LENET).to_json())
    with pytest.raises(UsageError, match="is no ledger; make one with count --format json"):
        assert_budget(LENET, against=saved)


@pytest.mark.parametrize(
    "given", ["torchinfo", "mac", fl.load("thop"), Path("mine.toml"), "rubbish", (1, 3), {"x": (1, 3)}]
)
def test_a_graph_takes_no_inputs_and_no_convention_in_their_place(given: object) -> None:
    for ask in (lambda: fl.count(network(), given), lambda: fl.explain(network(), "mac", "2mac", given)):
        with pytest.raises(UsageError, match=r"convention=|convention is given by name"):
            ask()


@pytest.mark.parametrize("given", ["torchinfo", fl.load("thop"), "./mine.toml"])
def test_a_convention_in_place_of_the_inputs_is_named(given: object) -> None:
    with pytest.raises(
        UsageError, match=r"in place of the inputs; expected fl.count\(model, inputs, convention="
    ):
        fl.count(LENET, given)


def test_compare_gives_the_inputs_to_what_is_no_graph() -> None:
    graph = fl.read(LENET, "2x1x28x28")

    assert fl.compare(graph, LENET, "2x1x28x28").equal
    assert fl.compare(LENET, graph, "2x1x28x28", ()).equal
    with pytest.raises(UsageError, match="the inputs of a graph"):
        fl.compare(graph, graph, "2x1x28x28")


def test_input_size_is_another_name_of_inputs() -> None:
    assert fl.count(LENET, input_size=(2, 1, 28, 28)).total.count == 2 * 2_293_000
    assert fl.read(LENET, input_size="2x1x28x28").count("mac").total.count == 2 * 2_293_000
    sides = fl.compare(LENET, LENET, input_size=[(2, 1, 28, 28)])
    assert sides.a.total.macs == sides.b.total.macs == 2 * 2_293_000


IN_OPTIONS = {
    "phase", "stages", "level", "seq", "past", "batch", "last_logits", "freeze", "train_only", "recompute",
    "grad_inputs",
}  # fmt: skip
"""The source options that the library takes by name in ``options``: some are names of switches too."""


@pytest.mark.parametrize("function", [fl.read, fl.count, fl.explain, fl.compare])
def test_each_source_option_of_the_command_line_is_a_keyword_or_one_of_the_options(function: Any) -> None:
    written = set(SourceOptions.__dataclass_fields__)
    keywords = set(inspect.signature(function).parameters)

    assert written - IN_OPTIONS <= keywords
    assert written >= IN_OPTIONS
    assert "options" in keywords
    assert all(
        f"``{name.removesuffix('s') if name == 'stages' else name}``" in fl.read.__doc__
        for name in IN_OPTIONS
    )


def test_the_options_reach_the_reading(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 3, 8, 8] } } }\n'
        'layer { name: "c" type: "Convolution" bottom: "data" top: "c" include { phase: TRAIN }\n'
        "  convolution_param { num_output: 2 kernel_size: 3 } }\n"
    )
    each = 2 * 6 * 6 * 27
    assert fl.count(str(net)).total.count == 0
    assert (
        fl.count(str(net), options={"phase": "train"}, timeout=9.0, memory_limit=1 << 30).total.count == each
    )
    assert fl.explain(str(net), "mac", "2mac", mode="train", options={"phase": "train"}).gap == each
    with pytest.raises(UsageError, match="the timeout is -1"):
        fl.count(str(net), timeout=-1.0)
