"""Sizes that exporters calculate from others."""

from __future__ import annotations

import pytest
from flopledger.dims.arithmetic import floordiv, maximum, symbol
from flopledger.frontend.exported.calculated import calculated

S, T = symbol("S"), symbol("T")
SYMBOLS = {"s": S, "t": T, "other": symbol("Other")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s - 1", S - 1),
        ("2*(s - 1)", 2 * S - 2),
        ("s//2", floordiv(S, 2)),
        ("floor(s/2)", floordiv(S, 2)),
        ("ceiling(s/2)", floordiv(S + 1, 2)),
        ("((s - 1)//2) + 1", floordiv(S + 1, 2)),
        ("Max(1, s - 3)", maximum(1, S - 3)),
        ("s % 2", S - 2 * floordiv(S, 2)),
        ("s + other", S + SYMBOLS["other"]),
        ("2*s*t", 2 * S * T),
    ],
)
def test_an_expression_over_names_of_sizes_is_one_of_their_symbols(text: str, expected: object) -> None:
    assert calculated(text, {"s", "t"}, SYMBOLS.__getitem__) == expected


@pytest.mark.parametrize(
    "text",
    [
        "s", "batch-size", "s - other", "s/other", "3*4", "True", "1if 2", "(((s", "s()", "s,t", "len(s)",
        "s/0", "s**9999999", "9**9**9*s", "'s'", "s if t else s", "s == t", "floor(0*s)",
    ],
)  # fmt: skip
def test_other_texts_are_names_alone(text: str) -> None:
    assert calculated(text, {"s", "t"}, SYMBOLS.__getitem__) is None


@pytest.mark.parametrize("text", ["s/2", "2 - s", "s - s - 1"])
def test_what_is_no_size_is_a_name_alone(text: str) -> None:
    assert calculated(text, {"s", "t"}, SYMBOLS.__getitem__) is None
