from __future__ import annotations

import functools
import json
import operator
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from flopledger.checking import earlier
from flopledger.dims.arithmetic import symbol
from flopledger.errors import SourceError, UsageError
from graphs import layer
from handmade import network

if TYPE_CHECKING:
    from pathlib import Path


def test_a_written_ledger_has_the_figures_of_the_one_that_was_counted(tmp_path: Path) -> None:
    ledger = network().count("mac")
    file = tmp_path / "saved.json"
    file.write_text(ledger.to_json())

    (read,) = earlier.load(str(file)) or ()

    assert (read.convention, dict(read.switches)) == ("mac", {})
    assert read.total == {"count": 88, "macs": 88, "params": 32}
    assert read.rows["block.fc"] == {"count": 24, "params": 16}
    assert earlier.of_ledger(ledger, "here").rows == read.rows


def test_a_saved_graph_is_no_ledger(tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    file.write_text(network().to_json())

    assert earlier.load(str(file)) is None


@pytest.mark.parametrize("figure", ["true", "1.5", '"1e9"', '"1/0"', "null"])
def test_a_figure_that_is_no_exact_number_is_an_error(tmp_path: Path, figure: str) -> None:
    file = tmp_path / "saved.json"
    text = network().count("mac").to_json()
    file.write_text(text.replace('"params": 16', f'"params": {figure}', 1))
    assert file.read_text() != text

    with pytest.raises(SourceError, match=r"missing or malformed"):
        earlier.load(str(file))


@pytest.mark.parametrize("name", ["null", "1", "[" * 900 + "]" * 900, '{"a": 1}', "NaN"])
@pytest.mark.parametrize("where", [("convention", "name"), ("graph", "source"), ("rows", 0, "path")])
def test_a_name_that_is_no_text_is_an_error(tmp_path: Path, where: tuple[str | int, ...], name: str) -> None:
    document = json.loads(network().count("mac").to_json())
    holder = functools.reduce(operator.getitem, where[:-1], document)
    holder[where[-1]] = "here"
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(document).replace('"here"', name))

    with pytest.raises(SourceError, match=r"missing or malformed") as caught:
        earlier.load(str(file))
    assert len(str(caught.value)) < 500


def test_a_fraction_is_read_exactly(tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    file.write_text(network().count("mac").to_json().replace('"params": 16', '"params": "33/2"', 1))
    (read,) = earlier.load(str(file)) or ()

    assert Fraction(33, 2) in [row["params"] for row in read.rows.values()]


def test_a_formula_can_not_be_checked() -> None:
    ledger = layer("linear", {"out_features": 5, "bias": False}, (symbol("N"), 3)).count("mac")

    with pytest.raises(UsageError, match=r"count is 15\*N, a formula: give its symbols numbers"):
        earlier.figure_of(ledger, "count")


def test_values_are_bounded_before_they_become_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large.json"
    file.write_text(network().count("mac").to_json())
    assert earlier.load(str(file)) is not None

    def never(_text: str) -> None:
        pytest.fail("the objects were made")

    monkeypatch.setattr(earlier, "MOST_VALUES", 20)
    monkeypatch.setattr(earlier.json, "loads", never)
    with pytest.raises(SourceError, match="more than 20 values"):
        earlier.load(str(file))
