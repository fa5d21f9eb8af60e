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


def test_half_is_of_the_square_of_new_tokens() -> None:
    assert 5 * 5 - Mask(5, 5).half == Fraction(25, 2)
    # 3 tokens after 4: each meets the 4, and 3 x 3 / 2 pairs are left of their square; exact are 6
    chunk = Mask(3, 7, 4)
    assert 3 * 7 - chunk.half == 3 * 4 + Fraction(9, 2)
    # a cache of fixed length with 2 places still free, of which nothing is met
    assert 3 * 9 - Mask(3, 9, 4).half == 3 * 4 + Fraction(9, 2)
    # 5 queries of which the first 2 have a key of their own, and the others meet both keys
    assert 5 * 2 - Mask(5, 2).half == Fraction(4, 2) + 3 * 2


def test_a_decode_step_is_never_halved() -> None:
    for mask in (Mask(1, 1), Mask(1, 8, 7), Mask(1, 8, 7, window=3), Mask(1, 4, 3, chunk=4, start=5)):
        assert (mask.half, mask.half_outside) == (mask.above, mask.outside)


def test_half_of_a_window_is_as_maxtext_has_it() -> None:
    # T W - W W / 2 pairs: 8 x 3 - 9 / 2; exact are 1 + 2 + 6 x 3 = 21
    mask = Mask(8, 8, window=3)
    assert 64 - mask.half - mask.half_outside == Fraction(39, 2)
    # a window that is longer than the sequence leaves nothing more out
    assert Mask(4, 4, window=9).half_outside == 0
    # of 2 tokens after 5, whose windows are full, each meets 3
    late = Mask(2, 7, 5, window=3)
    assert 14 - late.half - late.half_outside == 6
    # chunks of 4: two squares halved
    chunks = Mask(8, 8, chunk=4)
    assert 64 - chunks.half - chunks.half_outside == 16


def test_sizes_may_be_symbols() -> None:
    queries, past = symbol("S"), symbol("P")
    assert str(Mask(queries, queries).above) == "S*(S - 1)/2"
    step = Mask(queries, past + queries, past, window=4)
    for s, p in itertools.product((1, 2, 7), (1, 3, 9)):
        sizes = {"S": s, "P": p}
        assert substitute(step.above, sizes) == s * (s - 1) // 2
        assert substitute(step.outside, sizes) == listed(Mask(s, p + s, p, window=4))[1]
