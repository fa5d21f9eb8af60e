from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import ShapeError, Unbounded
from flopledger.meter import metered

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

LENGTHS = [
    # products and additions of real numbers in one transform
    (1, 0, 0),
    # a butterfly: one complex product, two complex additions
    (2, 4, 6),
    # three stages of 4 butterflies: 12 of them, 5 * 8 * 3 in all
    (8, 48, 72),
    (1024, 20480, 30720),
    # 7 * 6 complex products and additions
    (7, 168, 168),
    # 3 butterflies, then 6 * 2 complex products and additions: 15 and 18
    (6, 60, 66),
    (9, 4 * 36, 4 * 36),
]


@pytest.mark.parametrize(("n", "multiplies", "adds"), LENGTHS)
def test_a_transform_is_done_prime_by_prime(ask: Ask, n: int, multiplies: int, adds: int) -> None:
    found = ask("fft", (3, n), axes=(1,))
    assert found.shapes == ((3, n),)
    assert found.parts == {"multiplies": 3 * multiplies, "adds": 3 * adds}
    assert found.facts == {}


@pytest.mark.parametrize("n", [2, 16, 512])
def test_a_power_of_two_takes_five_n_log_n(ask: Ask, n: int) -> None:
    assert sum(ask("fft", (n,), axes=(0,)).parts.values()) == 5 * n * (n.bit_length() - 1)


AXES = [
    # 8 vectors of 4 (16 and 24 each), 4 vectors of 8 (48 and 72)
    ((4, 8), {"axes": (0, 1)}, (4, 8), {"multiplies": 320, "adds": 480}),
    ((4, 8), {"axes": (-1, -2)}, (4, 8), {"multiplies": 320, "adds": 480}),
    # half of 48 and 72, twice
    ((2, 8), {"axes": (1,), "real": "input"}, (2, 5), {"multiplies": 48, "adds": 72}),
    ((2, 7), {"axes": (1,), "real": "input"}, (2, 4), {"multiplies": 168, "adds": 168}),
    # the conjugates are copies
    ((2, 8), {"axes": (1,), "real": "input", "onesided": False}, (2, 8), {"multiplies": 48, "adds": 72}),
    # and two products for each of 10 complex numbers
    ((2, 8), {"axes": (1,), "real": "input", "scaled": True}, (2, 5), {"multiplies": 68, "adds": 72}),
    ((2, 8), {"axes": (1,), "scaled": True}, (2, 8), {"multiplies": 96 + 32, "adds": 144}),
    ((2, 5), {"axes": (1,), "real": "output", "size": 8}, (2, 8), {"multiplies": 48, "adds": 72}),
    (
        (2, 5),
        {"axes": (1,), "real": "output", "size": 8, "scaled": True},
        (2, 8),
        {"multiplies": 64, "adds": 72},
    ),
    # 4 real rows of 8, then 5 columns of 4
    ((4, 8), {"axes": (0, 1), "real": "input"}, (4, 5), {"multiplies": 96 + 80, "adds": 144 + 120}),
    # 5 columns of 4, then 4 rows of 8
    (
        (4, 5),
        {"axes": (0, 1), "real": "output", "size": 8},
        (4, 8),
        {"multiplies": 80 + 96, "adds": 120 + 144},
    ),
]


@pytest.mark.parametrize(("given", "attrs", "out", "parts"), AXES)
def test_real_numbers_take_half(
    ask: Ask, given: tuple[int, ...], attrs: dict[str, object], out: tuple[int, ...], parts: dict[str, int]
) -> None:
    found = ask("fft", given, **attrs)
    assert (found.shapes, found.parts) == ((out,), parts)


def test_a_batch_may_be_a_symbol(ask: Ask) -> None:
    n = symbol("N")
    assert ask("fft", (n, 8), axes=(1,)).parts == {"multiplies": 48 * n, "adds": 72 * n}


def test_a_stranger_s_large_primes_are_not_looked_for_without_end(ask: Ask) -> None:
    # 65521 is a prime: its square is found to be one after as many steps, and 16 of those are a million
    with metered():
        for _ in range(15):
            ask("fft", (65521**2,), axes=(0,))
        with pytest.raises(Unbounded):
            ask("fft", (65521**2,), axes=(0,))


IMPOSSIBLE = [
    ((3, 8), {"axes": ()}, "are not one or more, each once"),
    ((3, 8), {"axes": (1, -1)}, "are not one or more, each once"),
    ((3, 8), {"axes": (2,)}, "there is no axis 2 among 2"),
    ((3, 8), {"axes": (1,), "real": "both"}, "'both' is none of neither, input, output"),
    ((3, 0), {"axes": (1,)}, "needs numbers from 1"),
    ((3, 2**33), {"axes": (1,)}, "needs numbers from 1 to 4294967296"),
    ((3, symbol("S")), {"axes": (1,)}, "in place of"),
]


@pytest.mark.parametrize(("given", "attrs", "message"), IMPOSSIBLE)
def test_what_can_not_be_transformed_says_why(
    ask: Ask, given: tuple[int, ...], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask("fft", given, **attrs)
