from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger.dims.arithmetic import floordiv, symbol
from flopledger.report import numbers as figures


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, ""),
        (999, ""),
        (1000, "1 kMAC"),
        (999_949, "999.9 kMAC"),
        (999_999, "1 MMAC"),
        (724_406_816, "724.4 MMAC"),
        (4_089_184_256, "4.089 GMAC"),
        (10**12, "1 TMAC"),
        (123 * 10**20, "1.23e+04 EMAC"),
        (Fraction(4003, 2), "2.002 kMAC"),
    ],
)
def test_a_prefix_and_four_digits(value: int | Fraction, written: str) -> None:
    assert figures.scaled(value, "MAC") == written


def test_parameters_are_counted_in_billions() -> None:
    assert figures.in_words(6_738_415_616) == "6,738,415,616 = 6.738 B"
    assert figures.scaled(1_100_000_000, "B") == "1.1 GB"


def test_operations_are_a_lower_bound_while_calls_are_unknown() -> None:
    assert figures.at_least(163_840, "MAC", 0) == "163,840 MAC = 163.8 kMAC"
    assert figures.at_least(163_840, "MAC", 1) == "at least 163,840 MAC (1 call unknown) = 163.8 kMAC"
    assert figures.at_least(7, "FLOP", 12) == "at least 7 FLOP (12 calls unknown)"


def test_a_fraction_is_written_out() -> None:
    assert figures.in_words(Fraction(123_457, 2), "MAC") == "123,457/2 MAC = 61.73 kMAC"


def test_a_formula_comes_with_its_sizes() -> None:
    n, h = symbol("N"), floordiv(symbol("H") - 3, 2)
    assert figures.in_words(n * h * 3 + n * h * h * 5, "MAC") == (
        "N*(3*h1 + 5*h1**2) MAC where h1 = -2 + ((1 + H)//2)"
    )


@pytest.mark.parametrize(
    ("shape", "written"),
    [((1, 3, 8), "1x3x8"), ((), "scalar"), (None, "?"), ((7,), "7")],
)
def test_shapes(shape: tuple[int, ...] | None, written: str) -> None:
    assert figures.shape_text(shape) == written


def test_an_expression_in_a_shape_is_bracketed() -> None:
    assert figures.shape_text((symbol("N"), 2 * symbol("H") + 1)) == "Nx(1 + 2*H)"


def test_a_share_of_nothing_and_of_symbols_is_left_open() -> None:
    assert figures.share_of(0, 0) is None
    assert figures.share_of(symbol("N"), 5) is None
    assert figures.percent(None) == figures.bar(None) == ""


@pytest.mark.parametrize(
    ("share", "drawn"),
    [
        (Fraction(1), "█" * 10),
        (Fraction(3, 2), "█" * 10),
        (Fraction(1, 80), "▏"),
        (Fraction(-1), ""),
        (Fraction(1, 20), "▌"),
    ],
)
def test_bars(share: Fraction, drawn: str) -> None:
    assert figures.bar(share) == drawn
