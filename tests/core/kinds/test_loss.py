from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import loss

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

CASES = [
    # 4 vectors of 5 classes: a softmax of 16 comparisons, 36 additions, 20 exps, 20 divisions;
    # 4 logarithms, 3 additions, a division
    (
        "softmax_cross_entropy",
        {},
        {"compares": 16, "adds": 39, "exps": 20, "divides": 21, "logs": 4},
    ),
    # the softmax alone, of 20 differences and 16 additions, and 4 logarithms
    (
        "softmax_cross_entropy",
        {"mean": False},
        {"compares": 16, "adds": 36, "exps": 20, "divides": 20, "logs": 4},
    ),
    # 20 logarithms times 20 weights, 19 additions
    (
        "infogain",
        {},
        {"compares": 16, "adds": 55, "exps": 20, "divides": 21, "logs": 20, "multiplies": 20},
    ),
    # 3 additions for each of 20, 19 for the sum
    (
        "sigmoid_cross_entropy",
        {},
        {"compares": 20, "multiplies": 20, "adds": 79, "exps": 20, "logs": 20, "divides": 1},
    ),
    ("mse", {}, {"adds": 39, "multiplies": 20, "divides": 1}),
    ("smooth_l1", {}, {"adds": 59, "compares": 40, "multiplies": 40, "divides": 1}),
    ("hinge", {}, {"adds": 39, "compares": 20, "divides": 1}),
    # 20 differences, 20 squares, sums 4 * 4; for each of 4 pairs a root, 3, 1 and 3; sum 3
    ("contrastive", {}, {"adds": 51, "multiplies": 32, "sqrts": 4, "compares": 4, "divides": 1}),
    ("mse", {"reduction": "sum"}, {"adds": 39, "multiplies": 20}),
    ("smooth_l1", {"reduction": "sum"}, {"adds": 59, "compares": 40, "multiplies": 40}),
    # a weight of the positive takes 2 products and 2 additions for each, a weight of each one product
    (
        "sigmoid_cross_entropy",
        {"weighted": True, "positive_weight": True},
        {"compares": 20, "multiplies": 80, "adds": 119, "exps": 20, "logs": 20, "divides": 1},
    ),
    # 1 - z, 1 - p and the sum of both terms, of two products and two logarithms
    ("binary_cross_entropy", {}, {"logs": 40, "multiplies": 40, "adds": 79, "divides": 1}),
    ("binary_cross_entropy", {"weighted": True}, {"logs": 40, "multiplies": 60, "adds": 79, "divides": 1}),
    ("soft_margin", {}, {"multiplies": 20, "exps": 20, "adds": 39, "logs": 20, "divides": 1}),
    # 16 terms of 2 additions and a comparison, 4 sums of 4, 4 quotients; sum 3
    ("multi_margin", {}, {"adds": 47, "compares": 16, "divides": 5}),
    ("multi_margin", {"p": 2}, {"adds": 47, "compares": 16, "divides": 5, "multiplies": 16}),
    ("nll", {}, {"adds": 3, "divides": 1, "logs": 0}),
    ("nll", {"reduction": "sum"}, {"adds": 3, "logs": 0}),
    ("nll", {"log": True}, {"adds": 3, "divides": 1, "logs": 4}),
    ("accuracy", {}, {"compares": 20, "adds": 3, "divides": 1}),
    ("accuracy", {"top": 5}, {"compares": 20, "adds": 3, "divides": 1}),
]


@pytest.mark.parametrize(("kind", "attrs", "parts"), CASES)
def test_a_loss_is_one_number_for_the_batch(
    ask: Ask, kind: str, attrs: dict[str, object], parts: dict[str, int]
) -> None:
    found = ask(kind, (4, 5), (4,), **attrs)
    assert (found.shapes, found.parts, found.facts) == (((),), parts, {})


def test_every_loss_has_its_parts_tested() -> None:
    assert {kind for kind, *_ in CASES} == {kind.name for kind in loss.KINDS if kind.parts}


UNREDUCED = [
    ("mse", {"adds": 20, "multiplies": 20}),
    ("binary_cross_entropy", {"logs": 40, "multiplies": 40, "adds": 60}),
    # 48 less 4, and 4 quotients by the number of classes
    ("multi_margin", {"adds": 44, "compares": 16, "divides": 4}),
]


@pytest.mark.parametrize(("kind", "parts"), UNREDUCED)
def test_losses_that_stay_apart_are_not_summed(ask: Ask, kind: str, parts: dict[str, int]) -> None:
    found = ask(kind, (4, 5), (4,), reduction="none", outputs=((4,),))
    assert (found.shapes, found.parts) == (((4,),), parts)


def test_a_reduction_that_is_not_known_is_refused(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="'max' is none of mean, sum and none"):
        ask("mse", (4, 5), reduction="max")


@pytest.mark.parametrize("kind", ["multi_label_margin", "ctc"])
def test_a_loss_of_as_many_labels_as_the_data_say_is_unknown(ask: Ask, kind: str) -> None:
    assert ask(kind, (4, 5), (4, 5)).parts is None


def test_a_loss_at_each_pixel_has_as_many_labels(ask: Ask) -> None:
    found = ask("softmax_cross_entropy", (1, 5, 2, 2), (1, 2, 2))
    assert found.parts == {"compares": 16, "adds": 39, "exps": 20, "divides": 21, "logs": 4}


def test_further_outputs_are_given(ask: Ask) -> None:
    assert ask("softmax_cross_entropy", (4, 5), outputs=((), (4, 5))).shapes == ((), (4, 5))


@pytest.mark.parametrize("outputs", [3, (3,), (("a",),)])
def test_outputs_that_are_no_shapes_are_refused(ask: Ask, outputs: object) -> None:
    with pytest.raises(ShapeError, match="shape"):
        ask("mse", (4, 5), outputs=outputs)


def test_classes_need_their_axis(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="there is no axis 1 among 1"):
        ask("nll", (4,))
