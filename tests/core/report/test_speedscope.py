from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import UsageError
from flopledger.report import render

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger


def test_a_stack_is_a_path_and_its_weight_a_figure(toy: Ledger) -> None:
    document = json.loads(render([toy], "speedscope"))
    names = [frame["name"] for frame in document["shared"]["frames"]]
    operations, params = document["profiles"]
    stacks = [[names[i] for i in sample] for sample in operations["samples"]]
    assert stacks == [["≥ (network)", "features", "conv [conv]"], ["≥ (network)", "fc [linear]"]]
    of_params = [[names[i] for i in sample] for sample in params["samples"]]
    assert of_params == [["(network)", "features", "conv [conv]"], ["(network)", "fc [linear]"]]
    assert (operations["weights"], operations["endValue"]) == ([3888, 1440], 5328)
    assert (params["weights"], params["endValue"]) == ([112, 1450], 1562)
    assert operations["name"] == "toy.prototxt: mac, MAC"
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"


def test_a_frame_with_an_unknown_call_in_it_is_a_lower_bound(toy: Ledger) -> None:
    conv, _, unknown, _ = toy.rows
    inside = replace(unknown, path="features.proposal")
    document = json.loads(render([replace(toy, rows=(conv, inside))], "speedscope"))
    names = [frame["name"] for frame in document["shared"]["frames"]]
    (stack,) = ([names[i] for i in sample] for sample in document["profiles"][0]["samples"])
    assert stack == ["≥ (network)", "≥ features", "conv [conv]"]


def test_a_formula_has_no_width(toy: Ledger) -> None:
    rows = (replace(toy.rows[0], count=symbol("N") * 3888),)
    with pytest.raises(UsageError, match=r"features\.conv: 3888\*N is a formula"):
        render([replace(toy, rows=rows)], "speedscope")
