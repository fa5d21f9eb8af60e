from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

SHAPES = [
    ((2, 3, 4, 5), {"scale": (2, 2)}, (2, 3, 8, 10)),
    ((2, 3, 4, 5), {"size": (7, 9)}, (2, 3, 7, 9)),
    ((3, 4, 5), {"size": (7, 9)}, (3, 7, 9)),
    # floor(4 * 3 / 2) = 6, floor(5 * 3 / 2) = 7
    ((2, 3, 4, 5), {"scale": ((3, 2), (3, 2))}, (2, 3, 6, 7)),
    ((2, 3, 4, 5), {"scale": ((1, 2), 1)}, (2, 3, 2, 5)),
    ((2, 4, 5, 3), {"scale": (2, 2), "channels_last": True}, (2, 8, 10, 3)),
    ((2, 3, 4), {"scale": (3,), "axes": 1}, (2, 3, 12)),
    ((2, 3, 4, 5, 6), {"size": (1, 2, 3), "axes": 3}, (2, 3, 1, 2, 3)),
]


@pytest.mark.parametrize(("given", "attrs", "out"), SHAPES)
def test_sizes_are_given_or_scaled(
    ask: Ask, given: tuple[int, ...], attrs: dict[str, object], out: tuple[int, ...]
) -> None:
    found = ask("resample", given, **attrs)
    assert (found.shapes, found.parts, found.facts) == ((out,), {}, {})


PARTS = [
    # 6 * 8 = 48 outputs, one interpolation each
    ((2, 3, 4), {"mode": "linear", "scale": (2,), "axes": 1}, {"multiplies": 96, "adds": 48}),
    # 96 outputs, 3 interpolations each: two along one axis, one along the other
    ((1, 3, 2, 4), {"mode": "linear", "scale": (2, 2)}, {"multiplies": 576, "adds": 288}),
    # 64 outputs, 7 interpolations each
    ((1, 1, 2, 2, 2), {"mode": "linear", "scale": (2, 2, 2), "axes": 3}, {"multiplies": 896, "adds": 448}),
    # 16 outputs, 5 interpolations of 4 each
    ((1, 1, 2, 2), {"mode": "cubic", "scale": (2, 2)}, {"multiplies": 320, "adds": 240}),
    # 5 to 2: windows 0..3 and 2..5; 4 to 2: 2 each; 6 * 4 = 24 elements in 4 windows
    ((1, 1, 5, 4), {"mode": "area", "size": (2, 2)}, {"adds": 20, "divides": 4}),
    ((1, 5, 4, 1), {"mode": "area", "size": (2, 2), "channels_last": True}, {"adds": 20, "divides": 4}),
]


@pytest.mark.parametrize(("given", "attrs", "parts"), PARTS)
def test_an_interpolation_runs_axis_after_axis(
    ask: Ask, given: tuple[int, ...], attrs: dict[str, object], parts: dict[str, int]
) -> None:
    assert ask("resample", given, **attrs).parts == parts


IMPOSSIBLE = [
    ({}, "either a size or a scale is needed"),
    ({"size": (1, 1), "scale": (1, 1)}, "either a size or a scale is needed"),
    ({"size": (1,)}, "either a size or a scale is needed"),
    ({"size": (0, 1)}, "gives no output"),
    ({"size": (1.5, 1)}, "gives no output"),
    ({"scale": (0.5, 1)}, "gives no output"),
    ({"scale": ((1, 9), 1)}, "gives no output"),
    ({"scale": ((1, 0), 1)}, "gives no output"),
    ({"scale": (2, 2, 2), "axes": 3}, "resampling 3 axes needs 4 or 5 dimensions"),
    ({"scale": (), "axes": 0}, "resampling 0 axes"),
    ({"scale": (2, 2), "mode": "lanczos"}, "the mode 'lanczos' is none of"),
]


@pytest.mark.parametrize(("attrs", "message"), IMPOSSIBLE)
def test_what_can_not_be_resampled_says_why(ask: Ask, attrs: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        ask("resample", (3, 4, 5), **attrs)


def test_an_antialiased_kernel_is_stretched_by_what_an_axis_shrinks(ask: Ask) -> None:
    """From 16 x 16 to 8 x 32, linear: 3 * 16 rows read 2 * 32 each, then 3 * 32 columns 2 * 16 each."""
    found = ask("resample", (1, 3, 16, 16), mode="linear", size=(8, 32), antialias=True)
    assert found.shapes == ((1, 3, 8, 32),)
    products = 3 * 16 * 64 + 3 * 32 * 32
    assert found.parts == {"multiplies": products, "adds": products - 3 * 16 * 32 - 3 * 32 * 8}
    last = ask("resample", (1, 16, 16, 3), mode="linear", size=(8, 32), antialias=True, channels_last=True)
    assert (last.shapes, last.parts) == (((1, 8, 32, 3),), found.parts)
    same = ask("resample", (1, 3, 16, 16), mode="cubic", size=(16, 16), antialias=True)
    assert not any((same.parts or {}).values())
