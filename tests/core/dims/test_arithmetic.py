from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import (
    ceildiv,
    equal,
    extent,
    floordiv,
    is_dim,
    is_symbolic,
    maximum,
    minimum,
    product,
    readable,
    rounded_up,
    substitute,
    symbol,
    symbol_names,
    text,
    total,
    truncate,
)
from flopledger.errors import Unbounded
from flopledger.expressions.compiler import evaluate
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from flopledger.dims.types import Dim

N, H, W = symbol("N"), symbol("H"), symbol("W")
NAMES = {"N": N, "H": H, "W": W}

DIVISORS = st.integers(1, 7)
LEAVES = st.one_of(st.integers(1, 20), st.sampled_from([N, H, W]))
SIZES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("+"), inner, inner),
        st.tuples(st.just("-"), inner, inner),
        st.tuples(st.just("*"), inner, inner),
        st.tuples(st.just("//"), inner, DIVISORS),
        st.tuples(st.just("up"), inner, DIVISORS),
        st.tuples(st.just("min"), inner, inner),
        st.tuples(st.just("max"), inner, inner),
    ),
    max_leaves=8,
)
STEPS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": floordiv,
    "up": ceildiv,
    "min": minimum,
    "max": maximum,
}


def work_out(tree: object, values: dict[str, int] | None) -> Dim:
    """Evaluate a drawn tree with symbols, or with Python's own whole numbers in their place."""
    if isinstance(tree, tuple):
        step, a, b = tree
        return STEPS[step](work_out(a, values), work_out(b, values))
    if values is not None and not isinstance(tree, int):
        return values[str(tree)]
    assert is_dim(tree)
    return tree


@given(SIZES, st.fixed_dictionaries({name: st.integers(1, 60) for name in NAMES}))
def test_putting_numbers_for_symbols_is_as_counting_with_numbers(
    tree: object, values: dict[str, int]
) -> None:
    assert substitute(work_out(tree, None), values) == work_out(tree, values)


@given(SIZES, st.fixed_dictionaries({name: st.integers(1, 60) for name in NAMES}))
def test_what_is_written_is_python_and_means_the_same(tree: object, values: dict[str, int]) -> None:
    written = text(work_out(tree, None))

    assert eval(written, {"min": min, "max": max}, values) == work_out(tree, values)  # noqa: S307


@given(SIZES)
def test_what_is_written_is_read_back_as_it_was(tree: object) -> None:
    value = work_out(tree, None)

    assert evaluate(text(value), NAMES) == value


def test_sizes_become_as_simple_as_they_can_exactly() -> None:
    assert text(floordiv(H - 1, 2) + 1) in ("1 + ((-1 + H)//2)", "((1 + H)//2)")
    assert text(floordiv(H, 8 * W)) == "(H//(8*W))"
    assert floordiv(2 * H + 6, 2) == H + 3
    assert floordiv(4 * N + 6, 8) == floordiv(2 * N + 3, 4)
    assert floordiv(floordiv(H, 2), 3) == floordiv(H, 6)
    assert floordiv(floordiv(H + 1, 2) + 1, 2) == floordiv(H + 3, 4)
    assert floordiv(N * H * W, H * W) == N
    assert ceildiv(H, 1) == H
    assert minimum(H, H + 2) == H
    assert maximum(H, H + 2) == H + 2
    assert minimum(floordiv(H + 3, 4), floordiv(H + 1, 4) + 1) == floordiv(H + 3, 4)
    assert maximum(floordiv(H + 3, 4), floordiv(H + 1, 4) + 1) == floordiv(H + 1, 4) + 1
    assert minimum(H, W) != H
    assert isinstance(floordiv(H - H + 7, 2), int)


def test_expressions_are_equal_however_they_are_written() -> None:
    assert equal(24 * N * (96 * H + 96), 2304 * N * (H + 1))
    assert equal(3, 3)
    assert not equal(3, 4)
    assert not equal(N * H, N * H + 1)
    assert not equal(floordiv(N, 2) * 2, N)


def test_sums_and_products_of_nothing() -> None:
    assert total([]) == 0
    assert product([]) == 1
    assert total([1, Fraction(1, 2), 2]) == Fraction(7, 2)
    assert total([N, 2, N]) == 2 * N + 2


def test_a_fraction_is_truncated() -> None:
    assert truncate(Fraction(7, 2)) == 3
    assert truncate(5) == 5
    assert substitute(truncate(N * 3 / 2), {"N": 3}) == 4


def test_a_fraction_is_rounded_up() -> None:
    assert rounded_up(Fraction(7, 2)) == 4
    assert rounded_up(5) == 5
    assert rounded_up(N * 3 / 2) == floordiv(3 * N + 1, 2)


def test_a_total_is_written_by_its_repeated_sizes() -> None:
    size = floordiv(H, 2) + 1
    count = 9 * N * size * W + 4 * N * size + 2 * N * W

    written, names = readable(count)

    assert names == {"h1": "1 + (H//2)"}
    assert written.startswith("N*(")
    assert eval(written, {}, {"N": 2, "W": 5, "h1": 4}) == 9 * 2 * 4 * 5 + 4 * 2 * 4 + 2 * 2 * 5  # noqa: S307


def test_a_whole_number_is_written_as_it_is() -> None:
    assert readable(12) == ("12", {})
    assert text(Fraction(1, 3)) == "1/3"
    assert symbol_names(N * H) == ("H", "N")
    assert symbol_names(7) == ()


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        floordiv(N, 0)


def test_sympy_is_imported_only_when_a_symbol_appears() -> None:
    code = (
        "import sys, flopledger.counting.engine, flopledger.dims.arithmetic as d;"
        "d.total([d.floordiv(7, 2), d.product((2, 3))]); assert 'sympy' not in sys.modules;"
        "d.symbol('N'); assert 'sympy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_product_beyond_any_tensor_is_refused() -> None:
    assert product([2**32] * 31) == 2**992
    with pytest.raises(Unbounded, match="more than 1024 bits"):
        product([2**32] * 1_000_000)


def test_a_product_of_many_symbols_is_made_in_one_step() -> None:
    n = symbol("N")
    assert text(product([n] * 500)) == "N**500"
    assert text(product([2, n, 3])) == "6*N"


def test_the_extent_of_an_expression_bounds_its_value_and_its_text() -> None:
    n = symbol("N")
    assert is_symbolic(n)
    assert extent(n) == (63, 1)
    power = n**4
    assert extent(power)[0] == 252
    short = doubled(N, 8)
    assert is_symbolic(short)
    assert extent(short)[1] > 2**8
    with pytest.raises(Unbounded, match="more than 50000 parts"):
        doubled(N, 41)


def doubled(size: Dim, times: int) -> Dim:
    """Return an expression that is small in memory, since it shares its parts, and whose text is endless."""
    for _ in range(times):
        size = total([floordiv(size, 3), floordiv(size, 5)])
    return size


def test_a_choice_of_two_is_decided_by_what_it_is_never_above_or_below() -> None:
    p = symbol("P")
    assert maximum(minimum(5, p) - 6, 0) == 0
    assert minimum(3, maximum(p, 5)) == 3
    assert minimum(minimum(5, p), 7) == minimum(5, p)
    assert maximum(7 - maximum(p, 7), 0) == 0
    assert str(maximum(minimum(5, p) - 4, 0)) == "Maximum(Minimum(5, P) - 4, 0)"  # 1 from P = 5 on
