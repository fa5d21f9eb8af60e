from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import GraphError, ShapeError
from flopledger.kinds import elementwise

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3)  # 6 elements

PARTS = [
    ("add", (A, A), {}, {"adds": 6}),
    ("add", (A, A, A), {}, {"adds": 12}),
    ("add", (A,), {}, {"adds": 0}),
    ("add", (A,), {"scalars": 1}, {"adds": 6}),
    ("add", (A, A), {"coefficients": (1, -1)}, {"adds": 6, "multiplies": 6}),
    ("add", (A, A, A), {"coefficients": (0.5, 1.0, 2)}, {"adds": 12, "multiplies": 12}),
    ("subtract", (A, A), {}, {"adds": 6}),
    ("subtract", (A,), {"scalars": 1}, {"adds": 6}),
    ("multiply", (A, A, A), {}, {"multiplies": 12}),
    ("divide", (A, A), {}, {"divides": 6}),
    ("maximum", (A, A, A), {}, {"compares": 12}),
    ("minimum", (A,), {"scalars": 1}, {"compares": 6}),
    ("average", (A, A, A), {}, {"adds": 12, "divides": 6}),
    ("multiply_add", (A, A, A), {}, {"adds": 6, "multiplies": 6}),
    ("multiply_add", (A, A, A), {"scaled": True}, {"adds": 6, "multiplies": 12}),
    ("multiply_add", (A, A, A), {"divides": True}, {"adds": 6, "multiplies": 0, "divides": 6}),
    ("lerp", (A, A), {"scalars": 1}, {"adds": 12, "multiplies": 6}),
    ("power", (A,), {"scalars": 1}, {"powers": 6}),
    ("modulo", (A, A), {}, {"divides": 6}),
    ("compare", (A, A), {}, {"compares": 6}),
    ("logical", (A, A), {}, {"compares": 6}),
    ("logical", (A,), {}, {"compares": 0}),
    ("select", (A, A, A), {}, {}),
    ("select", (A, A), {"scalars": 1}, {}),
    ("exp", (A,), {}, {"exps": 6}),
    ("log", (A,), {}, {"logs": 6}),
    ("sqrt", (A,), {}, {"sqrts": 6}),
    ("rsqrt", (A,), {}, {"sqrts": 6}),
    ("square", (A,), {}, {"multiplies": 6}),
    ("abs", (A,), {}, {"compares": 6}),
    ("negate", (A,), {}, {}),
    ("reciprocal", (A,), {}, {"divides": 6}),
    ("sin", (A,), {}, {"trigs": 6}),
    ("cos", (A,), {}, {"trigs": 6}),
    ("erf", (A,), {}, {"trigs": 6}),
    ("round", (A,), {}, {"adds": 6}),
    ("sign", (A,), {}, {"compares": 12}),
    ("clip", (A,), {}, {"compares": 12}),
    ("power_law", (A,), {}, {"multiplies": 0, "adds": 0, "powers": 0}),
    (
        "power_law",
        (A,),
        {"power": 2.0, "scale": 0.5, "shift": 1},
        {"multiplies": 6, "adds": 6, "powers": 6},
    ),
    ("power_law", (A,), {"scale": -1.0}, {"multiplies": 6, "adds": 0, "powers": 0}),
    ("power_law", (A,), {"power": 0, "shift": 3}, {}),
    ("power_law", (A,), {"scale": 0.0, "shift": 3}, {}),
    ("exp_law", (A,), {}, {"multiplies": 0, "adds": 0, "exps": 6}),
    ("exp_law", (A,), {"base": 2.0, "shift": 1.0}, {"multiplies": 0, "adds": 6, "powers": 6}),
    ("exp_law", (A,), {"scale": 3}, {"multiplies": 6, "adds": 0, "exps": 6}),
    ("log_law", (A,), {}, {"multiplies": 0, "adds": 0, "logs": 6}),
    ("log_law", (A,), {"base": 10.0, "scale": 2, "shift": 1}, {"multiplies": 12, "adds": 6, "logs": 6}),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "parts"), PARTS)
def test_an_operation_costs_what_its_name_says(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], parts: dict[str, int]
) -> None:
    found = ask(kind, *inputs, **attrs)
    assert (found.shapes, found.parts, found.facts) == ((A,), parts, {})


def test_every_operation_has_its_parts_tested() -> None:
    assert {kind for kind, *_ in PARTS} == {kind.name for kind in elementwise.KINDS}


BROADCAST = [
    (((2, 3), (3,)), (2, 3)),
    (((2, 1, 4), (3, 1)), (2, 3, 4)),
    (((), (2, 3)), (2, 3)),
    (((1,), (0,)), (0,)),
    (((2, 3), (1, 1), (5, 1, 1)), (5, 2, 3)),
]


@pytest.mark.parametrize(("inputs", "out"), BROADCAST)
def test_operands_are_broadcast_as_numpy_does(ask: Ask, inputs: Shapes, out: tuple[int, ...]) -> None:
    assert ask("add", *inputs).shapes == (out,)


def test_the_work_is_that_of_the_output(ask: Ask) -> None:
    assert ask("multiply", (2, 1, 4), (3, 1)).parts == {"multiplies": 24}


def test_symbols_are_broadcast_exactly(ask: Ask) -> None:
    n, h = symbol("N"), symbol("H")
    assert ask("add", (n, 3), (1, 3)).shapes == ((n, 3),)
    assert ask("add", (n, 3), (4, h)).shapes == ((4, 3),)
    assert ask("add", (n, h), (n, h)).shapes == ((n, h),)


IMPOSSIBLE = [
    ("add", ((2, 3), (2, 4)), {}, "the sizes 3 and 4 can't be broadcast"),
    ("add", (), {}, "add has no operand"),
    ("add", (A, A), {"coefficients": (1,)}, "are not one for each operand"),
    ("add", (A, A), {"coefficients": 1}, "are not one for each operand"),
    ("subtract", (A,), {}, "subtract takes two operands, found 1"),
    ("divide", (A, A, A), {}, "divide takes two operands, found 3"),
    ("power", (A, A), {"scalars": 1}, "power takes two operands, found 3"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_operands_that_do_not_fit_say_why(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)


def test_a_number_that_is_a_word_is_refused(ask: Ask) -> None:
    with pytest.raises(GraphError, match="'power' is 'two', expected a number"):
        ask("power_law", A, power="two")
