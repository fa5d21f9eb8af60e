from __future__ import annotations

import pytest
from flopledger.expressions.compiler import evaluate
from flopledger.expressions.einsum import MOST_OPERANDS, optimized_count, renamed


@pytest.mark.parametrize(
    ("equation", "shapes", "count"),
    [
        ("ij,jk->ik", [(2, 3), (3, 5)], 61),  # 2 * 3 * 5 products, as many additions, and 1
        ("ij,ij->ij", [(2, 3), (2, 3)], 7),  # 6 products, nothing is summed
        ("ij->ji", [(2, 3)], 7),
        ("ii->", [(4, 4)], 9),  # 4 elements, taken and summed
        ("bhid,bhjd->bhij", [(1, 3, 13, 17), (1, 3, 19, 17)], 25200),  # 25195 to four digits
        # AB first: 2*3*5*2 + 2*5*7*2 = 200; BC first: 3*5*7*2 + 2*3*7*2 = 294; AC first: 420 and more
        ("ij,jk,kl->il", [(2, 3), (3, 5), (5, 7)], 201),
        ("i,j,k->ijk", [(2,), (3,), (4,)], 49),  # everything stays: at once, 2 * 24 products, and 1
        ("i,j,ij->", [(4,), (4,), (4, 4)], 41),  # i with ij gives j: 16 * 2; j with j: 4 * 2; and 1
    ],
)
def test_counts(equation: str, shapes: list[tuple[int, ...]], count: int) -> None:
    assert optimized_count(equation, shapes) == count


def test_an_intermediate_larger_than_all_operands_is_not_made() -> None:
    # Any two of them make abcd, 16 elements, where the largest operand has 8: at once, 16 * (2 + 1), and 1.
    assert optimized_count("abc,acd,abd->bcd", [(2, 2, 2)] * 3) == 49
    # Where nothing is summed, nothing is ordered: at once, 16 * 2, and 1.
    assert optimized_count("ab,cd,ad->abcd", [(2, 2)] * 3) == 33


def test_letters_are_stretched_from_one() -> None:
    assert optimized_count("ij,jk->ik", [(2, 1), (3, 5)]) == 61


def test_dots_stand_for_leading_axes() -> None:
    assert optimized_count("...ij,...jk->...ik", [(4, 2, 3), (4, 3, 5)]) == 241  # 4 * 60 + 1
    assert optimized_count("...ij,jk->...ik", [(4, 2, 3), (3, 5)]) == 241


def test_a_result_that_is_not_written_has_the_letters_that_occur_once() -> None:
    assert optimized_count("ij,jk", [(2, 3), (3, 5)]) == 61
    assert optimized_count("i,j", [(2,), (3,)]) == 7


def test_blanks_mean_nothing() -> None:
    assert optimized_count("i j, j k -> i k", [(2, 3), (3, 5)]) == 61


def test_letters_are_renamed_in_order_of_appearance() -> None:
    assert renamed("nct, ncp -> ntp") == "abc,abd->acd"


@pytest.mark.parametrize(
    ("equation", "shapes", "reason"),
    [
        ("ij,jk->ik", [(2, 3)], "2 operands, 1 are given"),
        ("ij->i", [(2, 3, 4)], "has 2 axes, its operand 3"),
        (",".join("abcdefghijkl") + "->", [(2,)] * 12, f"at most {MOST_OPERANDS}"),
    ],
)
def test_what_does_not_fit_is_an_error(equation: str, shapes: list[tuple[int, ...]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        optimized_count(equation, shapes)


def test_many_operands_end_soon() -> None:
    chain = "ab,bc,cd,de,ef,fg,gh,hi->ai"
    assert optimized_count(chain, [(2, 2)] * 8) == 113  # seven products of 2 x 2 matrices, 16 each, and 1


def test_expressions_reach_it() -> None:
    values = {"e": "ij,jk->ik", "s": ((2, 3), (3, 5))}
    assert evaluate("einsum_flops(e, s)", values) == 61
    assert evaluate("prod(einsum_sizes(e, s))", values) == 30
    assert evaluate("einsum_letters('xy,yz->xz')", {}) == "ab,bc->ac"


def test_double_precision_is_followed_step_by_step() -> None:
    assert evaluate("trunc(float64(float64(11 / 3) * float64(14 / 4) + 1) * 72)", {}) == 995
    assert evaluate("(11 / 3 * (14 / 4) + 1) * 72", {}) == 996
    assert evaluate("float64(7)", {}) == 7
