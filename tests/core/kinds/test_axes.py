from __future__ import annotations

import pytest
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import ShapeError
from flopledger.kinds import Call, axes, builtin

SHAPE = (2, 3, 4)
ANY = Call(builtin()["identity"], {}, (SHAPE,))


@pytest.mark.parametrize(("axis", "index"), [(0, 0), (2, 2), (-1, 2), (-3, 0)])
def test_an_axis_counts_from_either_end(axis: int, index: int) -> None:
    assert axes.nth_axis(ANY, axis, 3) == index


@pytest.mark.parametrize("axis", [3, -4, symbol("N")])
def test_an_axis_must_be_there(axis: int) -> None:
    with pytest.raises(ShapeError, match="there is no axis"):
        axes.nth_axis(ANY, axis, 3)


def test_axes_are_taken_out_or_replaced() -> None:
    assert axes.without(SHAPE, (0, 2)) == (3,)
    assert axes.without(SHAPE, (0, 2), 1) == (1, 3, 1)
    assert axes.without(SHAPE, (1,), 0) == (2, 0, 4)


def test_only_numbers_can_be_known_to_differ() -> None:
    assert axes.differ(2, 3)
    assert not axes.differ(2, 2)
    assert not axes.differ(symbol("N"), 3)


def test_nothing_broadcasts_to_a_scalar() -> None:
    assert axes.broadcast(ANY, ()) == ()


def test_two_symbols_broadcast_to_the_larger() -> None:
    (size,) = axes.broadcast(ANY, ((symbol("N"),), (symbol("H"),)))
    assert substitute(size, {"N": 7, "H": 1}) == 7
    assert substitute(size, {"N": 1, "H": 5}) == 5
