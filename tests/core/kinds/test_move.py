from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import GraphError, ShapeError
from flopledger.kinds import builtin, move

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3, 4)

SHAPES = [
    ("input", (), {"shapes": ((1, 3), ())}, ((1, 3), ())),
    ("identity", (A,), {}, (A,)),
    ("identity", (A,), {"copies": 0}, ()),
    ("identity", (A,), {"copies": 3}, (A, A, A)),
    ("reshape", (A,), {"shape": (6, 4)}, ((6, 4),)),
    ("reshape", (A,), {"shape": (2, -1)}, ((2, 12),)),
    ("reshape", (A,), {"shape": (-1,)}, ((24,),)),
    ("reshape", ((1,),), {"shape": ()}, ((),)),
    ("view", (A,), {"shape": (7,)}, ((7,),)),
    ("gather", (A, (5,)), {"shape": (5, 3, 4)}, ((5, 3, 4),)),
    ("fill", (), {"shape": (2, 0)}, ((2, 0),)),
    ("parameter", (), {"shape": (2, 3)}, ((2, 3),)),
    ("flatten", (A,), {}, ((2, 12),)),
    ("flatten", (A,), {"start": 0}, ((24,),)),
    ("flatten", (A,), {"start": 0, "end": 1}, ((6, 4),)),
    ("flatten", ((),), {"start": 0}, ((1,),)),
    ("concat", (A, (2, 5, 4)), {}, ((2, 8, 4),)),
    ("concat", (A, A, A), {"axis": -1}, ((2, 3, 12),)),
    ("stack", (A, A), {}, ((2, 2, 3, 4),)),
    ("stack", (A, A), {"axis": -2}, ((2, 3, 2, 4),)),
    ("stack", (A, A, A), {"axis": -1}, ((2, 3, 4, 3),)),
    ("split", (A,), {"sizes": (1, 2)}, ((2, 1, 4), (2, 2, 4))),
    ("split", (A,), {"axis": -1, "sizes": (3, 1)}, ((2, 3, 3), (2, 3, 1))),
    ("unstack", (A,), {}, ((3, 4), (3, 4))),
    ("unstack", (A,), {"axis": -2}, ((2, 4), (2, 4), (2, 4))),
    ("pad", (A,), {"padding": ((0, 0), (1, 2), (0, -1))}, ((2, 6, 3),)),
    ("pad", ((3,),), {"padding": ((-1, -2),)}, ((0,),)),
    ("filter", ((4, 3), (4,)), {}, ((4, 3),)),
    ("crop", ((1, 5, 9, 9), (1, 2, 7, 8)), {}, ((1, 5, 7, 8),)),
    ("crop", ((1, 5, 9, 9), (1, 2, 7, 8)), {"axis": 1}, ((1, 2, 7, 8),)),
    ("tile", (A,), {"repeats": (2, 1)}, ((2, 6, 4),)),
    ("tile", ((4,),), {"repeats": (3, 2)}, ((3, 8),)),
    ("expand", ((3, 1),), {"shape": (2, -1, 4)}, ((2, 3, 4),)),
    ("squeeze", ((1, 3, 1),), {}, ((3,),)),
    ("squeeze", ((1, 3, 1),), {"axes": (-1,)}, ((1, 3),)),
    ("unsqueeze", ((3, 4),), {"axes": (0, -1)}, ((1, 3, 4, 1),)),
    ("index_arithmetic", (A, (3,)), {"shape": (2, 3)}, ((2, 3),)),
    ("cast", (A,), {}, (A,)),
    ("roll", (A,), {}, (A,)),
    ("flip", (A,), {}, (A,)),
    ("filter", (A, (2, 5), (2,)), {}, (A, (2, 5))),
    ("silence", (A, A), {}, ()),
    ("dropout", (A,), {}, (A,)),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "out"), SHAPES)
def test_a_movement_changes_the_shape_alone(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], out: Shapes
) -> None:
    found = ask(kind, *inputs, **attrs)
    assert (found.shapes, found.parts, found.facts) == (out, {}, {})


def test_every_movement_has_its_shape_tested() -> None:
    assert {kind for kind, *_ in SHAPES} | {"slice"} == {kind.name for kind in move.KINDS}


def test_all_but_dropout_are_declared_free() -> None:
    assert [kind.name for kind in move.KINDS if not kind.free] == ["dropout"]
    assert {kind.group for kind in move.KINDS} == {"move"}


def test_dropout_in_training_masks_and_scales(ask: Ask) -> None:
    assert ask("dropout", A, rate=0.1, training=True).parts == {"multiplies": 48}


SLICES = [
    ((None, None, 1), 10),
    ((2, 7, 1), 5),
    ((2, 7, 2), 3),
    ((-3, None, 1), 3),
    ((0, None, 1), 10),
    ((None, -3, 1), 7),
    ((4, 100, 1), 6),
    ((-100, 4, 1), 4),
    ((7, 2, 1), 0),
    ((20, None, 1), 0),
    ((None, None, -1), 10),
    ((None, None, -3), 4),
    ((7, 2, -2), 3),
    ((-1, -4, -1), 3),
    ((2, 7, -1), 0),
]


@pytest.mark.parametrize(("bounds", "length"), SLICES)
def test_a_slice_clips_as_python_does(
    ask: Ask, bounds: tuple[int | None, int | None, int], length: int
) -> None:
    start, stop, step = bounds
    found = ask("slice", (3, 10), axis=1, start=start, stop=stop, step=step)
    assert found.shapes == ((3, length),)
    assert len(range(10)[start:stop:step]) == length


def test_a_symbolic_axis_is_sliced_exactly(ask: Ask) -> None:
    n = symbol("N")
    assert ask("slice", (n,), axis=0, start=1).shapes == ((n - 1,),)
    assert ask("slice", (n,), axis=0, stop=-1).shapes == ((n - 1,),)
    assert ask("slice", (n,), axis=0, step=-1).shapes == ((n,),)


def test_an_element_of_an_axis_is_a_slice_that_drops_it(ask: Ask) -> None:
    n = symbol("N")
    assert ask("slice", (2, n, 3), axis=0, start=1, stop=2, drop=True).shapes == ((n, 3),)
    assert ask("slice", (n, 3), axis=0, start=-1, drop=True).shapes == ((3,),)
    with pytest.raises(ShapeError, match="an axis of size 2 can't be dropped"):
        ask("slice", (n, 3), axis=1, start=1, drop=True)


def test_a_symbolic_reshape_divides_exactly(ask: Ask) -> None:
    n = symbol("N")
    assert ask("reshape", (n, 3, 4), shape=(-1, 12)).shapes == ((n, 12),)
    assert ask("reshape", (n, 3, 4), shape=(n, -1)).shapes == ((n, 12),)


IMPOSSIBLE = [
    ("input", (), {"shapes": 3}, "expected a list of shapes"),
    ("input", (), {"shapes": (3,)}, "3 is not a shape"),
    ("fill", (), {"shape": (-2,)}, "below 0"),
    ("reshape", (A,), {"shape": (5, 5)}, "24 elements don't fit"),
    ("reshape", (A,), {"shape": (5, -1)}, "24 elements don't fit"),
    ("reshape", (A,), {"shape": (-1, -1)}, "leaves its size of -1 open"),
    ("reshape", ((0, 3),), {"shape": (0, -1)}, "leaves its size of -1 open"),
    ("flatten", (A,), {"start": 2, "end": 1}, "lies after the last"),
    ("flatten", (A,), {"start": 3}, "there is no axis 3 among 3"),
    ("concat", (A, (2, 3, 5)), {}, "don't agree outside axis 1"),
    ("concat", (A, (2, 3)), {}, "don't agree outside axis 1"),
    ("stack", (A, (2, 3)), {}, "different shapes"),
    ("stack", (A, (2, 3, 5)), {}, "different shapes"),
    ("split", (A,), {"sizes": (1, 1)}, "don't add up to 3"),
    ("split", (A,), {"sizes": (5, -2)}, "below 0"),
    ("unstack", (A,), {"axis": 3}, "there is no axis 3 among 3"),
    ("unstack", ((symbol("N"), 3),), {}, "the size N of axis 0 is no number of outputs"),
    ("unstack", ((1_000_001, 3),), {}, "the size 1000001 of axis 0 is no number of outputs"),
    ("slice", (A,), {"axis": 0, "step": 0}, "can't be 0"),
    ("pad", (A,), {"padding": ((0, 0),)}, "pair for each axis"),
    ("pad", (A,), {"padding": (1, 1, 1)}, "pair for each axis"),
    ("pad", (A,), {"padding": ((-3, 0), (0, 0), (0, 0))}, "cuts off more than 2"),
    ("crop", (A,), {}, "two inputs"),
    ("crop", (A, (2, 3)), {}, "two inputs with as many axes"),
    ("crop", (A, (2, 3, 5)), {}, "5 can't be cropped from 4"),
    ("tile", (A,), {"repeats": (-1,)}, "below 0"),
    ("expand", (A,), {"shape": (3, 4)}, "does not give the size of each axis"),
    ("expand", (A,), {"shape": (-1, 2, 3, 4)}, "does not give the size of each axis"),
    ("expand", (A,), {"shape": (5, 3, 4)}, "can't be broadcast"),
    ("expand", (A,), {"shape": (2, 1, 4)}, "can't be expanded"),
    ("squeeze", (A,), {"axes": (0,)}, "only 1 can be squeezed"),
    ("squeeze", (A,), {"axes": (0, -3)}, "name one twice"),
    ("unsqueeze", (A,), {"axes": (0, 0)}, "name one twice"),
    ("unsqueeze", (A,), {"axes": (9,)}, "there is no axis 9 among 4"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_an_impossible_movement_says_why(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)


def test_an_axis_that_is_no_number_is_refused(ask: Ask) -> None:
    with pytest.raises(GraphError, match="'axis' is 'channels', expected a whole number"):
        ask("concat", A, axis="channels")


def test_kinds_of_other_families_may_be_free_too() -> None:
    assert {name for name, kind in builtin().items() if kind.free and kind.group != "move"} == {
        "negate",
        "select",
    }


def test_leading_axes_of_a_reshape_may_stay_as_they_are(ask: Ask) -> None:
    assert ask("reshape", (2, 3, 4, 5), lead=2, shape=(-1, 10)).shapes == ((2, 3, 2, 10),)
    with pytest.raises(ShapeError, match="no 3 leading axes"):
        ask("reshape", (2, 3), lead=3, shape=(1,))
