"""Checks of an object by its type alone.

Values in a user's module, model or inputs can be anything: a stand-in for a package that is not
installed and raises at every attribute, a dict whose ``__getattr__`` answers None to all, an object whose
``__class__`` is computed. ``hasattr``, ``isinstance`` and ``inspect`` run such code; the functions here are
not misled by any of them.
"""

from __future__ import annotations

from types import MappingProxyType, ModuleType
from typing import Any, TypeGuard, TypeVar

T = TypeVar("T")
_BASES, _TABLE = type.__dict__["__mro__"], type.__dict__["__dict__"]


def bases_of(cls: type) -> tuple[type, ...]:
    """Return a class and its bases, whatever its metaclass answers."""
    found: tuple[type, ...] = _BASES.__get__(cls)
    return found


def table_of(cls: type) -> MappingProxyType[str, Any]:
    """Return the attributes of a class itself, whatever its metaclass answers."""
    found: MappingProxyType[str, Any] = _TABLE.__get__(cls)
    return found


def is_a(value: object, *classes: type[T]) -> TypeGuard[T]:
    """Return whether an object's type has one of these classes among its bases; virtual ones don't count."""
    bases = bases_of(type(value))
    return any(cls in bases for cls in classes)


def offers(value: object, *names: str) -> bool:
    """Return whether an object's type defines all of these methods."""
    tables = [table_of(base) for base in bases_of(type(value))]
    return all(any(name in table for table in tables) for name in names)


def namespace_of(module: object) -> dict[str, Any]:
    """Return a module's own names, empty for an object that is not a module."""
    if not is_a(module, ModuleType):
        return {}
    found: dict[str, Any] = ModuleType.__getattribute__(module, "__dict__")
    return found
