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
    ("nll", {}, {"adds": 3, "divides": 1, "logs": 0}),
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
    assert {kind for kind, *_ in CASES} == {kind.name for kind in loss.KINDS}


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
