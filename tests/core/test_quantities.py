"""Figures and limits as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger.errors import UsageError
from flopledger.quantities import is_figure, parse_bytes, parse_figure, parse_limit, parse_tolerance


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("4.1G", 4_050_000_000, 4_150_000_000, ""),
        ("0.75GMAC", 745_000_000, 755_000_000, "MAC"),
        ("0.75 GMACs", 745_000_000, 755_000_000, "MAC"),
        ("1.5 GFLOPs", 1_450_000_000, 1_550_000_000, "FLOP"),
        ("1.5GFLOPS", 1_450_000_000, 1_550_000_000, "FLOP"),
        ("569M Mult-Adds", 568_500_000, 569_500_000, "MAC"),
        ("569 MMAdds", 568_500_000, 569_500_000, "MAC"),
        ("26M", 25_500_000, 26_500_000, ""),
        ("25.6 M params", 25_550_000, 25_650_000, "params"),
        ("7B parameters", 6_500_000_000, 7_500_000_000, "params"),
        ("100MAC", 100, 100, "MAC"),
        ("3 ops", 3, 3, "FLOP"),
        ("4,089,184,256", 4_089_184_256, 4_089_184_256, ""),
    ],
)
def test_a_figure_is_read_with_its_unit(text: str, low: int, high: int, unit: str) -> None:
    found = parse_figure(text)

    assert (found.low, found.high, found.unit) == (low, high, unit)


def test_a_limit_is_exact_whatever_its_scale_and_unit() -> None:
    assert parse_limit("0.75GMAC", "MAC") == 750_000_000
    assert parse_limit("1.5 GFLOPs", "FLOP") == 1_500_000_000
    assert parse_limit("0.1K") == Fraction(100)
    assert parse_limit("26M", "params") == 26_000_000


def test_a_limit_in_another_unit_is_refused_and_not_taken_for_one_in_its_own() -> None:
    with pytest.raises(UsageError, match=r"'1.5 GFLOPs' is in FLOP, and what it limits is in MAC"):
        parse_limit("1.5 GFLOPs", "MAC")


@pytest.mark.parametrize("text", ["", "G", "4.1GX", "4.1 G MAC FLOP", "1-MAC-", "-3", "1e999", "4.1.2"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a figure; expected a number such as"):
        parse_figure(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8G", 8 * 10**9), ("8GB", 8 * 10**9), ("8GiB", 8 * 2**30), ("1.5 Kib", 1536), ("12", 12), ("3b", 3)],
)
def test_bytes_are_scaled_by_1000_and_by_1024_where_it_says_so(text: str, expected: int) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "G", "8 GFLOP", "-1", "1e9", "8iB"])
def test_other_texts_are_no_bytes(text: str) -> None:
    with pytest.raises(UsageError, match="is not a number of bytes"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("4,1G", "4.1G"),
        ("0,75G", "0.75G"),
        ("3,1M", "3.1M"),
        ("1,50 GMAC", "1.50 GMAC"),
        ("0,750G", "0.750G"),
        ("4,100G", "4.100G or 4100G"),
        ("1,5", "1.5"),
        ("4,08918", "4.08918"),
    ],
)
def test_a_decimal_comma_is_refused_and_the_figure_that_is_meant_is_named(text: str, meant: str) -> None:
    """Without its comma 4,1G would be 41G, ten times what is meant."""
    for parse in (parse_figure, parse_limit):
        with pytest.raises(UsageError) as refused:
            parse(text)
        assert str(refused.value).endswith(f"did you mean {meant}?")
    assert is_figure(text)


@pytest.mark.parametrize("text", ["1,5.0G", "1,2345,678", "4,089184,256", "1,,000", "1000,000,000", "1,"])
def test_a_comma_anywhere_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="commas part groups of three digits, as in 4,089,184,256"):
        parse_limit(text)


def test_commas_between_all_groups_of_three_digits_are_read() -> None:
    assert parse_limit("1,234") == 1_234
    assert parse_limit("1,234.5M") == 1_234_500_000
    assert parse_limit("25,557,032 params") == 25_557_032
    assert parse_bytes("8,589,934,592") == 8_589_934_592


def test_bytes_and_tolerances_have_the_same_numbers() -> None:
    with pytest.raises(UsageError, match=r"did you mean 8\.5GiB"):
        parse_bytes("8,5GiB")
    with pytest.raises(UsageError, match=r"did you mean 0\.5%"):
        parse_tolerance("0,5%")
    assert parse_tolerance("0.5%") == Fraction(1, 200)
