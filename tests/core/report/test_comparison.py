from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
from flopledger.report import comparison
from partly_known import partly_known


@pytest.mark.parametrize("form", ["table", "markdown"])
@pytest.mark.parametrize(
    ("a", "b", "known"),
    [(False, True, "at most +0"), (True, False, "at least +0"), (False, False, "not known")],
)
def test_a_difference_from_a_lower_bound_is_a_bound_or_not_known(
    form: str, *, a: bool, b: bool, known: str
) -> None:
    """The dense layer takes 15 MAC on both sides; the unknown call takes as many more as it may."""
    found = fl.compare(partly_known(known=a), partly_known(known=b))
    shown = comparison.render(found, form).replace("\\", "")
    (_, of_a, of_b, difference), *_ = comparison.totals(found)

    assert (of_a, of_b) == ("15" if a else "at least 15", "15" if b else "at least 15")
    assert difference == known
    for side, complete in (("a", a), ("b", b)):
        assert (f"{side}: Odd: 1 call, 1x3 -> 1x3 at odd" in shown) is not complete


def test_an_unknown_layer_is_no_zero() -> None:
    shown = comparison.render(fl.compare(partly_known(), partly_known(known=True)))
    rows = [line.split() for line in shown.splitlines()]
    assert ["only", "in", "a", "odd", "unknown", "-1"] in [row[:6] for row in rows]
    assert ["1", "x", "unknown", "-1"] in [row[:4] for row in rows]
    assert ["only", "in", "b", "odd", "+0", "+1"] in [row[:6] for row in rows]


def test_networks_with_unknown_calls_are_equal_as_far_as_they_are_known() -> None:
    verdict = comparison.verdict(fl.compare(partly_known(), partly_known()))
    assert verdict.startswith("Equal, as far as they are known: ")


def test_a_document_says_what_is_unknown() -> None:
    found: dict[str, Any] = fl.compare(partly_known(), partly_known(known=True)).to_dict()
    assert {row["a"]["path"]: row["a"]["unknown"] for row in found["rows"] if row["a"]} == {
        "fc": False,
        "odd": True,
    }
    assert sorted((group["params"], group["unknown"]) for group in found["summary"]) == [
        (-1, True),
        (1, False),
    ]
