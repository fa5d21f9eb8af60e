from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import field

import pytest
from flopledger.records import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """Two numbers, a name that is not compared, and a list of its own."""

    x: int
    y: int = 2
    name: str = field(default="", compare=False)
    marks: list[int] = field(default_factory=list, repr=False, compare=False)


@dataclass(slots=True)
class Mutable:
    """A value that changes."""

    value: int


@dataclass(frozen=True)
class Named:
    """A class with a method of its own in place of a made one."""

    value: int

    def __repr__(self) -> str:
        return "mine"


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """An object that is equal to itself alone."""

    value: int


@dataclass(frozen=True, slots=True)
class Far(Point):
    """A point with one field more."""

    z: int = 3


def test_a_record_takes_its_fields_by_place_and_by_name() -> None:
    assert str(inspect.signature(Mutable)) == "(value)"
    assert (Point(1).y, Point(1, name="a").name, Point(1, 5).y) == (2, "a", 5)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]


def test_each_object_has_a_default_of_its_own() -> None:
    first, second = Point(1), Point(1)
    first.marks.append(1)
    assert (first.marks, second.marks) == ([1], [])


def test_it_shows_the_fields_that_are_shown() -> None:
    assert repr(Point(1, name="a")) == "Point(x=1, y=2, name='a')"
    assert repr(Named(1)) == "mine"
    assert repr(Point(1, name="a\u3164\x1b")) == r"Point(x=1, y=2, name='a\u3164\x1b')"


def test_it_is_compared_by_its_class_and_the_fields_that_are_compared() -> None:
    assert Point(1, name="a") == Point(1, name="b")
    assert Point(1) != Point(2)
    assert Point(1) != Far(1)
    assert Point(1) != (1, 2)
    assert len({Point(1, name="a"), Point(1, name="b"), Point(2)}) == 2
    assert Alone(1) != Alone(1)


def test_a_frozen_one_does_not_change_and_another_has_no_hash() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="the field 'x' of a Point can't be changed"):
        Point(1).x = 3  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del Named(1).value  # type: ignore[misc]
    changed = Mutable(1)
    changed.value = 2
    assert changed == Mutable(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(changed)


def test_it_is_a_dataclass_to_the_standard_library() -> None:
    assert [one.name for one in dataclasses.fields(Far)] == ["x", "y", "name", "marks", "z"]
    assert dataclasses.replace(Far(1), z=5) == Far(1, z=5)
    match Far(1):
        case Far(x, y):
            assert (x, y) == (1, 2)
    assert not hasattr(Point(1), "__dict__")


@pytest.mark.parametrize("record", [Point(1, name="a", marks=[1]), Far(1), Named(1), Mutable(1)])
def test_copies_and_pickles_are_equal(record: object) -> None:
    assert copy.copy(record) == copy.deepcopy(record) == record
    again = pickle.loads(pickle.dumps(record))  # noqa: S301  (made in the line itself)
    assert again == record
    assert type(again) is type(record)


def test_a_default_that_is_shared_by_mistake_is_refused() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @dataclass(frozen=True)
        class Wrong:
            values: list[int] = []  # noqa: RUF012  (the mistake)
