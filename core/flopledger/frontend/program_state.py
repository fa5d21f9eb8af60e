"""State that a model's code shares with the program: globals, class tables, cells, arrays; kept and restored.

Each function keeps the state of one thing and returns a function that restores it, which returns whether the
state had changed.
"""

from __future__ import annotations

import functools
import mmap
import site
import sys
import weakref
from types import CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from flopledger.frontend.type_of import bases_of, namespace_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    Restore = Callable[[], bool]

MISSING = object()
_MOST_CODE = 100_000
_LARGE_ARRAY = 1 << 20
"""Bytes from which an array is made read-only for a reading, where a copy would cost memory."""
_OWNERS = (bytearray, mmap.mmap)
"""Owners of memory, beside arrays themselves, that let an array of it be made writeable again."""
_NAMES_OF_TYPES = frozenset(("__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__"))


@functools.lru_cache(maxsize=4096)
def is_installed(home: str) -> bool:
    """Return whether a module is an installed library, by where its file lies, and not the user's own."""
    file = namespace_of(sys.modules.get(home)).get("__file__")
    return isinstance(file, str) and ("-packages/" in file or file.startswith(tuple(site.getsitepackages())))


class Namespace:
    """A module's globals: the values of the names that code in it uses.

    Attributes:
        table: The globals themselves.
        home: The module's name.
        before: The value of each name.
        modules: The other modules among them that are kept too.
    """

    __slots__ = ("before", "home", "modules", "table")

    def __init__(self, table: dict[str, Any], home: str) -> None:
        self.table, self.home = table, home
        self.before: dict[str, Any] = {}
        self.modules: dict[str, Namespace] = {}

    def restore(self) -> bool:
        """Restore the values of the names; return whether one had changed."""
        changed = False
        table = self.table
        for name, value in self.before.items():
            if table.get(name, MISSING) is value:
                continue
            changed = True
            if value is MISSING:
                del table[name]
            else:
                table[name] = value
        return changed


class Namespaces:
    """The globals that functions use, each looked up once.

    Args:
        kept: Returns whether the globals of a module are kept, by its name.
    """

    def __init__(self, kept: Callable[[str], bool]) -> None:
        self._is_kept = kept
        self._found: dict[int, Namespace | None] = {}

    def of(self, table: dict[str, Any]) -> Namespace | None:
        """Return the namespace of a module's globals; None where they are not kept."""
        if id(table) not in self._found:
            home = table.get("__name__", "")
            kept = type(home) is str and self._is_kept(home)
            self._found[id(table)] = Namespace(table, home) if kept else None
        return self._found[id(table)]

    def kept(self) -> list[Namespace]:
        """Return those that are kept."""
        return [space for space in self._found.values() if space is not None]

    def take(self, function: FunctionType) -> Iterator[tuple[Any, str]]:
        """Keep the globals that a function names, in its module and in other modules that it names there.

        Yields:
            Each value that was not met before, and the name of the module in which it is.
        """
        space = self.of(function.__globals__)
        if space is None:
            return
        names = names_in(function.__code__)
        pending, met = [space], {id(space)}
        while pending:
            one = pending.pop()
            for name in names.difference(one.before):
                value = one.before[name] = one.table.get(name, MISSING)
                if ModuleType in bases_of(type(value)):
                    inner = self.of(namespace_of(value))
                    if inner is not None:
                        one.modules[name] = inner
                elif value is not MISSING:
                    yield value, one.home
            for name in names.intersection(one.modules):
                inner = one.modules[name]
                if id(inner) not in met:
                    met.add(id(inner))
                    pending.append(inner)


_NAMES: dict[int, tuple[weakref.ref[CodeType], frozenset[str]]] = {}
"""The names in code, by its address: to hash code, as a cache of calls would, costs as much as to read it."""


def names_in(code: CodeType) -> frozenset[str]:
    """Return the names that code uses, including those of the functions in it."""
    known = _NAMES.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    if len(_NAMES) > _MOST_CODE:
        _NAMES.clear()
    found: set[str] = set()
    pending = [code]
    while pending:
        one = pending.pop()
        found.update(one.co_names)
        pending += [const for const in one.co_consts if type(const) is CodeType]
    names = frozenset(found)
    _NAMES[id(code)] = (weakref.ref(code), names)
    return names


def contents(cell: CellType) -> Any:
    """Return the contents of a cell, MISSING if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def restore_cell(cell: CellType, before: Any) -> bool:
    """Restore the contents of a cell; return whether they had changed."""
    if contents(cell) is before:
        return False
    if before is MISSING:
        del cell.cell_contents
    else:
        cell.cell_contents = before
    return True


def keep_table(table: MutableMapping[str, Any]) -> Restore:
    """Keep a dict of attributes."""
    before = dict(table)
    return lambda: _restore_names(table, before, table.__setitem__, table.__delitem__)


def keep_code(function: FunctionType) -> Restore:
    """Keep a function's code, and its defaults."""
    before = function.__code__, function.__defaults__

    def restore() -> bool:
        if function.__code__ is before[0] and function.__defaults__ is before[1]:
            return False
        function.__code__, function.__defaults__ = before
        return True

    return restore


def attributes_of(cls: type) -> dict[str, Any]:
    """Return the attributes that a class itself defines, those that Python manages left out."""
    return {name: value for name, value in table_of(cls).items() if name not in _NAMES_OF_TYPES}


def keep_class(cls: type) -> Restore:
    """Keep the attributes of a class."""
    before = attributes_of(cls)
    put, take = functools.partial(type.__setattr__, cls), functools.partial(type.__delattr__, cls)
    return lambda: _restore_names(attributes_of(cls), before, put, take)


def _restore_names(
    now: Any, before: dict[str, Any], put: Callable[[str, Any], None], take: Callable[[str], None]
) -> bool:
    changed = False
    for name in [name for name in now if name not in before]:
        take(name)
        changed = True
    for name, value in before.items():
        if now.get(name, MISSING) is not value:
            put(name, value)
            changed = True
    return changed


def keep_array(array: Any) -> Restore:
    """Keep the elements of a NumPy array; a large one can't be written to until it is restored.

    An array of a subclass is looked at as a plain one, so that no method of the user's is called.
    """
    if array.nbytes > _LARGE_ARRAY and array.flags.writeable and _is_owned(array):
        array.flags.writeable = False

        def allow() -> bool:
            array.flags.writeable = True
            return False

        return allow
    plain = sys.modules["numpy"].ndarray
    array = plain.view(array, plain)
    before = array.copy()

    def restore() -> bool:
        if array.tobytes() == before.tobytes():
            return False
        array[...] = before
        return True

    return restore


def is_array(cls: type) -> bool:
    """Return whether a class is NumPy's array, or derived from it."""
    return getattr(sys.modules.get("numpy"), "ndarray", None) in bases_of(cls)


def array_items(array: Any) -> list[Any]:
    """Return the objects that an array holds; none if it holds numbers."""
    plain = sys.modules["numpy"].ndarray
    return plain.view(array, plain).ravel().tolist() if array.dtype.hasobject else []


def _is_owned(array: Any) -> bool:
    """Return whether the owner of an array's memory lets it be made writeable again."""
    kind = getattr(sys.modules.get("numpy"), "ndarray", None)
    while kind in bases_of(type(array.base)):
        array = array.base
    return (array.base is None and array.flags.owndata) or type(array.base) in _OWNERS
