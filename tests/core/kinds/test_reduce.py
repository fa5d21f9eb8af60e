from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import reduce

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3, 4)  # 24 elements

CASES = [
    # all 24 to one
    ("reduce_sum", {}, ((),), {"adds": 23}),
    # 4 to one, 6 times
    ("reduce_sum", {"axes": (-1,)}, ((2, 3),), {"adds": 18}),
    ("reduce_sum", {"axes": (-1,), "keep_dims": True}, ((2, 3, 1),), {"adds": 18}),
    # 8 to one, 3 times
    ("reduce_sum", {"axes": (0, 2)}, ((3,),), {"adds": 21}),
    ("reduce_sum", {"axes": (0, 2), "keep_dims": True}, ((1, 3, 1),), {"adds": 21}),
    ("reduce_sum", {"axes": ()}, (A,), {"adds": 0}),
    ("reduce_sum", {"axes": (2,), "coefficient": 0.5}, ((2, 3),), {"adds": 18, "multiplies": 6}),
    ("reduce_mean", {"axes": (1,)}, ((2, 4),), {"adds": 16, "divides": 8}),
    ("reduce_max", {"axes": (1,)}, ((2, 4),), {"compares": 16}),
    ("reduce_min", {}, ((),), {"compares": 23}),
    ("reduce_prod", {"axes": (2,)}, ((2, 3),), {"multiplies": 18}),
    ("reduce_prod", {"axes": (2,), "coefficient": 2}, ((2, 3),), {"multiplies": 24}),
    ("reduce_asum", {"axes": (2,)}, ((2, 3),), {"adds": 18, "compares": 24}),
    ("reduce_sumsq", {"axes": (2,)}, ((2, 3),), {"adds": 18, "multiplies": 24}),
    ("reduce_any", {"axes": (2,)}, ((2, 3),), {"compares": 18}),
    ("arg_max", {"axes": (2,)}, ((2, 3),), {"compares": 18}),
    ("arg_max", {}, ((),), {"compares": 23}),
    ("arg_max", {"axes": (2,), "keep_dims": True, "values": True}, ((2, 3, 1), (2, 3, 1)), {"compares": 18}),
    # the first takes 3 comparisons, the second 2: 5, 6 times
    ("arg_max", {"axes": (2,), "top": 2}, ((2, 3, 2),), {"compares": 30}),
    # the first of 12 takes 11, the next 10, twice
    ("arg_max", {"axes": (1, 2), "top": 2, "shape": (2, 1, 2)}, ((2, 1, 2),), {"compares": 42}),
    ("top_k", {"size": 3}, ((2, 3, 3), (2, 3, 3)), {"compares": 36}),
    ("top_k", {"size": 1, "axis": 0}, ((1, 3, 4), (1, 3, 4)), {"compares": 12}),
    # 3 comparisons for the smallest and 3 for the largest, 6 times
    ("min_max", {"axes": (2,)}, ((2, 3), (2, 3)), {"compares": 36}),
    # 6 of 4: 18 for the mean, 24 differences, 18 for the variance
    ("variance", {"axes": (2,)}, ((2, 3),), {"adds": 60, "multiplies": 24, "divides": 12}),
    (
        "variance",
        {"axes": (2,), "root": True},
        ((2, 3),),
        {"adds": 60, "multiplies": 24, "divides": 12, "sqrts": 6},
    ),
    # 6 results of 4: 3 comparisons, 4 differences, 4 exponentials, 3 + 1 additions and a logarithm each
    ("logsumexp", {"axes": (2,)}, ((2, 3),), {"compares": 18, "adds": 48, "exps": 24, "logs": 6}),
    # 6 of 4: 24 squares, 18 additions, 6 roots
    ("vector_norm", {"axes": (2,)}, ((2, 3),), {"multiplies": 24, "adds": 18, "sqrts": 6}),
    ("vector_norm", {}, ((),), {"multiplies": 24, "adds": 23, "sqrts": 1}),
    # 24 magnitudes, 18 additions; likewise 24 times whether an element is 0
    ("vector_norm", {"axes": (2,), "order": 1}, ((2, 3),), {"compares": 24, "adds": 18}),
    ("vector_norm", {"axes": (2,), "order": 0.0}, ((2, 3),), {"compares": 24, "adds": 18}),
    # 24 magnitudes, 24 powers and 6 of the sums
    ("vector_norm", {"axes": (2,), "order": 3.0}, ((2, 3),), {"compares": 24, "powers": 30, "adds": 18}),
    # 24 magnitudes, the largest of 4 by 3 more
    (
        "vector_norm",
        {"axes": (2,), "keep_dims": True, "order": None},
        ((2, 3, 1),),
        {"compares": 42},
    ),
    ("accumulate", {"shape": (5, 4)}, ((5, 4),), {"adds": 24}),
    ("accumulate", {"shape": (5, 4), "scaled": True}, ((5, 4),), {"adds": 24, "multiplies": 24}),
    ("accumulate", {"shape": (5, 4), "join": "mean"}, ((5, 4),), {"adds": 24, "divides": 20}),
    ("accumulate", {"shape": (5, 4), "join": "prod"}, ((5, 4),), {"multiplies": 24}),
    ("accumulate", {"shape": (5, 4), "join": "max"}, ((5, 4),), {"compares": 24}),
    ("histogram", {"bins": 5}, ((5,),), {"adds": 48, "divides": 24}),
]


@pytest.mark.parametrize(("kind", "attrs", "shapes", "parts"), CASES)
def test_joining_takes_one_operation_less_than_elements(
    ask: Ask, kind: str, attrs: dict[str, object], shapes: Shapes, parts: dict[str, int]
) -> None:
    found = ask(kind, A, **attrs)
    assert (found.shapes, found.parts, found.facts) == (shapes, parts, {})


def test_every_reduction_has_its_parts_tested() -> None:
    assert {kind for kind, *_ in CASES} == {kind.name for kind in reduce.KINDS}


def test_no_reduction_is_free() -> None:
    assert not any(kind.free for kind in reduce.KINDS)


IMPOSSIBLE = [
    ("reduce_sum", {"axes": (3,)}, "there is no axis 3 among 3"),
    ("reduce_sum", {"axes": (2, -1)}, "name one twice"),
    ("arg_max", {"axes": (1, 2), "top": 2}, "the 2 largest are looked for along 2 axes"),
    ("top_k", {"size": 5}, "the 5 largest of 4 are asked for"),
    ("min_max", {"axes": (3,)}, "there is no axis 3 among 3"),
    ("accumulate", {"shape": (5, 4), "join": "any"}, "the way to join 'any' is none of sum, mean"),
]


@pytest.mark.parametrize(("kind", "attrs", "message"), IMPOSSIBLE)
def test_what_can_not_be_reduced_says_why(
    ask: Ask, kind: str, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, A, **attrs)
