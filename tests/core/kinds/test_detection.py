from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]


def test_priors_are_four_numbers_and_their_variances(ask: Ask) -> None:
    found = ask("prior_box", (2, 512, 38, 38), (2, 3, 300, 300), priors=4)
    # 38 * 38 * 4 * 4
    assert (found.shapes, found.parts) == (((1, 2, 23104),), {})


def test_each_box_is_pooled_to_one_size(ask: Ask) -> None:
    assert ask("roi_pool", (1, 512, 38, 50), (300, 5), pooled=(7, 6)).shapes == ((300, 512, 7, 6),)


def test_each_box_is_interpolated_to_one_size() -> None:
    found = builtin()["roi_align"]
    assert (found.group, found.parts) == ("resample", None)


def test_patches_are_multiplied_at_each_displacement(ask: Ask) -> None:
    """FlowNet's: 21 x 21 displacements; 20 of padding make up for the border of 20; 256 products each."""
    maps = (1, 256, 48, 64), (1, 256, 48, 64)
    found = ask("correlation", *maps, displacement=20, displacement_stride=2, padding=20)
    outputs = 441 * 48 * 64
    assert found.shapes == ((1, 441, 48, 64),)
    assert found.facts == {"macs": 256 * outputs, "dots": outputs}
    # a patch of 3 x 3 in steps of 2: ceil((9 - 2 * (1 + 1)) / 2) = 3 places, 3 x 3 displacements
    found = ask("correlation", (1, 2, 9, 9), (1, 2, 9, 9), displacement=1, kernel=3, stride=2)
    assert found.shapes == ((1, 9, 3, 3),)
    assert found.facts["macs"] == 9 * 2 * 9 * 3 * 3
    assert found.parts == {"multiplies": 1458, "adds": 1377, "bias_adds": 0, "divides": 81}


def test_what_depends_on_the_boxes_is_unknown_and_not_free() -> None:
    assert builtin()["roi_pool"].parts is None
    assert not builtin()["roi_pool"].free


IMPOSSIBLE = [
    ("correlation", ((1, 2, 9, 9), (1, 3, 9, 9)), {"displacement": 1}, "of one shape"),
    ("correlation", ((1, 2, 4, 4), (1, 2, 4, 4)), {"displacement": 2}, "has no place at a distance of 2"),
    ("prior_box", ((512, 38, 38),), {"priors": 4}, "4 dimensions"),
    ("roi_pool", ((1, 512, 38, 50),), {"pooled": (7, 7)}, "a list of boxes"),
    ("roi_pool", ((1, 512, 38), (300, 5)), {"pooled": (7, 7)}, "N, C, H, W"),
    ("roi_pool", ((1, 512, 38, 50), (300, 5)), {"pooled": (7,)}, "not a height and a width"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_inputs_that_do_not_fit_say_why(
    ask: Ask, kind: str, inputs: tuple[tuple[int, ...], ...], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)


def test_boxes_may_be_a_plain_list(ask: Ask) -> None:
    assert ask("roi_pool", (1, 512, 38, 50), (300,), pooled=(7, 6)).shapes == ((300, 512, 7, 6),)


def test_a_correlation_may_have_one_place(ask: Ask) -> None:
    # 2 from the border on each side of 5; 3 x 3 displacements
    found = ask("correlation", (1, 2, 5, 5), (1, 2, 5, 5), displacement=1, kernel=3)
    assert found.shapes == ((1, 9, 1, 1),)
