from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.kinds import special

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3)  # 6 elements

CASES = [
    ("special", (A,), {}, {"trigs": 6}),
    ("sinc", (A,), {}, {"compares": 6, "multiplies": 6, "trigs": 6, "divides": 6}),
    ("nan_to_num", (A,), {}, {"compares": 18}),
    # a quotient, rounding and the zero point on and off again, two bounds, a product
    ("fake_quantize", (A,), {}, {"divides": 6, "adds": 18, "compares": 12, "multiplies": 6}),
    # a quotient, rounding and the zero point on, two bounds; the zero point off, a product
    ("quantize", (A,), {}, {"divides": 6, "adds": 12, "compares": 12}),
    ("dequantize", (A,), {}, {"adds": 6, "multiplies": 6}),
    ("logit", (A,), {}, {"adds": 6, "divides": 6, "logs": 6}),
    ("logit", (A,), {"clipped": True}, {"adds": 6, "divides": 6, "logs": 6, "compares": 12}),
    ("atan2", (A, A), {}, {"trigs": 6}),
    ("xlogy", (A, (3,)), {}, {"multiplies": 6, "logs": 6}),
    ("xlogy", (A,), {"scalars": 1}, {"multiplies": 6, "logs": 6}),
    ("logaddexp", (A, A), {}, {"compares": 6, "adds": 18, "exps": 6, "logs": 6}),
    ("hypot", (A, A), {}, {"multiplies": 12, "adds": 6, "sqrts": 6}),
    ("copysign", (A, A), {}, {}),
    ("heaviside", (A, A), {}, {"compares": 12}),
    ("ldexp", (A, A), {}, {"multiplies": 6, "powers": 6}),
    ("polar", (A, A), {}, {"multiplies": 12, "trigs": 12}),
    # two vectors of three: six products and three differences each
    ("cross", (A, A), {}, {"multiplies": 12, "adds": 6}),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "parts"), CASES)
def test_a_function_costs_what_its_formula_says(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], parts: dict[str, int]
) -> None:
    found = ask(kind, *inputs, **attrs)
    assert (found.shapes, found.parts, found.facts) == ((A,), parts, {})


def test_every_function_has_its_parts_tested() -> None:
    assert {kind for kind, *_ in CASES} == {kind.name for kind in special.KINDS}
