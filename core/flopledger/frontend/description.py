"""How a frontend describes itself, and the names that it may claim an object by."""

from __future__ import annotations

import functools
import importlib.util
import inspect
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frontend:
    """A frontend: its name, the framework it reads, and where its sources are read.

    ``module`` is the framework's import name, empty where none is needed; ``extra`` the extra of
    flopledger that installs it. ``in_place`` says that files are read in this process, since that
    needs neither a framework nor the user's code. ``reads`` says in a few words what it reads.
    """

    name: str
    framework: str
    module: str = ""
    extra: str = ""
    in_place: bool = False
    reads: str = ""

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
        """One line for a list: the name, what it reads, and what is missing."""
        line = f"{self.name}: {self.reads or f'{self.framework} models'}"
        return line if self.installed else f"{line} ({self.framework} is not installed: {self.remedy})"


def type_names(obj: object) -> tuple[str, ...]:
    """Return the qualified names that an object may be claimed by, without importing anything.

    Those of a class and its bases; of an instance's type and its bases; and for a function its own
    and those of the type that it is annotated to return.
    """
    while isinstance(obj, functools.partial):
        obj = obj.func
    if inspect.isroutine(obj):
        module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", "")
        return (f"{module or ''}.{name}", *_class_names(_returned(obj)))
    return _class_names(obj if isinstance(obj, type) else type(obj))


def _class_names(cls: type | None) -> tuple[str, ...]:
    bases = () if cls is None else cls.__mro__[:-1]
    return tuple(f"{base.__module__}.{base.__qualname__}" for base in bases)


def _returned(function: object) -> type | None:
    """Return the class that a function is annotated to return; a text is looked up, not evaluated."""
    found: object = getattr(function, "__annotations__", {}).get("return")
    if isinstance(found, str):
        scope, _, rest = found.partition(".")
        found = getattr(function, "__globals__", {}).get(scope)
        for name in filter(None, rest.split(".")):
            found = getattr(found, name, None)
    return found if isinstance(found, type) else None
