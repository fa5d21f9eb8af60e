"""The type of an object, without asking it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import flopledger as fl
import pytest
from flopledger.dims.arithmetic import is_dim, is_symbolic, symbol, symbol_names
from flopledger.frontend.type_of import bases_of, is_a, namespace_of, offers, table_of
from flopledger.reading.given import given_inputs


class Raising:
    """An object that raises at every question."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("the optional package is not installed")


class Answering(dict):  # type: ignore[type-arg]
    """A dict that answers None to every question."""

    __getattr__ = dict.get


class Lying:
    """An object that calls itself a list."""

    __class__ = list  # type: ignore[assignment]


class Odd(type):
    """A metaclass that hides the type of its classes."""

    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)


class Hidden(list, metaclass=Odd):  # type: ignore[type-arg]
    """A list of that metaclass."""


@pytest.mark.parametrize("cls", [Raising, Answering, Lying])
def test_an_object_is_what_its_type_says(cls: type) -> None:
    value = cls()
    assert not is_a(value, list, tuple)
    assert not offers(value, "free_symbols")
    assert not is_symbolic(value)
    assert not is_dim(value)
    assert symbol_names(value) == ()
    assert namespace_of(value) == {}


def test_a_metaclass_is_not_asked_either() -> None:
    assert bases_of(Hidden)[1:] == (list, object)
    assert "__module__" in table_of(Hidden)
    assert is_a(Hidden(), list)


def test_a_module_s_names_are_not_asked_of_the_module() -> None:
    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    assert namespace_of(Lazy("lazy"))["__name__"] == "lazy"
    assert namespace_of(sys)["maxsize"] == sys.maxsize


def test_an_expression_is_symbolic() -> None:
    assert is_symbolic(symbol("N"))
    assert symbol_names(symbol("N") * 2) == ("N",)


@pytest.mark.parametrize("cls", [Raising, Lying])
def test_an_input_that_is_no_shape_is_given_as_it_is(cls: type) -> None:
    value = cls()
    assert given_inputs(value)[1] is value
    assert given_inputs((value,))[1][0] is value  # type: ignore[index]


def test_a_source_that_raises_at_every_question_is_an_error_that_says_what_it_is() -> None:
    with pytest.raises(fl.FlopledgerError, match="no frontend reads Raising"):
        fl.read(Raising())
