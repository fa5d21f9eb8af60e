"""Reports of a network in which routers pick some of several experts."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from typing import TYPE_CHECKING

import jsonschema
import pytest
from flopledger.analysis.experts.groups import Experts
from flopledger.checking import limits as budget
from flopledger.report import FORMATS, render

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger

GROUPS = (
    Experts("block1.moe", 8, 2, 800, 200),
    Experts("block2.moe", 8, 2, 800, 200),
    Experts("block3.moe", 4, 1, 400, 100),
)
LINE = "500 params for each token: 2 of 8 experts in 2 places; 1 of 4 experts"


@pytest.fixture
def routed(toy: Ledger) -> Ledger:
    """Three groups of experts, of which a token leaves 600, 600 and 300 weights out."""
    return replace(toy, experts=GROUPS, total=replace(toy.total, params=2000, active_params=500))


def test_what_a_token_uses_is_under_the_table(routed: Ledger) -> None:
    assert f"active      {LINE}\n" in render([routed], "table")
    assert f"- **active** {LINE}\n" in render([routed], "markdown")
    assert f"<div><b>active</b> {LINE}</div>" in routed._repr_html_()


def test_json_has_the_total_and_each_group(routed: Ledger) -> None:
    schema = json.loads(resources.files("flopledger.report").joinpath("schema.json").read_text())
    document = json.loads(routed.to_json())

    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["total"]["active_params"] == 500
    assert document["experts"][2] == {
        "path": "block3.moe", "size": 4, "picked": 1, "params": 400, "active_params": 100,
    }  # fmt: skip
    assert len(document["experts"]) == 3


def test_csv_has_a_last_column_for_it(toy: Ledger, routed: Ledger) -> None:
    records = list(csv.DictReader(io.StringIO(render([replace(toy, total=routed.total), routed], "csv"))))
    totals = [r for r in records if r["record"] == "total"]

    assert list(records[0])[-2:] == ["macs", "active_params"]
    assert [r["active_params"] for r in totals] == ["500", "500"]
    assert {r["active_params"] for r in records if r["record"] == "row"} == {""}


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"tool"}))
def test_a_network_without_experts_says_nothing(form: str, toy: Ledger) -> None:
    counted = replace(toy, total=replace(toy.total, active_params=1562))

    assert render([counted], form) == render([toy], form)


def test_a_limit_can_be_set_on_it(routed: Ledger) -> None:
    verdict = budget.check(routed, {"active_params": Fraction(499)})

    assert [(f.found, f.passed) for f in verdict.findings] == [(500, False)]
