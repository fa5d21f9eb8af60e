"""State outside the model that a forward may change: kept before a reading, and put back after it.

A copy of a model shares the program with it: globals, classes, functions and their caches. What the model's
own code names there is kept: its globals, tables of classes, what its functions hold, and containers and
plain objects that are reached from these. The user's own code is put back as it was. A library's is put
back only where stand-ins have got into it: what a library sets up once, such as operators that it registers,
must not be set up again.
"""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    MISSING,
    Namespaces,
    array_items,
    attributes_of,
    bases_of,
    contents,
    is_installed,
    keep_array,
    keep_class,
    keep_code,
    keep_table,
    native_state,
    restore_cell,
    table_of,
)

from flopledger_torch.state.contents import (
    Layout,
    empty,
    fill,
    is_standard,
    items_of,
)
from flopledger_torch.state.functions import PLAIN
from flopledger_torch.state.tensors import tensor_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flopledger_torch.state.contents import Layouts

_MOST = 100_000
"""How many objects are kept. What a model's code names rarely reaches more than some hundred; a global that
leads to a whole data set may, and keeping it would cost more than the reading. The check for stand-ins
that are left (:mod:`flopledger_torch.state.leaks`) looks everywhere."""
_NATIVE = ("native", "weak container")
_BEFORE: dict[str, Callable[[Any], Callable[[], bool]]] = {"tensor": tensor_before, "array": keep_array}
"""The functions that keep an object of numbers, by its kind, and return a function that restores it."""


@functools.lru_cache(maxsize=4096)
def _is_library(home: str) -> bool:
    """Return whether a module is installed and not the user's own; without a module it is the user's."""
    if not home:
        return False
    if home.partition(".")[0] in ("torch", "builtins", "flopledger", "flopledger_torch") or is_standard(home):
        return True
    return is_installed(home)


def _is_untouchable(home: str) -> bool:
    """Return whether nothing of a module is kept: torch's own state and the standard library's."""
    return home.partition(".")[0] in ("torch", "builtins", "numpy", "flopledger", "flopledger_torch") or (
        is_standard(home)
    )


class Watched:
    """The objects that are kept, found from the copies that a forward runs on.

    A registry of models leads to thousands of functions, so that keeping one must cost little: the
    names that code uses are found once in a process, and the objects that have them once in a reading.
    """

    def __init__(self, layouts: Layouts) -> None:
        self.layouts = layouts
        self._seen: set[int] = set()
        self._kept: dict[bool, list[Callable[[], bool]]] = {True: [], False: []}  # a library's, the user's
        self._cells: dict[bool, list[tuple[types.CellType, Any]]] = {True: [], False: []}
        self._bare: dict[bool, list[types.FunctionType]] = {True: [], False: []}  # without attributes
        self._spaces = Namespaces(lambda home: not _is_untouchable(home))
        self._alive: list[Any] = []  # an address stands for an object only as long as it lives
        self._pending: list[tuple[Any, str]] = []
        self._homes: set[str] = set()
        self.caches: list[tuple[Any, int]] = []
        self.iterators: list[str] = []
        self._through_libraries = False

    def take(self, classes: Iterable[type], values: Iterable[Any]) -> None:
        """Keep the objects that the methods of classes can name, and their contents."""
        for cls in classes:
            for base in bases_of(cls):
                home = table_of(base).get("__module__", "")
                if type(home) is str and not _is_untouchable(home):
                    self._homes.add(home)
                    self._pending.append((base, home))
        self._pending += [(value, "") for value in values]
        later: list[tuple[Any, str]] = []
        self._follow(later)
        self._pending, self._through_libraries = later, True
        self._follow(None)
        self._through_libraries = False

    def _follow(self, later: list[tuple[Any, str]] | None) -> None:
        """Keep pending objects and those that they lead to; those of libraries later, if asked."""
        seen, alive = self._seen, self._alive
        while self._pending and len(seen) < _MOST:
            value, home = self._pending.pop()
            if id(value) in seen:
                continue
            if later is not None and _is_library(home):
                later.append((value, home))
                continue
            seen.add(id(value))
            alive.append(value)
            self._visit(value, home)

    def put_back(self, *, libraries: bool) -> bool:
        """Put back the objects of the user's own code, and of libraries'; return whether any had changed."""
        changed = False
        for restore in reversed(self._kept[libraries]):
            changed = restore() or changed
        for cell, before in self._cells[libraries]:
            changed = restore_cell(cell, before) or changed
        for function in self._bare[libraries]:
            if function.__dict__:
                function.__dict__.clear()
                changed = True
        for space in self._spaces.kept():
            if _is_library(space.home) is libraries:
                changed = space.restore() or changed
        for cache, misses in self.caches:
            if cache.cache_info().misses != misses:
                cache.cache_clear()
        return changed

    def _visit(self, value: Any, home: str) -> None:
        cls = type(value)
        if cls is types.FunctionType:
            self._function(value)
            return
        if cls is tuple:
            for item in value:
                self._push(item, home)
            return
        if type in bases_of(cls):
            self._class(value)
            return
        layout = self.layouts.of(value)
        if layout.kind == "iterator" and not (self._through_libraries or _is_library(home)):
            # It can be moved on, but not back. Behind a library's objects is much that a forward never uses:
            # an assertion that pytest has rewritten leads to all modules of tests.
            self.iterators.append(cls.__name__)
        elif layout.kind == "cache":
            self.caches.append((value, value.cache_info().misses))
        elif layout.kind in _BEFORE:
            self._kept[_is_library(home)].append(_BEFORE[layout.kind](value))
            if layout.kind == "array":
                self._array(value, layout, home)
        elif (keep := native_state.keeper(cls) if layout.kind in _NATIVE else None) is not None:
            self._kept[_is_library(home)].append(keep(value))
            for part in native_state.parts(value):
                self._push(part, home)
        elif layout.kind in ("object", "module", "watched", "tuple"):
            self._object(value, layout, home)
        for part in _parts(value, layout.kind):
            self._push(part, home)

    def _array(self, value: Any, layout: Layout, home: str) -> None:
        attributes = layout.attributes(value)
        if attributes is not None:
            self._table(attributes, home, library=_is_library(home))
        for item in array_items(value):
            self._push(item, home)

    def _push(self, value: Any, home: str) -> None:
        if (type(value) not in PLAIN or type(value) is type) and id(value) not in self._seen:
            self._pending.append((value, home))

    def _class(self, cls: type) -> None:
        home = table_of(cls).get("__module__", "")
        if type(home) is not str or _is_untouchable(home) or (_is_library(home) and home not in self._homes):
            return
        self._kept[_is_library(home)].append(keep_class(cls))
        for value in attributes_of(cls).values():
            self._push(value, home)

    def _function(self, function: types.FunctionType) -> None:
        space = self._spaces.of(function.__globals__)
        if space is None:
            return
        library, home = _is_library(space.home), space.home
        self._kept[library].append(keep_code(function))
        for cell in function.__closure__ or ():
            content = contents(cell)
            self._cells[library].append((cell, content))
            self._push(content, home)
        for value in function.__defaults__ or ():
            self._push(value, home)
        if function.__kwdefaults__:
            self._table(function.__kwdefaults__, home, library=library)
        attributes = function.__dict__
        if attributes:
            self._table(attributes, home, library=library)
        else:
            self._bare[library].append(function)
        for value, where in self._spaces.take(function):
            self._push(value, where)

    def _table(self, table: dict[str, Any], home: str, *, library: bool) -> None:
        self._kept[library].append(keep_table(table))
        for value in table.values():
            self._push(value, home)

    def _object(self, value: Any, layout: Layout, home: str) -> None:
        cls = type(value)
        library = _is_library(home)
        attributes = layout.attributes(value)
        if attributes is not None:
            self._table(attributes, home, library=library)
        for slot in layout.slots:
            self._slot(value, slot, library=library)
        for _, item in layout.slot_values(value):
            self._push(item, home)
        if layout.kind == "tuple":
            for item in tuple.__iter__(value) if tuple in bases_of(cls) else frozenset.__iter__(value):
                self._push(item, home)
        elif layout.container is not None:
            self._container(value, layout, home, library=library)
        if layout.kind in ("object", "module", "watched") and cls.__module__ != "builtins":
            self._push(cls, home)

    def _slot(self, value: Any, slot: Any, *, library: bool) -> None:
        def now() -> Any:
            try:
                return slot.__get__(value)
            except AttributeError:
                return MISSING

        before = now()

        def restore() -> bool:
            if now() is before:
                return False
            if before is MISSING:
                slot.__delete__(value)
            else:
                slot.__set__(value, before)
            return True

        self._kept[library].append(restore)

    def _container(self, value: Any, layout: Layout, home: str, *, library: bool) -> None:
        before = list(items_of(value, layout))
        keyed = issubclass(layout.container or object, dict)

        def restore() -> bool:
            now = list(items_of(value, layout))
            if len(now) == len(before) and all(
                _same(a, b, keyed=keyed) for a, b in zip(now, before, strict=True)
            ):
                return False
            empty(value, layout)
            fill(value, layout, before)
            return True

        self._kept[library].append(restore)
        for item in before:
            for part in item if keyed else (item,):
                if type(part) not in PLAIN:
                    self._push(part, home)


def _parts(value: Any, kind: str) -> tuple[Any, ...]:
    """Return the functions inside a method, a partial, a cache or a property of a class."""
    if kind == "cache":
        return (value.__wrapped__,)
    if kind == "method":
        return (value.__self__, value.__func__)
    if kind == "partial":
        return (value.func, *value.args, *value.keywords.values())
    if type(value) in (staticmethod, classmethod):
        return (value.__func__,)
    if type(value) is property:
        return (value.fget, value.fset)
    return (value.func,) if type(value) is functools.cached_property else ()


def _same(a: Any, b: Any, *, keyed: bool) -> bool:
    return (a[0] is b[0] and a[1] is b[1]) if keyed else a is b
