"""What a forward may change outside the model: kept before a reading, and put back after it.

A copy of a model shares the program with it: globals, classes, functions and their caches. What the model's
own code names there is kept: its globals, tables of classes, what its functions hold, and containers and
plain objects that are reached from these. The user's own code is put back as it was. A library's is put
back only where stand-ins have got into it: what a library sets up once, such as operators that it registers,
must not be set up again.
"""

from __future__ import annotations

import functools
import site
import sys
import types
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import bases_of, namespace_of, table_of

from flopledger_torch.state.contents import (
    Layout,
    empty,
    fill,
    is_standard,
    items_of,
)
from flopledger_torch.state.functions import PLAIN, referenced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flopledger_torch.state.contents import Layouts

_MOST = 100_000
"""How many objects are kept. What a model's code names rarely reaches more than some hundred; a global that
leads to a whole data set may, and keeping it would cost more than the reading. The check for stand-ins
that are left (:mod:`flopledger_torch.state.leaks`) looks everywhere."""
_MOST_VALUES = 1 << 12
"""How many elements a tensor may have that is kept where the forward is not executed."""
_NAMES_OF_TYPES = frozenset(("__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__"))
_MISSING = object()


@functools.lru_cache(maxsize=4096)
def _is_library(home: str) -> bool:
    """Return whether a module is installed, and not the user's own; what is in none is the user's."""
    if not home:
        return False
    if home.partition(".")[0] in ("torch", "builtins", "flopledger", "flopledger_torch") or is_standard(home):
        return True
    file = namespace_of(sys.modules.get(home)).get("__file__")
    return isinstance(file, str) and ("-packages/" in file or file.startswith(tuple(site.getsitepackages())))


def _is_untouchable(home: str) -> bool:
    """Return whether nothing of a module is kept: torch's own state and the standard library's."""
    return home.partition(".")[0] in ("torch", "builtins", "numpy", "flopledger", "flopledger_torch") or (
        is_standard(home)
    )


class Watched:
    """What is kept, found from the copies that a forward runs on."""

    def __init__(self, layouts: Layouts, *, executed: bool) -> None:
        self.layouts, self.executed = layouts, executed
        self._seen: set[int] = set()
        self._kept: list[
            tuple[bool, Callable[[], bool]]
        ] = []  # whether it is a library's, and what puts it back
        self._alive: list[Any] = []  # an address stands for an object only as long as it lives
        self._pending: list[tuple[Any, str]] = []
        self._homes: set[str] = set()
        self.caches: list[tuple[Any, int]] = []

    def take(self, classes: Iterable[type], values: Iterable[Any]) -> None:
        """Keep what the methods of classes can name, and what these values hold."""
        for cls in classes:
            for base in bases_of(cls):
                home = table_of(base).get("__module__", "")
                if type(home) is str and not _is_untouchable(home):
                    self._homes.add(home)
                    self._pending.append((base, home))
        self._pending += [(value, "") for value in values]
        while self._pending and len(self._seen) < _MOST:
            value, home = self._pending.pop()
            if id(value) in self._seen:
                continue
            self._seen.add(id(value))
            self._alive.append(value)
            self._visit(value, home)

    def put_back(self, *, libraries: bool) -> bool:
        """Put back what the user's own code, or libraries', holds; return whether any had changed."""
        changed = False
        for library, restore in reversed(self._kept):
            if library is libraries:
                changed = restore() or changed
        for cache, misses in self.caches:
            if cache.cache_info().misses != misses:
                cache.cache_clear()
        return changed

    def _visit(self, value: Any, home: str) -> None:
        if types.FunctionType is type(value):
            self._function(value)
            return
        if type in bases_of(type(value)):
            self._class(value)
            return
        layout = self.layouts.of(value)
        if layout.kind == "cache":
            self.caches.append((value, value.cache_info().misses))
        elif layout.kind == "tensor" and self._may_be_written(value):
            self._kept.append((_is_library(home), _values_of(value)))
        elif layout.kind == "array":
            self._kept.append((_is_library(home), _elements_of(value)))
        elif layout.kind in ("object", "module", "watched", "tuple"):
            self._object(value, layout, home)
        for part in _parts(value, layout.kind):
            self._push(part, home)

    def _may_be_written(self, tensor: torch.Tensor) -> bool:
        """Return whether a forward may write to a tensor; beside fakes torch computes small constants."""
        plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout == torch.strided
        return plain and not tensor.is_meta and (self.executed or tensor.numel() <= _MOST_VALUES)

    def _push(self, value: Any, home: str) -> None:
        if type(value) not in PLAIN or type(value) is type:
            self._pending.append((value, home))

    def _class(self, cls: type) -> None:
        home = table_of(cls).get("__module__", "")
        if type(home) is not str or _is_untouchable(home) or (_is_library(home) and home not in self._homes):
            return
        before = {name: value for name, value in table_of(cls).items() if name not in _NAMES_OF_TYPES}

        def restore() -> bool:
            return _restore_names(
                {name: value for name, value in table_of(cls).items() if name not in _NAMES_OF_TYPES},
                before,
                functools.partial(type.__setattr__, cls),
                functools.partial(type.__delattr__, cls),
            )

        self._kept.append((_is_library(home), restore))
        for value in before.values():
            self._push(value, home)

    def _function(self, function: types.FunctionType) -> None:
        home = function.__globals__.get("__name__", "")
        if type(home) is not str or _is_untouchable(home):
            return
        library = _is_library(home)
        for cell in function.__closure__ or ():
            self._cell(cell, library=library)
        for value in referenced(function):
            self._push(value, home)
        attributes = function.__dict__
        if attributes:
            self._table(attributes, library=library)
        else:
            self._kept.append((library, functools.partial(_emptied, function)))
        self._globals(function, home, library=library)

    def _cell(self, cell: types.CellType, *, library: bool) -> None:
        try:
            before = cell.cell_contents
        except ValueError:
            before = _MISSING

        def restore() -> bool:
            try:
                now = cell.cell_contents
            except ValueError:
                now = _MISSING
            if now is before:
                return False
            if before is _MISSING:
                del cell.cell_contents
            else:
                cell.cell_contents = before
            return True

        self._kept.append((library, restore))

    def _globals(self, function: types.FunctionType, home: str, *, library: bool) -> None:
        """Keep the globals that a function names, in the user's other modules that it names too."""
        names = set(_names_in(function.__code__))
        spaces = [function.__globals__]
        for name in names:
            value = function.__globals__.get(name)
            if types.ModuleType in bases_of(type(value)):
                space = namespace_of(value)
                inner = space.get("__name__")
                if type(inner) is str and not _is_untouchable(inner):
                    spaces.append(space)
        for space in spaces:
            before = {name: space.get(name, _MISSING) for name in names}
            self._kept.append((library, functools.partial(_restore_globals, space, before)))
            for value in before.values():
                self._push(value, home)

    def _table(self, table: dict[str, Any], *, library: bool) -> None:
        before = dict(table)
        self._kept.append(
            (library, lambda: _restore_names(table, before, table.__setitem__, table.__delitem__))
        )

    def _object(self, value: Any, layout: Layout, home: str) -> None:
        cls = type(value)
        library = _is_library(home)
        attributes = layout.attributes(value)
        if attributes is not None:
            self._table(attributes, library=library)
            for item in attributes.values():
                self._push(item, home)
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
                return _MISSING

        before = now()

        def restore() -> bool:
            if now() is before:
                return False
            if before is _MISSING:
                slot.__delete__(value)
            else:
                slot.__set__(value, before)
            return True

        self._kept.append((library, restore))

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

        self._kept.append((library, restore))
        for item in before:
            for part in item if keyed else (item,):
                if type(part) not in PLAIN:
                    self._push(part, home)


def _parts(value: Any, kind: str) -> tuple[Any, ...]:
    """Return what a method, a partial, a cache or a property of a class is made of."""
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


def _values_of(tensor: torch.Tensor) -> Callable[[], bool]:
    """Keep the values of a tensor that a forward which is executed may write to."""
    # Below autograd, where a reading runs, writing to a tensor does not count its version up.
    before = tensor.detach().clone()

    def restore() -> bool:
        if torch.equal(tensor, before):
            return False
        with torch.no_grad():
            tensor.copy_(before)
        return True

    return restore


def _elements_of(array: Any) -> Callable[[], bool]:
    """Keep the elements of an array of numpy's."""
    before = array.copy()

    def restore() -> bool:
        if array.tobytes() == before.tobytes():
            return False
        array[...] = before
        return True

    return restore


def _same(a: Any, b: Any, *, keyed: bool) -> bool:
    return (a[0] is b[0] and a[1] is b[1]) if keyed else a is b


def _restore_names(
    now: Any, before: dict[str, Any], put: Callable[[str, Any], None], take: Callable[[str], None]
) -> bool:
    changed = False
    for name in [name for name in now if name not in before]:
        take(name)
        changed = True
    for name, value in before.items():
        if now.get(name, _MISSING) is not value:
            put(name, value)
            changed = True
    return changed


def _restore_globals(space: dict[str, Any], before: dict[str, Any]) -> bool:
    changed = False
    for name, value in before.items():
        if space.get(name, _MISSING) is value:
            continue
        changed = True
        if value is _MISSING:
            del space[name]
        else:
            space[name] = value
    return changed


def _emptied(function: types.FunctionType) -> bool:
    if not function.__dict__:
        return False
    function.__dict__.clear()
    return True


def _names_in(code: types.CodeType) -> Iterator[str]:
    """Yield the names that code uses, that of the functions in it included."""
    pending = [code]
    while pending:
        one = pending.pop()
        yield from one.co_names
        pending += [const for const in one.co_consts if type(const) is types.CodeType]
