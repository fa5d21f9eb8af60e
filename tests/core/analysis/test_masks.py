"""How many pairs a mask leaves out, beside the pairs themselves, listed one by one."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from flopledger.analysis.masks import Mask
from flopledger.dims import symbol
from flopledger.dims.arithmetic import substitute


def listed(mask: Mask) -> tuple[int, int]:
    """List the pairs above the diagonal, and those before the window or the chunk, by their definition."""
    sizes = (mask.queries, mask.keys, mask.offset, mask.window, mask.chunk, mask.start)
    queries, keys, offset, window, chunk, start = (int(str(size)) for size in sizes)
    above = before = 0
    for i, j in itertools.product(range(queries), range(keys)):
        place = offset + i
        above += j > place
        if window:
            before += j <= place - window
        if chunk:
            before += (j + start) // chunk < (place + start) // chunk
    return above, before


@pytest.mark.parametrize(
    "mask",
    [
        Mask(1, 1),
        Mask(3, 3),
        Mask(2, 5),
        Mask(5, 2),
        Mask(1, 8, 7),
        Mask(3, 7, 4),
        Mask(6, 6, window=2),
        Mask(6, 6, window=9),
        Mask(3, 7, 4, window=3),
        Mask(3, 5, 2, window=3),
        Mask(1, 3, 2, window=3),
        Mask(7, 7, chunk=3),
        Mask(4, 9, 5, chunk=4),
        Mask(4, 7, 3, chunk=4, start=2),
        Mask(1, 4, 3, chunk=4, start=5),
    ],
)
def test_a_mask_leaves_out_the_pairs_that_it_says(mask: Mask) -> None:
    assert (mask.above, mask.outside) == listed(mask)


def test_half_is_of_the_square_and_nothing_else_is_halved() -> None:
    assert Mask(5, 5).half == Fraction(25, 2)
    assert Mask(1, 1).half == 0
    assert Mask(3, 7, 4).half == Mask(3, 7, 4).above == 3


def test_sizes_may_be_symbols() -> None:
    queries, past = symbol("S"), symbol("P")
    assert str(Mask(queries, queries).above) == "S*(S - 1)/2"
    step = Mask(queries, past + queries, past, window=4)
    for s, p in itertools.product((1, 2, 7), (1, 3, 9)):
        sizes = {"S": s, "P": p}
        assert substitute(step.above, sizes) == s * (s - 1) // 2
        assert substitute(step.outside, sizes) == listed(Mask(s, p + s, p, window=4))[1]
