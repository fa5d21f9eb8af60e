from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger.conventions import loader
from flopledger.errors import UsageError
from flopledger.explaining.find_figure import candidates, find, variants
from flopledger.quantities import parse_figure
from graphs import layer
from handmade import network

OWN = ("mac", "2mac", "2mac-1", "ops")
LOADED = {name: loader.load(name) for name in OWN}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("4.09G", 4_085_000_000, 4_095_000_000),
        ("4.1 GMac", 4_050_000_000, 4_150_000_000),
        ("25.6M params", 25_550_000, 25_650_000),
        ("4,089,184,256", 4_089_184_256, 4_089_184_256),
        ("4e9", 3_500_000_000, 4_500_000_000),
        ("7 B", 6_500_000_000, 7_500_000_000),
        ("0.5", Fraction(45, 100), Fraction(55, 100)),
    ],
)
def test_a_figure_stands_for_what_rounds_to_it(text: str, low: Fraction, high: Fraction) -> None:
    figure = parse_figure(text)

    assert (figure.low, figure.high) == (low, high)


@pytest.mark.parametrize("text", ["", "G", "4.09X", "-3", "4..1G", "1e999", "nan", "4.09G extra"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a figure"):
        parse_figure(text)


def test_a_figure_leads_to_the_convention_that_prints_it() -> None:
    graph = layer("linear", {"out_features": 1, "bias": True}, (1, 256))
    tried = candidates([(graph, LOADED.values())])

    def best(text: str) -> tuple[str, dict[str, str], bool]:
        match = find(tried, parse_figure(text))[0]
        return match.by.convention, dict(match.by.switches), match.fits

    assert best("511") == ("2mac-1", {}, True)
    assert best("514") == ("2mac", {"bias": "mac"}, True)
    assert best("0.26K") == ("mac", {}, True)
    assert best("9999") == ("2mac", {"bias": "mac"}, False)


def test_parameters_are_found_by_their_figure_too() -> None:
    matches = find(candidates([(network(), [LOADED["mac"]])]), parse_figure("32"))

    assert ("params", 32) in {(m.by.what, m.by.count) for m in matches if m.fits}


def test_variants_change_at_most_two_decisions() -> None:
    assert {len(v.changed) for v in variants(LOADED["mac"])} == {0, 1, 2}
