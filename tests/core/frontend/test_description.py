from __future__ import annotations

import functools
from typing import NoReturn

import pytest
from flopledger.errors import SourceError
from flopledger.frontend.description import has_type, is_routine, type_names
from flopledger.frontend.request import Request
from flopledger.plugins.registry import Registry
from flopledger.reading.choose import read_object


class Raises:
    """Whatever it is asked for, even its class, it raises, as a stand-in for a missing library does."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise ValueError(f"asked for {name}")


class Meta(type):
    def __getattribute__(cls, name: str) -> NoReturn:
        raise ValueError(f"asked for {name}")


class Claimed(metaclass=Meta):
    pass


class Names:
    __module__ = 3
    __qualname__ = "Names"


def annotated() -> missing.Thing: ...  # type: ignore[name-defined]  # noqa: F821


missing_stub = Raises()


def stubbed() -> missing_stub.Thing: ...  # type: ignore[name-defined]


HERE = __name__


def test_nothing_is_asked_of_an_object_but_its_type() -> None:
    assert type_names(Raises()) == (f"{HERE}.Raises",)
    assert type_names(Claimed) == (f"{HERE}.Claimed",)
    assert type_names(Claimed()) == (f"{HERE}.Claimed",)
    assert not is_routine(Raises())
    assert not has_type(Raises(), str)


def test_names_that_are_no_text_are_left_out() -> None:
    assert type_names(Names) == (".Names",)


def test_functions_are_known_by_their_own_name_and_by_what_they_return() -> None:
    def makes() -> Claimed: ...

    makes.__annotations__["return"] = "Claimed"
    assert type_names(makes)[1:] == (f"{HERE}.Claimed",)
    assert type_names(functools.partial(makes))[1:] == (f"{HERE}.Claimed",)
    assert type_names(len) == ("builtins.len",)
    assert is_routine([].append)


def test_an_annotation_that_can_not_be_looked_up_says_nothing() -> None:
    assert type_names(annotated) == (f"{HERE}.annotated",)
    assert type_names(stubbed) == (f"{HERE}.stubbed",)


def test_a_global_that_lies_about_its_class_is_no_frontends_fault() -> None:
    def fails() -> NoReturn:
        raise ValueError("mine")

    assert has_type(missing_stub, Raises)
    with pytest.raises(ValueError, match="mine"):
        read_object(fails, Request("fails"), Registry())
    with pytest.raises(SourceError, match="no frontend reads lie"):
        read_object(missing_stub, Request("lie"), Registry())
