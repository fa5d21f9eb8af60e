from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import GraphError, SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.reading.read import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.graph.graph import Graph

SMALL = "input x 1x3x8x8\nconv c1 x out=4 kernel=3\nscan s1 c1 state=16\n"


def read(source: object, frontend: str | None = None, **how: object) -> Graph:
    return read_source(source, Request(str(source), frontend=frontend, **how))  # type: ignore[arg-type]


@pytest.fixture
def small(tmp_path: Path, toy: None) -> Path:  # noqa: ARG001
    file = tmp_path / "small.toy"
    file.write_text(SMALL)
    return file


def test_a_file_that_needs_no_framework_is_read_in_this_process(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flopledger.reading.child_process.Child", None)
    graph = read(small)
    assert [layer.kind for layer in graph.layers] == ["conv", "toy.scan"]
    assert graph.shape(graph.outputs[0]) == (1, 4, 6, 6)


def test_inputs_reach_the_frontend(small: Path) -> None:
    graph = read(small, inputs=(parse_spec("2x3x10x10"),))
    assert graph.shape(graph.outputs[0]) == (2, 4, 8, 8)


def test_a_saved_graph_is_read_in_place_and_without_any_frontend(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = read(small)
    saved = [tmp_path / "graph.json", tmp_path / "graph.saved"]
    monkeypatch.setattr("flopledger.reading.child_process.Child", None)
    for file in saved:
        file.write_text(graph.to_json())
        assert read(file) == graph


def test_a_saved_graph_takes_no_inputs(small: Path, tmp_path: Path) -> None:
    saved = tmp_path / "graph.json"
    saved.write_text(read(small).to_json())
    with pytest.raises(UsageError, match="is a saved graph: inputs, arguments and options were settled"):
        read(saved, inputs=(parse_spec("2x3x10x10"),))


@pytest.mark.parametrize(
    "text",
    ['{"schema": "flopledger.graph/2"}', '{"schema": "flopledger.graph/1"', '{"flopledger.graph/1": 1}'],
)
def test_a_broken_saved_graph_is_refused(text: str, tmp_path: Path) -> None:
    saved = tmp_path / "graph.json"
    saved.write_text(text)
    with pytest.raises(GraphError, match=r"graph\.json"):
        read(saved)


def test_a_saved_graph_that_is_no_text_is_refused(tmp_path: Path) -> None:
    saved = tmp_path / "graph.json"
    saved.write_bytes(b'{"schema": "flopledger.graph/1\xff"}')
    with pytest.raises(SourceError, match="can't be read"):
        read(saved)


def test_a_file_that_nobody_reads_lists_the_frontends(small: Path) -> None:
    other = small.with_suffix(".other")
    other.touch()
    with pytest.raises(SourceError) as caught:
        read(other)
    assert f"no frontend reads {other}. The frontends here:" in str(caught.value)
    assert "\n  toy: toy networks (.toy) and ToyModel objects" in str(caught.value)


@pytest.mark.usefixtures("toy")
def test_python_code_without_an_attribute_says_so(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.touch()
    with pytest.raises(SourceError, match=r"it is Python code: name the model, as in .*net\.py:Model"):
        read(file)


def test_a_frontend_that_is_not_there_is_refused(small: Path) -> None:
    with pytest.raises(UsageError, match="there is no frontend 'tory'; did you mean 'toy'"):
        read(small, "tory")


def test_limits_are_more_than_nothing(small: Path) -> None:
    for timeout in (0, -1, float("nan")):
        with pytest.raises(UsageError, match="expected more than 0"):
            read_source(small, Request(str(small), timeout=timeout))
    with pytest.raises(UsageError, match="the memory limit is -1 bytes"):
        read_source(small, Request(str(small), memory_limit=-1))


def test_what_a_file_gets_wrong_is_a_source_error(small: Path) -> None:
    small.write_text("input x 1x3x8x8\nconv c1 x out=4\n")
    with pytest.raises(SourceError, match="line 2: found 'out=4', expected whole numbers for out and kernel"):
        read(small)


@pytest.mark.usefixtures("toy")
def test_what_fails_in_a_live_model_is_a_source_error_with_its_cause() -> None:
    def fail() -> None:
        raise KeyError("lost")

    with pytest.raises(
        SourceError, match=r"KeyError: 'lost' \(.*test_read\.py, line \d+: raise KeyError"
    ) as caught:
        read(fail)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_live_object_takes_its_inputs_as_objects() -> None:
    with pytest.raises(UsageError, match="give it the inputs themselves"):
        read(object(), inputs_from="net.py:make")
