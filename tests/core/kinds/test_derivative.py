from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

GIVEN = (2, 3, 5)  # 30 elements, 6 vectors along the last axis


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("tanh_derivative", {"multiplies": 60, "adds": 30}),
        ("sigmoid_derivative", {"multiplies": 60, "adds": 30}),
        ("relu_derivative", {"compares": 30}),
        ("silu_derivative", {"exps": 30, "divides": 30, "adds": 90, "multiplies": 90}),
    ],
)
def test_a_derivative_of_a_function_counts_each_element(ask: Ask, kind: str, parts: dict[str, int]) -> None:
    found = ask(kind, GIVEN)
    assert (found.shapes, found.parts, found.facts) == ((GIVEN,), parts, {})


def test_the_derivative_of_a_softmax_sums_each_vector(ask: Ask) -> None:
    """Sums of 6 vectors of 5: 24 additions; and a difference for each of 30 elements."""
    assert ask("softmax_derivative", GIVEN, axis=-1).parts == {"multiplies": 60, "adds": 54}
    found = ask("log_softmax_derivative", GIVEN, axis=2)
    assert (found.shapes, found.parts) == ((GIVEN,), {"exps": 30, "multiplies": 30, "adds": 54})


RESULT, INPUT, WEIGHT = (2, 8, 4, 4), (2, 4, 6, 6), (8, 2, 3, 3)  # 2 groups
ONCE = 2 * 8 * 16 * 2 * 9  # 2 pictures, 8 channels, 4 by 4 places, 2 by 3 by 3 products each


def test_a_convolution_is_derived_by_input_weight_and_bias(ask: Ask) -> None:
    found = ask("conv_derivative", RESULT, INPUT, WEIGHT, of_bias=True)
    assert found.shapes == (INPUT, WEIGHT, (8,))
    assert found.facts == {"macs": 2 * ONCE, "dots": 2 * 4 * 36 + 8 * 18}
    # a sum over 2 * 16 places for each of 8 channels: 31 additions each
    assert found.parts == {"multiplies": 2 * ONCE, "adds": 2 * ONCE - 288 - 144 + 8 * 31, "bias_adds": 0}


@pytest.mark.parametrize(
    ("of_input", "of_weight", "shapes", "dots"),
    [(True, False, (INPUT,), 288), (False, True, (WEIGHT,), 144)],
)
def test_one_derivative_of_a_convolution_has_as_many_products_as_it(
    ask: Ask, *, of_input: bool, of_weight: bool, shapes: tuple[tuple[int, ...], ...], dots: int
) -> None:
    found = ask("conv_derivative", RESULT, INPUT, WEIGHT, of_input=of_input, of_weight=of_weight)
    assert (found.shapes, found.facts) == (shapes, {"macs": ONCE, "dots": dots})


def test_a_convolution_without_axes_is_derived_as_a_product_and_reads_three_inputs(ask: Ask) -> None:
    shapes = ((2, 5), (2, 3), (5, 3))
    for given in (shapes, (*shapes, (5,))):  # a fourth one, such as a mask, is none of its operands
        found = ask("conv_derivative", *given)
        assert (found.shapes, found.facts) == (((2, 3), (5, 3)), {"macs": 2 * 30, "dots": 6 + 15})


def test_a_transposed_convolution_has_its_products_at_each_place_of_the_input(ask: Ask) -> None:
    """2 pictures, 4 channels, 6 by 6 places, each meets 2 by 3 by 3 weights."""
    found = ask("conv_derivative", (2, 2, 8, 8), INPUT, (4, 2, 3, 3), transposed=True, of_weight=False)
    assert (found.shapes, found.facts["macs"]) == ((INPUT,), 2 * 4 * 36 * 18)


@pytest.mark.parametrize("inputs", [(RESULT, INPUT), ((2,), INPUT, WEIGHT)])
def test_a_derivative_of_a_convolution_without_its_operands_says_so(
    ask: Ask, inputs: tuple[tuple[int, ...], ...]
) -> None:
    with pytest.raises(ShapeError, match="the gradient of the result, the input and the weight"):
        ask("conv_derivative", *inputs)
