"""A keyword that the library's functions don't have is answered with the argument that is meant."""

from __future__ import annotations

from pathlib import Path

import flopledger as fl
import pytest
from flopledger.errors import ConventionError, UsageError

ALEXNET = str(Path(__file__).parents[3] / "examples" / "alexnet.prototxt")


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("input_shape", r"input_size=\(1, 3, 224, 224\)\?"),
        ("input_sizes", r"input_size=\(1, 3, 224, 224\)\?"),
        ("size", r"input_size=\(1, 3, 224, 224\)\?"),
        ("inptus", r"inputs=\?"),
        ("dtype", "the dtype after the shape"),
        ("phase", r'options=\{"phase": \.\.\.\}\?'),
        ("strict", r"total\.complete"),
    ],
)
def test_an_unknown_keyword_is_answered_with_the_argument_meant(keyword: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"count\(\) has no argument {keyword}=; did you mean .*{meant}"):
        fl.count(ALEXNET, **{keyword: (1, 3, 227, 227)})


@pytest.mark.parametrize(
    ("keyword", "answer"),
    [
        ("dtype", r'dtype=: a graph is read already; fl\.read\(\) takes inputs="1x128:int64", which'),
        ("input_size", r"input_size=: a graph is read already; fl\.read\(\) takes input_size="),
        ("mode", r"mode=: a graph is read already; fl\.read\(\) takes mode="),
        (
            "batch_size",
            r"batch_size=: a graph is read already; fl\.read\(\) takes input_size=\(1, 3, 224, 224\)",
        ),
        ("device", r"device=: fl\.count\(graph, \.\.\.\) takes device="),
        ("conventon", r"count\(\) has no argument conventon=; did you mean convention=\?"),
    ],
)
def test_a_graph_is_distinguished_from_a_model(keyword: str, answer: str) -> None:
    graph = fl.read(ALEXNET)
    with pytest.raises(UsageError, match=answer):
        graph.count("mac", **{keyword: "bf16"})
    if keyword not in ("input_size", "mode", "device"):
        with pytest.raises(UsageError, match=answer):
            fl.count(graph, **{keyword: "bf16"})


def test_a_decision_that_is_spelled_wrong_is_answered_with_the_decision() -> None:
    with pytest.raises(ConventionError, match="did you mean 'softmax'"):
        fl.count(ALEXNET, softmx="all")


def test_figures_in_place_of_conventions_name_the_command() -> None:
    with pytest.raises(UsageError, match=r"'0\.72G' is a figure.*alexnet\.prototxt 0\.72G 1\.4G"):
        fl.explain(ALEXNET, "0.72G", "1.4G")


def test_a_mode_that_no_frontend_has_is_refused_for_a_file_without_modes() -> None:
    with pytest.raises(UsageError, match="the mode is 'infer', expected one of eval, train, given"):
        fl.count(ALEXNET, mode="infer")


@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        (None, "None leaves a size open; write a number, such as 1, or a symbol, such as N"),
        (-1, "-1 leaves a size open"),
        ("?", r"\? leaves a size open"),
        (1.0, "1.0 is no size; a size is a whole number"),
    ],
)
def test_a_size_that_is_open_or_no_whole_number_is_named(batch: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        fl.count(ALEXNET, input_size=(batch, 3, 227, 227))


def test_the_value_of_a_decision_is_taken_in_any_case() -> None:
    assert fl.count(ALEXNET, bias="ADD").total == fl.count(ALEXNET, bias="add").total


@pytest.mark.parametrize(("convention", "found"), [(None, "None"), (5, "an int"), (["mac"], "a list")])
def test_what_names_no_convention_is_refused_by_its_type(convention: object, found: str) -> None:
    graph = fl.read(ALEXNET)
    with pytest.raises(UsageError, match=f"the convention is {found}, expected a name such as 'mac'"):
        fl.count(ALEXNET, convention=convention)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"the convention is {found}"):
        graph.count(convention)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"the convention is {found}"):
        fl.explain(graph, "mac", convention)  # type: ignore[arg-type]


def test_a_graph_is_not_read_again() -> None:
    with pytest.raises(UsageError, match=r"read already; count it, as in graph\.count\('mac'\)"):
        fl.read(fl.read(ALEXNET))


@pytest.mark.parametrize("limit", ["timeout", "memory_limit"])
def test_a_limit_that_is_no_number_is_refused(limit: str) -> None:
    with pytest.raises(UsageError, match=f"the {limit.replace('_', ' ')} is a str, expected a number"):
        fl.count(ALEXNET, **{limit: "60"})
