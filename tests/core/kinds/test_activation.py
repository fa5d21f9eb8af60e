from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import GraphError, ShapeError
from flopledger.kinds import activation

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

PARTS = {
    # of the 6 elements of a 2 x 3 input
    "relu": {"compares": 6},
    "relu6": {"compares": 12},
    "leaky_relu": {"compares": 6, "multiplies": 6},
    "prelu": {"compares": 6, "multiplies": 6},
    "selu": {"compares": 6, "multiplies": 12, "exps": 6, "adds": 6},
    "elu": {"compares": 6, "multiplies": 6, "exps": 6, "adds": 6},
    "celu": {"compares": 6, "divides": 6, "multiplies": 6, "exps": 6, "adds": 6},
    "gelu": {"multiplies": 18, "adds": 6, "trigs": 6},
    "gelu_tanh": {"multiplies": 36, "adds": 12, "trigs": 6},
    "quick_gelu": {"exps": 6, "adds": 6, "divides": 6, "multiplies": 12},
    "sigmoid": {"exps": 6, "adds": 6, "divides": 6},
    "tanh": {"trigs": 6},
    "silu": {"exps": 6, "adds": 6, "divides": 6, "multiplies": 6},
    "swish": {"exps": 6, "adds": 6, "divides": 6, "multiplies": 12},
    "mish": {"exps": 6, "adds": 6, "logs": 6, "trigs": 6, "multiplies": 6},
    "softplus": {"exps": 6, "adds": 6, "logs": 6},
    "squareplus": {"multiplies": 6, "adds": 12, "sqrts": 6, "divides": 6},
    "sparse_plus": {"compares": 12, "adds": 6, "multiplies": 6, "divides": 6},
    "softsign": {"compares": 6, "adds": 6, "divides": 6},
    "hard_sigmoid": {"adds": 6, "compares": 12, "divides": 6},
    "hard_swish": {"adds": 6, "compares": 12, "multiplies": 6, "divides": 6},
    "hard_tanh": {"compares": 12},
    "threshold": {"compares": 6},
    "log_sigmoid": {"exps": 6, "adds": 6, "logs": 6},
    "bnll": {"compares": 6, "exps": 6, "adds": 12, "logs": 6},
    "tanh_shrink": {"adds": 6, "trigs": 6},
    "soft_shrink": {"compares": 12, "adds": 6},
    "hard_shrink": {"compares": 12},
}


@pytest.mark.parametrize(("kind", "parts"), PARTS.items())
def test_a_function_costs_its_formula_for_each_element(ask: Ask, kind: str, parts: dict[str, int]) -> None:
    found = ask(kind, (2, 3))
    assert (found.shapes, found.parts, found.facts) == (((2, 3),), parts, {})


def test_every_function_has_its_parts_tested() -> None:
    others = {"glu", "maxout", "softmax", "log_softmax", "rectifier"}
    assert {kind.name for kind in activation.KINDS} - others == set(PARTS)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({}, {"compares": 6, "multiplies": 0, "adds": 0}),
        ({"largest": True, "threshold": True}, {"compares": 12, "multiplies": 0, "adds": 0}),
        ({"slope": True, "threshold": True}, {"compares": 6, "multiplies": 6, "adds": 6}),
        ({"slope": True, "largest": True}, {"compares": 12, "multiplies": 6, "adds": 0}),
    ],
)
def test_a_rectifier_costs_each_of_its_options(
    ask: Ask, options: dict[str, bool], parts: dict[str, int]
) -> None:
    assert ask("rectifier", (2, 3), **options).parts == parts


def test_a_learned_slope_may_be_a_second_input(ask: Ask) -> None:
    assert ask("prelu", (2, 3), (3,)).shapes == ((2, 3),)


def test_a_scalar_is_one_element(ask: Ask) -> None:
    assert ask("relu", ()).parts == {"compares": 1}


def test_a_gated_linear_unit_halves_its_axis(ask: Ask) -> None:
    found = ask("glu", (2, 6, 5), axis=1)
    assert found.shapes == ((2, 3, 5),)
    assert found.parts == {"exps": 30, "adds": 30, "divides": 30, "multiplies": 30}
    assert ask("glu", (2, 4), axis=1).shapes == ((2, 2),)


def test_an_odd_axis_can_not_be_halved(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="the size 5, which can't be halved"):
        ask("glu", (2, 6, 5))


def test_maxout_compares_the_pieces_of_each_group(ask: Ask) -> None:
    found = ask("maxout", (2, 6, 5), pieces=3)
    # 2 * 2 * 5 groups of 3, two comparisons each
    assert (found.shapes, found.parts, found.facts) == (((2, 2, 5),), {"compares": 40}, {})
    assert ask("maxout", (2, 5, 6), pieces=2, axis=-1).shapes == ((2, 5, 3),)
    assert ask("maxout", (2, 6, 5), pieces=1).parts == {"compares": 0}


@pytest.mark.parametrize("pieces", [4, 0, -1])
def test_pieces_that_do_not_divide_the_axis_are_refused(ask: Ask, pieces: int) -> None:
    with pytest.raises(ShapeError, match=f"the size 6, which has no groups of {pieces} pieces"):
        ask("maxout", (2, 6, 5), pieces=pieces)


@pytest.mark.parametrize(
    ("axis", "parts"),
    [
        # 8 vectors of 5: 32 comparisons, 40 differences and 32 additions
        (-1, {"compares": 32, "adds": 72, "exps": 40, "divides": 40}),
        # 10 vectors of 4: 30, 40 and 30
        (1, {"compares": 30, "adds": 70, "exps": 40, "divides": 40}),
        # 2 vectors of 20: 38, 40 and 38
        ((1, 2), {"compares": 38, "adds": 78, "exps": 40, "divides": 40}),
    ],
)
def test_softmax_runs_along_its_axis(ask: Ask, axis: int | tuple[int, ...], parts: dict[str, int]) -> None:
    found = ask("softmax", (2, 4, 5), axis=axis)
    assert (found.shapes, found.parts) == (((2, 4, 5),), parts)


def test_log_softmax_takes_one_logarithm_for_each_vector(ask: Ask) -> None:
    found = ask("log_softmax", (2, 4, 5))
    # 8 vectors of 5: 40 + 32 + 40 additions
    assert found.shapes == ((2, 4, 5),)
    assert found.parts == {"compares": 32, "adds": 112, "exps": 40, "logs": 8}


@pytest.mark.parametrize("kind", ["softmax", "log_softmax", "glu"])
def test_an_axis_that_is_not_there_is_refused(ask: Ask, kind: str) -> None:
    with pytest.raises(ShapeError, match="there is no axis 2 among 2"):
        ask(kind, (2, 4), axis=2)


def test_an_attribute_that_it_does_not_have_is_refused(ask: Ask) -> None:
    with pytest.raises(GraphError, match="the kind 'relu' has no attribute 'slope'"):
        ask("relu", (2,), slope=1)
