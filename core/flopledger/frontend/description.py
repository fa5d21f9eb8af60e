"""How a frontend describes itself, and the names that it may claim an object by."""

from __future__ import annotations

import functools
import importlib.util
import types
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from flopledger import input_files
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Frontend:
    """A frontend: its name, the framework it reads, and where its sources are read.

    ``module`` is the framework's import name, empty where none is needed; ``extra`` the extra of
    flopledger that installs it. ``in_place`` means that files are read in this process, since reading them
    needs neither a framework nor the user's code. ``language_models`` means that it makes the inputs of a
    language model's step (:data:`flopledger.frontend.request.LANGUAGE`), ``training`` that its graphs
    show more of a backward than the data flow: what is detached, checkpointed, computed without gradients.
    ``reads`` describes in a few words the models and files that it reads. ``registries`` are the collections
    of networks that it can list, each by the module that has it; ``preload`` the modules that a reading
    imports, once for many where it can be. ``also_called`` has what people call its libraries of models, with
    the names that a source has for them.
    """

    name: str
    framework: str
    module: str = ""
    extra: str = ""
    in_place: bool = False
    language_models: bool = False
    training: bool = False
    reads: str = ""
    registries: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    also_called: Mapping[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        """Whether the framework can be imported here; a plain folder of its name is not it."""
        if not self.module:
            return True
        try:
            spec = importlib.util.find_spec(self.module)
        except (ImportError, ValueError):
            return False
        return spec is not None and spec.origin is not None

    @property
    def remedy(self) -> str:
        """The command that installs the framework."""
        return f"pip install 'flopledger[{self.extra}]'" if self.extra else f"pip install {self.module}"

    @property
    def summary(self) -> str:
        """One line for a list: the name, the sources that it reads, and missing requirements."""
        line = f"{self.name}: {self.reads or f'{self.framework} models'}"
        return line if self.installed else f"{line} ({self.framework} is not installed: {self.remedy})"


_LONGEST_LIST = 1 << 20


def sources_beside(plugin: str) -> list[str]:
    """Return the names of calls in ``sources.txt`` beside a plugin, which its package ships.

    The names are a list and not asked of the framework, since a misspelt rule of a convention is to be
    found where the framework is not installed.
    """
    return input_files.head(Path(plugin).with_name("sources.txt"), _LONGEST_LIST).decode().splitlines()


def type_names(obj: object) -> tuple[str, ...]:
    """Return the qualified names by which a frontend may claim an object, without importing anything.

    Those of a class and its bases; of an instance's type and its bases; and for a function its own
    and those of the type that it is annotated to return. Only the type of a user's object is used: an
    attribute, ``__class__`` included, may be computed, and raise or lie.
    """
    while has_type(obj, functools.partial):
        obj = obj.func
    if is_routine(obj):
        module, name = _text(obj, "__module__"), _text(obj, "__qualname__")
        return (f"{module}.{name}", *_class_names(_returned(obj)))
    return _class_names(obj if has_type(obj, type) else type(obj))


T = TypeVar("T")
_ROUTINES = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)


def has_type(obj: object, cls: type[T]) -> TypeGuard[T]:
    """Return whether an object's own type is a class or derived from it, without asking the object.

    ``isinstance`` also reads ``__class__``, which an object may compute: a proxy answers with another's
    class, and a stand-in for a library that is not installed raises.
    """
    return issubclass(type(obj), cls)


def is_routine(obj: object) -> bool:
    """Return whether an object is a function or method, by its type alone."""
    return issubclass(type(obj), _ROUTINES)


def _text(obj: object, name: str) -> str:
    """Return a text that Python itself keeps with a function or class; empty where there is none."""
    read = type.__getattribute__ if has_type(obj, type) else object.__getattribute__
    try:
        found: object = read(obj, name)
    except AttributeError:
        return ""
    return found if type(found) is str else ""


def _class_names(cls: type | None) -> tuple[str, ...]:
    bases: tuple[type, ...] = () if cls is None else type.__getattribute__(cls, "__mro__")[:-1]
    return tuple(f"{_text(base, '__module__')}.{_text(base, '__qualname__')}" for base in bases)


def _returned(function: object) -> type | None:
    """Return the class that a function is annotated to return; a text is looked up, not evaluated."""
    try:
        found: object = getattr(function, "__annotations__", {}).get("return")
        if has_type(found, str):
            scope, _, rest = found.partition(".")
            found = getattr(function, "__globals__", {}).get(scope)
            for name in filter(None, rest.split(".")):
                found = getattr(found, name, None)
    except Exception:  # noqa: BLE001  (an annotation may be computed, and so may an attribute on the way)
        return None
    return found if has_type(found, type) else None
