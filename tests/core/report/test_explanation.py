from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
from flopledger.report import explanation
from partly_known import partly_known

LINE = "Odd: 1 call, 1x3 -> 1x3 at odd (no formula for 'Odd')"


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_figures_without_an_unknown_call_are_lower_bounds_and_their_gap_is_not_known(form: str) -> None:
    """A dense layer of 3 x 5 takes 15 MAC; by `ops` 5 sums of 3 products and 2 additions, 25 FLOP."""
    shown = explanation.render(fl.explain(partly_known(), "mac", "ops"), form).replace("\\", "")

    for figure in ("at least 15 MAC", "at least 30", "at least 25 FLOP"):
        assert figure in shown
    assert "The gap is not known; without the unknown calls it is +10: the 2 causes sum to it" in shown
    assert shown.count(LINE) == 1


def test_a_document_has_the_number_of_unknown_calls() -> None:
    found: dict[str, Any] = fl.explain(partly_known(), "mac", "ops").to_dict()
    assert [found[side]["unknown_calls"] for side in "ab"] == [1, 1]


def test_equal_figures_with_an_unknown_call_are_equal_so_far_as_they_are_known() -> None:
    shown = explanation.render(fl.explain(partly_known(), "mac", "mac"))
    assert "The two figures are equal, so far as they are known, and no decision separates them." in shown


def test_parameters_are_known_whatever_calls_are_unknown() -> None:
    shown = explanation.render(fl.explain(partly_known(), "mac", "ops", what="params"))
    assert "at least" not in shown
    assert "nknown" not in shown
