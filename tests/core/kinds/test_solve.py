from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import solve

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

THREE = (3, 3)

CASES = [
    # (n - 1)^2 + .. + 1 products, (n - 1) + .. + 1 quotients and comparisons
    ("lu", (THREE,), {}, (THREE,), 5, {"multiplies": 5, "adds": 5, "divides": 3, "compares": 3}),
    (
        "lu",
        ((2, 3, 3),),
        {"pivot": False},
        ((2, 3, 3),),
        10,
        {"multiplies": 10, "adds": 10, "divides": 6, "compares": 0},
    ),
    # one step: 3 * 1 products, 3 quotients; the second divides 2 more
    ("lu", ((4, 2),), {}, ((4, 2),), 3, {"multiplies": 3, "adds": 3, "divides": 5, "compares": 5}),
    # one step: 1 * 3 products, 1 quotient
    (
        "lu",
        ((2, 4),),
        {"factors": True},
        ((2, 2), (2, 2), (2, 4)),
        3,
        {"multiplies": 3, "adds": 3, "divides": 1, "compares": 1},
    ),
    # columns 2 and 3: 1 * 2 and 2 * 1 products
    # 6 (36 - 1) / 6 products; 5 + 4 + 3 + 2 + 1 quotients
    ("cholesky", ((6, 6),), {}, ((6, 6),), 35, {"multiplies": 35, "adds": 35, "divides": 15, "sqrts": 6}),
    ("cholesky", (THREE,), {}, (THREE,), 4, {"multiplies": 4, "adds": 4, "divides": 3, "sqrts": 3}),
    # 2 sides of 1 + 2 products and 3 quotients
    ("triangular_solve", ((0, 0), (0, 2)), {}, ((0, 2),), 0, {"multiplies": 0, "adds": 0, "divides": 0}),
    ("triangular_solve", (THREE, (3, 2)), {}, ((3, 2),), 6, {"multiplies": 6, "adds": 6, "divides": 6}),
    (
        "triangular_solve",
        (THREE, (3, 2)),
        {"unit": 1},
        ((3, 2),),
        6,
        {"multiplies": 6, "adds": 6, "divides": 0},
    ),
    (
        "triangular_solve",
        (THREE, (3, 2)),
        {"triangles": 2, "unit": 1},
        ((3, 2),),
        12,
        {"multiplies": 12, "adds": 12, "divides": 6},
    ),
    (
        "triangular_solve",
        (THREE, (2, 3)),
        {"left": False},
        ((2, 3),),
        6,
        {"multiplies": 6, "adds": 6, "divides": 6},
    ),
    (
        "triangular_solve",
        (THREE, (3,)),
        {"vector": True},
        ((3,),),
        3,
        {"multiplies": 3, "adds": 3, "divides": 3},
    ),
    (
        "triangular_solve",
        ((5, 3, 3), (3, 2)),
        {},
        ((5, 3, 2),),
        30,
        {"multiplies": 30, "adds": 30, "divides": 30},
    ),
    # an elimination, and two triangles for each of 2 sides, one of them without quotients
    (
        "solve",
        (THREE, (3, 2)),
        {},
        ((3, 2),),
        17,
        {"multiplies": 17, "adds": 17, "divides": 9, "compares": 3},
    ),
    # three of them, with a side each
    (
        "solve",
        ((4, 3, 3), (4, 3)),
        {"vector": True},
        ((4, 3),),
        44,
        {"multiplies": 44, "adds": 44, "divides": 24, "compares": 12},
    ),
    # 27 products and quotients, 9 of them quotients; 3 * 2 * 2 additions
    ("inverse", (THREE,), {}, (THREE,), 12, {"multiplies": 18, "adds": 12, "divides": 9, "compares": 3}),
    # the elimination, and 2 products of the diagonal
    ("det", (THREE,), {}, ((),), 5, {"multiplies": 7, "adds": 5, "divides": 3, "compares": 3}),
    # 3 magnitudes and logarithms, and 2 additions, twice
    (
        "log_det",
        ((2, 3, 3),),
        {},
        ((2,), (2,)),
        10,
        {"multiplies": 10, "adds": 14, "divides": 6, "compares": 12, "logs": 6},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_system_takes_what_the_plain_algorithm_takes(
    ask: Ask, case: tuple[str, Shapes, dict[str, object], Shapes, int, dict[str, int]]
) -> None:
    kind, inputs, attrs, shapes, macs, parts = case
    found = ask(kind, *inputs, **attrs)
    assert (found.shapes, found.parts, found.facts) == (shapes, parts, {"macs": macs, "dots": 0})


def test_an_elimination_of_n_takes_a_third_of_n_cubed(ask: Ask) -> None:
    parts = ask("lu", (100, 100)).parts
    assert parts["multiplies"] + parts["divides"] == 100 * 9999 // 3


ITERATED = [
    ("svd", (5, 3), {}, ((5, 3), (3,), (3, 3))),
    ("svd", (2, 3, 5), {}, ((2, 3, 3), (2, 3), (2, 3, 5))),
    ("svd", (5, 3), {"full": True}, ((5, 5), (3,), (3, 3))),
    ("eig", (2, 3, 3), {}, ((2, 3), (2, 3, 3))),
    ("eig", (3, 3), {"vectors": False}, ((3,),)),
    ("matrix_exp", (3, 3), {}, ((3, 3),)),
]


@pytest.mark.parametrize(("kind", "given", "attrs", "shapes"), ITERATED)
def test_what_iterates_until_it_has_converged_is_unknown(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], shapes: Shapes
) -> None:
    found = ask(kind, given, **attrs)
    assert (found.shapes, found.parts) == (shapes, None)


def test_every_kind_is_tested() -> None:
    assert {kind for kind, *_ in (*CASES, *ITERATED)} == {kind.name for kind in solve.KINDS}


IMPOSSIBLE = [
    ("lu", ((3,),), {}, "a matrix has two axes"),
    ("cholesky", ((3, 4),), {}, "3 rows and 4 columns is not square"),
    ("inverse", ((2, 3, 4),), {}, "is not square"),
    ("solve", (THREE,), {}, "has two inputs"),
    ("solve", (THREE, (4, 2)), {}, "don't have 3 elements each"),
    ("solve", (THREE, (3,)), {}, "don't have 3 elements each"),
    ("solve", (THREE, (3, 2)), {"left": False}, "don't have 3 elements each"),
    ("solve", ((2, 3, 3), (4, 3, 2)), {}, "can't be broadcast"),
    ("eig", ((3, 4),), {}, "is not square"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_what_can_not_be_solved_says_why(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)
