from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import distance

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

LISTS = ((2, 4, 3), (5, 3))  # 40 pairs of 3 elements

CASES = [
    # 120 differences, 120 squares, 40 sums of 3, 40 roots
    ("cdist", LISTS, {}, (2, 4, 5), (120, 40), {"multiplies": 120, "adds": 120 + 80, "sqrts": 40}),
    # 120 magnitudes
    ("cdist", LISTS, {"order": 1}, (2, 4, 5), (0, 0), {"compares": 120, "adds": 120 + 80}),
    # the largest of 3 magnitudes
    ("cdist", LISTS, {"order": None}, (2, 4, 5), (0, 0), {"compares": 120 + 80, "adds": 120}),
    ("cdist", LISTS, {"order": 3}, (2, 4, 5), (0, 0), {"compares": 120, "powers": 160, "adds": 200}),
    # 3 + 2 + 1 pairs
    ("pdist", ((4, 3),), {}, (6,), (18, 6), {"multiplies": 18, "adds": 18 + 12, "sqrts": 6}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_squared_distance_is_a_dot_product(
    ask: Ask, case: tuple[str, Shapes, dict[str, object], tuple[int, ...], tuple[int, int], dict[str, int]]
) -> None:
    kind, inputs, attrs, out, facts, parts = case
    found = ask(kind, *inputs, **attrs)
    assert (found.shapes, found.parts) == ((out,), parts)
    assert (found.facts["macs"], found.facts["dots"]) == facts


def test_the_distance_of_two_tensors_is_one_number(ask: Ask) -> None:
    found = ask("dist", (2, 3), (3,))
    assert (found.shapes, found.facts) == (((),), {})
    assert found.parts == {"multiplies": 6, "adds": 6 + 5, "sqrts": 1}


def test_every_distance_has_its_parts_tested() -> None:
    assert {"dist", *(kind for kind, *_ in CASES)} == {kind.name for kind in distance.KINDS}


IMPOSSIBLE = [
    ("cdist", ((4, 3),), "two lists of vectors"),
    ("cdist", ((4, 3), (3,)), "two lists of vectors"),
    ("cdist", ((4, 3), (5, 2)), "vectors of 3 and of 2 elements"),
    ("cdist", ((2, 4, 3), (3, 5, 3)), "can't be broadcast"),
    ("pdist", ((2, 4, 3),), "one list of vectors"),
]


@pytest.mark.parametrize(("kind", "inputs", "message"), IMPOSSIBLE)
def test_what_has_no_distance_says_why(ask: Ask, kind: str, inputs: Shapes, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs)
