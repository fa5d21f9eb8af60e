from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]


def test_a_grid_says_where_the_input_is_sampled(ask: Ask) -> None:
    found = ask("grid_sample", (2, 3, 8, 9), (2, 5, 6, 2))
    # 180 samples: along the first axis one interpolation of 2, along the second two
    assert found.shapes == ((2, 3, 5, 6),)
    assert found.parts == {"multiplies": 180 * 3 * 2, "adds": 180 * 3}


def test_a_cubic_sample_reads_four_along_each_axis(ask: Ask) -> None:
    found = ask("grid_sample", (1, 1, 8, 9), (1, 1, 1, 2), mode="cubic")
    assert found.parts == {"multiplies": 5 * 4, "adds": 5 * 3}


def test_the_nearest_is_a_copy(ask: Ask) -> None:
    assert ask("grid_sample", (2, 3, 8, 9), (2, 5, 6, 2), mode="nearest").parts == {}


def test_a_volume_is_sampled_along_three_axes(ask: Ask) -> None:
    found = ask("grid_sample", (1, 2, 4, 4, 4), (1, 1, 1, 3, 3))
    # 6 samples: 1 + 2 + 4 interpolations of 2
    assert found.shapes == ((1, 2, 1, 1, 3),)
    assert found.parts == {"multiplies": 84, "adds": 42}


@pytest.mark.parametrize(("grid", "mode"), [((2, 5, 2), "linear"), ((2, 5, 6, 2), "area")])
def test_what_is_no_grid_or_mode_is_refused(ask: Ask, grid: tuple[int, ...], mode: str) -> None:
    with pytest.raises(ShapeError):
        ask("grid_sample", (2, 3, 8, 9), grid, mode=mode)


def test_a_deformable_convolution_has_the_macs_of_a_convolution(ask: Ask) -> None:
    attrs = {"kernel": (3, 3), "out_channels": 6, "padding": (1, 1), "bias": True}
    found = ask("deform_conv", (1, 4, 5, 5), **attrs)
    # 25 places, 6 outputs of 9 * 4 terms
    assert found.shapes == ((1, 6, 5, 5),)
    assert (found.facts["macs"], found.facts["dots"]) == (5400, 150)
    # 25 * 9 * 4 = 900 samples of 6 products and 3 additions
    assert found.parts == {"multiplies": 5400 + 5400, "adds": 5250 + 2700, "bias_adds": 150}
    masked = ask("deform_conv", (1, 4, 5, 5), mask=True, **attrs)
    assert masked.parts["multiplies"] == 5400 + 5400 + 900


@pytest.mark.parametrize(
    ("given", "size", "out", "macs"),
    [
        # 80 coordinates of 3 terms
        ((2, 2, 3), (4, 5), (2, 4, 5, 2), 240),
        # 24 coordinates of 4 terms
        ((1, 3, 4), (2, 2, 2), (1, 2, 2, 2, 3), 96),
    ],
)
def test_a_grid_is_mapped_place_by_place(
    ask: Ask, given: tuple[int, ...], size: tuple[int, ...], out: tuple[int, ...], macs: int
) -> None:
    found = ask("affine_grid", given, size=size)
    assert (found.shapes, found.facts["macs"]) == ((out,), macs)
    assert found.parts["multiplies"] == macs


def test_a_coordinate_of_a_place_is_a_dot_product(ask: Ask) -> None:
    # 80 of 3 terms
    parts = ask("affine_grid", (2, 2, 3), size=(4, 5)).parts
    assert parts == {"multiplies": 240, "adds": 160, "bias_adds": 0}


def test_a_map_of_other_sizes_is_refused(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="2 axes need an affine map of 2 rows and 3 columns"):
        ask("affine_grid", (2, 3, 4), size=(4, 5))


def test_a_sequence_is_sampled_along_one_axis(ask: Ask) -> None:
    found = ask("grid_sample", (1, 2, 4), (1, 3, 1))
    # 6 samples of 2 products
    assert (found.shapes, found.parts) == (((1, 2, 3),), {"multiplies": 12, "adds": 6})


def test_each_image_of_a_batch_is_sampled(ask: Ask) -> None:
    one, two = (ask("deform_conv", (n, 4, 5, 5), kernel=(3, 3), out_channels=6).parts for n in (1, 2))
    assert two == {name: 2 * count for name, count in one.items()}
