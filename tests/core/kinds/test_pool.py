from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import GraphError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

SHAPES = [
    # (55 - 3) / 2 + 1 = 27, nothing left over
    ((1, 96, 55, 55), {"kernel": (3, 3), "stride": (2, 2)}, (1, 96, 27, 27)),
    # (112 - 3) / 2 = 54.5
    ((1, 8, 112), {"kernel": (3,), "stride": (2,)}, (1, 8, 55)),
    ((1, 8, 112), {"kernel": (3,), "stride": (2,), "ceil": True}, (1, 8, 56)),
    ((8, 112), {"kernel": (3,), "stride": (2,), "ceil": True}, (8, 56)),
    # without a stride it is 1
    ((1, 1, 5), {"kernel": (2,)}, (1, 1, 4)),
    # ceil((5 + 2 - 2) / 2) + 1 = 4, but the fourth window would start at 6 = 5 + 1
    ((1, 1, 5), {"kernel": (2,), "stride": (2,), "padding": (1,), "ceil": True}, (1, 1, 4)),
    ((1, 1, 5), {"kernel": (2,), "stride": (2,), "padding": (1,), "ceil": True, "clip": True}, (1, 1, 3)),
    # ceil((4 + 2 - 2) / 2) + 1 = 3, and the third starts at 4 < 4 + 1
    ((1, 1, 4), {"kernel": (2,), "stride": (2,), "padding": (1,), "ceil": True, "clip": True}, (1, 1, 3)),
    # a window that hangs over the end of a shorter input: ceil((2 - 3) / 2) + 1 = 1
    ((1, 1, 2), {"kernel": (3,), "stride": (2,), "ceil": True}, (1, 1, 1)),
    # dilation 2 spans 5
    ((1, 1, 9), {"kernel": (3,), "dilation": (2,)}, (1, 1, 5)),
    ((1, 1, 9), {"kernel": (3,), "padding": ((0, 1),), "stride": (2,)}, (1, 1, 4)),
    ((2, 6, 6, 6, 3), {"kernel": (2, 2, 2), "stride": (2, 2, 2), "channels_last": True}, (2, 3, 3, 3, 3)),
    ((1, 7, 5, 6), {"kernel": (0, 0), "whole": True}, (1, 7, 1, 1)),
    ((1, 7, 5, 6), {"kernel": (0, 0), "whole": True, "keep_dims": False}, (1, 7)),
    ((1, 5, 6, 7), {"kernel": (0, 0), "whole": True, "keep_dims": False, "channels_last": True}, (1, 7)),
    ((7, 5), {"kernel": (0,), "whole": True}, (7, 1)),
]


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool", "stochastic_pool", "lp_pool"])
@pytest.mark.parametrize(("given", "attrs", "out"), SHAPES)
def test_the_windows_are_counted_exactly(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], out: tuple[int, ...]
) -> None:
    assert ask(kind, given, **attrs).shapes == (out,)


PARTS = [
    # 2 * 3 * 2 * 2 = 24 windows of 4
    ("max_pool", {}, {"compares": 72}),
    ("avg_pool", {}, {"adds": 72, "divides": 24}),
    ("stochastic_pool", {}, {"multiplies": 96, "adds": 144, "divides": 24}),
    ("lp_pool", {}, {"multiplies": 96, "adds": 72, "sqrts": 24}),
    ("lp_pool", {"p": 1}, {"compares": 96, "adds": 72}),
    ("lp_pool", {"p": 1.5}, {"powers": 120, "adds": 72}),
]


@pytest.mark.parametrize(("kind", "attrs", "parts"), PARTS)
def test_a_window_costs_its_nominal_size(
    ask: Ask, kind: str, attrs: dict[str, object], parts: dict[str, int]
) -> None:
    found = ask(kind, (2, 3, 4, 4), kernel=(2, 2), stride=(2, 2), **attrs)
    assert (found.parts, found.facts) == (parts, {"kernel_volume": 4})


def test_a_whole_window_has_the_size_of_the_input(ask: Ask) -> None:
    found = ask("avg_pool", (2, 3, 4, 5), kernel=(0, 0), whole=True)
    assert found.facts == {"kernel_volume": 20}
    assert found.parts == {"adds": 6 * 19, "divides": 6}


def test_windows_at_random_distances_are_of_one_size(ask: Ask) -> None:
    found = ask("fractional_max_pool", (2, 3, 8, 9), kernel=(2, 3), output_size=(3, 4))
    # 2 * 3 * 3 * 4 windows of 6
    assert (found.shapes, found.facts) == (((2, 3, 3, 4),), {"kernel_volume": 6})
    assert found.parts == {"compares": 72 * 5}


def test_windows_at_random_distances_may_touch_at_the_ends(ask: Ask) -> None:
    assert ask("fractional_max_pool", (1, 1, 4), kernel=(2,), output_size=(3,)).shapes == ((1, 1, 3),)


ADAPTIVE = [
    # input, output size, output, elements of all windows together
    ((1, 1, 5), (2,), (1, 1, 2), 6),  # 0..3 and 2..5
    ((1, 1, 7), (3,), (1, 1, 3), 9),  # 0..3, 2..5, 4..7
    ((1, 1, 2), (4,), (1, 1, 4), 4),  # 0..1, 0..1, 1..2, 1..2
    ((1, 1, 3), (5,), (1, 1, 5), 7),  # 0..1, 0..2, 1..2, 1..3, 2..3
    ((2, 3, 8, 6), (2, 3), (2, 3, 2, 3), 288),
    ((2, 3, 8, 6), (None, 1), (2, 3, 8, 1), 288),
    ((3, 8, 6), (1, 1), (3, 1, 1), 144),
    ((2, 5, 2, 2, 4), (1, 1, 1), (2, 5, 1, 1, 1), 160),
]


@pytest.mark.parametrize(("given", "size", "out", "elements"), ADAPTIVE)
def test_adaptive_windows_overlap_where_the_sizes_do_not_divide(
    ask: Ask, given: tuple[int, ...], size: tuple[int | None, ...], out: tuple[int, ...], elements: int
) -> None:
    largest, mean = (ask(f"adaptive_{kind}_pool", given, output_size=size) for kind in ("max", "avg"))
    results = 1
    for axis in out:
        results *= axis
    assert largest.shapes == mean.shapes == (out,)
    assert largest.facts["window_elems"] == elements
    assert largest.parts == {"compares": elements - results}
    assert mean.parts == {"adds": elements - results, "divides": results}


def test_adaptive_pooling_reads_channels_last(ask: Ask) -> None:
    found = ask("adaptive_avg_pool", (2, 7, 7, 3), output_size=(1, 1), channels_last=True)
    assert found.shapes == ((2, 1, 1, 3),)
    assert found.facts == {"kernel_volume": 49, "window_elems": 294}


def test_adaptive_windows_over_a_symbol_are_exact(ask: Ask) -> None:
    n = symbol("N")
    assert ask("adaptive_avg_pool", (1, n), output_size=(1,)).parts == {"adds": n - 1, "divides": 1}
    assert ask("adaptive_avg_pool", (1, n), output_size=(None,)).parts["divides"] == n
    with pytest.raises(ShapeError, match="need a number in its place"):
        ask("adaptive_avg_pool", (1, 7), output_size=(n,))


IMPOSSIBLE = [
    ("max_pool", (1, 1, 2), {"kernel": (3,)}, "the window spans 3, the padded input only 2"),
    ("max_pool", (1, 2), {"kernel": (3, 3)}, "needs 3 or 4 dimensions"),
    ("max_pool", (1, 1, 4), {"kernel": (0,)}, "the kernel"),
    ("max_pool", (1, 1, 4), {"kernel": (2,), "stride": (0,)}, "the stride"),
    ("fractional_max_pool", (1, 1, 4), {"kernel": (3,), "output_size": (3,)}, "3 windows of 3 don't fit 4"),
    ("fractional_max_pool", (1, 1, 4), {"kernel": (2,), "output_size": (2, 2)}, "has not 1 entries"),
    ("adaptive_max_pool", (1, 1, 4), {"output_size": (0,)}, "below 1"),
    ("adaptive_max_pool", (1, 1, 4), {"output_size": (1, 1, 1)}, "needs 4 or 5 dimensions"),
    ("adaptive_max_pool", (1, 1, 4), {"output_size": 1}, "is not a size or None"),
]


@pytest.mark.parametrize(("kind", "given", "attrs", "message"), IMPOSSIBLE)
def test_a_window_that_does_not_fit_says_why(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, given, **attrs)


def test_a_norm_that_is_no_number_is_refused(ask: Ask) -> None:
    with pytest.raises(GraphError, match="'p' is 'inf', expected a number"):
        ask("lp_pool", (1, 1, 4), kernel=(2,), p="inf")


def test_padding_called_same_divides_the_sizes_by_the_stride_and_rounds_up(ask: Ask) -> None:
    attrs = {"kernel": (3, 3), "stride": (2, 4), "padding": "same"}
    assert ask("max_pool", (1, 3, 17, 6), **attrs).shapes == ((1, 3, 9, 2),)


def test_a_pyramid_is_a_pooling_at_each_level(ask: Ask) -> None:
    """13 x 13: one window of 169, four of 7 x 7 and sixteen of 4 x 4, for each of 2 * 8 channels.

    16 * (168 + 4 * 48 + 16 * 15) = 16 * 600 comparisons.
    """
    found = ask("pyramid_pool", (2, 8, 13, 13), height=3)
    assert (found.shapes, found.parts) == (((2, 168),), {"compares": 9600})
    assert ask("pyramid_pool", (2, 8, 13, 13), height=3, method="avg").parts == {"adds": 9600, "divides": 336}
    # as many products as elements of windows: 16 * (169 + 4 * 49 + 16 * 16)
    stochastic = ask("pyramid_pool", (2, 8, 13, 13), height=3, method="stochastic").parts
    assert stochastic == {"multiplies": 9936, "adds": 19200, "divides": 336}


@pytest.mark.parametrize(("shape", "method"), [((2, 8, 13), "max"), ((2, 8, 13, 13), "sum")])
def test_a_pyramid_that_can_not_be_says_why(ask: Ask, shape: tuple[int, ...], method: str) -> None:
    with pytest.raises(ShapeError):
        ask("pyramid_pool", shape, height=1, method=method)
