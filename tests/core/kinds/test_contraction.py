from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

EINSUMS = [
    # equation, operands, result, macs and dots, multiplications and additions
    ("ab,bc->ac", ((2, 3), (3, 4)), (2, 4), (24, 8), (24, 16)),
    ("bhqd,bhkd->bhqk", ((1, 2, 5, 4), (1, 2, 7, 4)), (1, 2, 5, 7), (280, 70), (280, 210)),
    ("i,j->ij", ((3,), (4,)), (3, 4), (0, 0), (12, 0)),
    ("ab,ab->ab", ((3, 4), (3, 4)), (3, 4), (0, 0), (12, 0)),
    # c is summed first, 2 * 3 * (5 - 1) additions; then 2 results of 3 terms
    ("abc,b->a", ((2, 3, 5), (3,)), (2,), (6, 2), (6, 24 + 4)),
    ("ab->ba", ((2, 3),), (3, 2), (0, 0), (0, 0)),
    ("ab->a", ((2, 3),), (2,), (0, 0), (0, 4)),
    # three operands from the left: ab,bc->ac is 2 * 4 results of 3 terms, ac,cd->ad 2 * 5 of 4
    ("ab,bc,cd->ad", ((2, 3), (3, 4), (4, 5)), (2, 5), (24 + 40, 8 + 10), (64, 16 + 30)),
    # the first two share no summed letter and are only multiplied, 2 * 3 * 4; then 5 results of 2 * 3 * 4
    ("a,bc,abcd->d", ((2,), (3, 4), (2, 3, 4, 5)), (5,), (120, 5), (24 + 120, 115)),
    # b is read by the third operand too, so that it is summed with it; e of the last is summed beforehand
    ("ab,b,bce->ac", ((2, 3), (3,), (3, 4, 5)), (2, 4), (24, 8), (6 + 24, 16 + 3 * 4 * 4)),
]


@pytest.mark.parametrize("row", EINSUMS, ids=lambda row: row[0])
def test_an_einsum_is_counted_by_its_letters(
    ask: Ask, row: tuple[str, Shapes, tuple[int, ...], tuple[int, int], tuple[int, int]]
) -> None:
    equation, inputs, out, facts, parts = row
    found = ask("einsum", *inputs, equation=equation)
    assert found.shapes == (out,)
    assert found.facts == dict(zip(("macs", "dots"), facts, strict=True))
    assert found.parts == dict(zip(("multiplies", "adds"), parts, strict=True)) | {"bias_adds": 0}


def test_an_einsum_may_have_a_bias(ask: Ask) -> None:
    assert ask("einsum", (2, 3), (3, 4), equation="ab,bc->ac", bias=True).parts["bias_adds"] == 8


@pytest.mark.parametrize(
    ("equation", "inputs"),
    [
        ("ab,bc", ((2, 3), (3, 4))),
        ("ab,bc->ac", ((2, 3),)),
        ("ab,bc->ad", ((2, 3), (3, 4))),
        ("ab,bc->aa", ((2, 3), (3, 4))),
        ("ab,bc->ac", ((2, 3), (4, 4))),
        ("ab,bc->ac", ((2, 3), (3,))),
        ("...a,a->...", ((2, 3), (3,))),
    ],
)
def test_an_einsum_that_does_not_fit_is_refused(ask: Ask, equation: str, inputs: Shapes) -> None:
    with pytest.raises(ShapeError):
        ask("einsum", *inputs, equation=equation)


GROUPED = [
    # rows in groups; terms in groups; columns in groups; a stack of products
    (((10, 3), (4, 3, 5)), {}, (10, 5), (150, 50)),
    (((6, 10), (10, 5)), {"groups": 4}, (4, 6, 5), (300, 120)),
    (((4, 6, 3), (3, 20)), {}, (6, 20), (360, 120)),
    (((4, 6, 3), (4, 3, 5)), {}, (4, 6, 5), (360, 120)),
]


@pytest.mark.parametrize(("inputs", "attrs", "out", "facts"), GROUPED)
def test_each_row_meets_the_matrix_of_its_group(
    ask: Ask, inputs: Shapes, attrs: dict[str, int], out: tuple[int, ...], facts: tuple[int, int]
) -> None:
    found = ask("grouped_matmul", *inputs, **attrs)
    assert (found.shapes, (found.facts["macs"], found.facts["dots"])) == ((out,), facts)


def test_a_grouped_product_may_have_a_bias(ask: Ask) -> None:
    assert ask("grouped_matmul", (10, 3), (4, 3, 5), bias=True).parts == {
        "multiplies": 150,
        "adds": 100,
        "bias_adds": 50,
    }


def test_a_grouped_product_without_a_bias_takes_a_list_of_offsets(ask: Ask) -> None:
    found = ask("grouped_matmul", (10, 3), (4, 3, 5), (4,))
    assert (found.shapes, found.parts["bias_adds"]) == (((10, 5),), 0)


def test_rows_that_do_not_fit_are_named(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="rows of 3 can't meet columns of 2"):
        ask("grouped_matmul", (10, 3), (4, 2, 5))


@pytest.mark.parametrize("inputs", [((10, 3),), ((10, 3), (4, 2, 5)), ((3,), (3, 5))])
def test_groups_that_do_not_fit_are_refused(ask: Ask, inputs: Shapes) -> None:
    with pytest.raises(ShapeError):
        ask("grouped_matmul", *inputs)


def test_a_bias_of_an_einsum_is_one_addition_for_each_element(ask: Ask) -> None:
    parts = ask("einsum", (5, 3), (3, 7), equation="ab,bc->ac", bias=True).parts
    assert parts == {"multiplies": 105, "adds": 70, "bias_adds": 35}
