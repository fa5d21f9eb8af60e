"""Saves and restores the state of live objects, and of the objects that their code names.

For a frontend that reads a live model in place. Kept are attributes, containers, closures and plain objects
that the model's layers reach; globals that their code names, attributes of their classes and functions,
and what these reach in turn. The objects are found by their types alone; none of their code runs. Only
changed state is restored, in the same objects.
"""

from __future__ import annotations

import functools
import sys
from collections import OrderedDict, defaultdict, deque
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any

from flopledger.frontend import native_state
from flopledger.frontend.program_state import (
    MISSING,
    Namespaces,
    array_items,
    contents,
    is_array,
    is_installed,
    keep_array,
    keep_class,
    keep_code,
    keep_table,
    restore_cell,
)
from flopledger.frontend.type_of import bases_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_DICTS: tuple[type, ...] = (OrderedDict, defaultdict, dict)
_CONTAINERS: tuple[type, ...] = (*_DICTS, list, set, deque)
_PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes))
_CACHE: type = type(functools.lru_cache(len))
_MOST = 100_000
"""How many objects are kept: a layer that leads to a whole data set is not followed to its end."""


class ReachedState:
    """The state that some objects reach.

    Args:
        roots: The objects.
        closed: The packages whose objects are not looked into: the framework's own.
        keep: Keeps an object of such a package, and returns what restores it; None where it has no state.
    """

    def __init__(
        self,
        roots: Iterable[object],
        closed: tuple[str, ...],
        keep: Callable[[Any], Callable[[], object] | None] = lambda _: None,
    ) -> None:
        self._closed, self._keep_closed = closed, keep
        self._seen: dict[int, object] = {}
        self._restorers: list[Callable[[], object]] = []
        self._spaces = Namespaces(self._is_program)
        self._caches: list[tuple[Any, int]] = []
        self._pending: list[Any] = []
        self._members: dict[int, list[tuple[Any, bool]]] = {}
        for root in roots:
            self._seen[id(root)] = root
            self._open(root)
            self._pending.append(type(root))
        while self._pending and len(self._seen) < _MOST:
            value = self._pending.pop()
            if type(value) not in _PLAIN and id(value) not in self._seen:
                self._seen[id(value)] = value
                self._keep(value)

    def put_back(self) -> None:
        """Restore the state that has changed."""
        for restore in reversed(self._restorers):
            restore()
        for space in self._spaces.kept():
            space.restore()
        for cache, misses in self._caches:
            if cache.cache_info().misses != misses:
                cache.cache_clear()

    def _keep(self, value: Any) -> None:
        cls = type(value)
        bases = bases_of(cls)
        base = next((one for one in bases if one in _CONTAINERS), None)
        if base is not None:
            self._container(value, base)
            if cls is not base:
                self._open(value)
        elif tuple in bases:
            self._pending += tuple.__iter__(value)
        elif cls is FunctionType:
            self._function(value)
        elif type in bases:
            self._class(value)
        elif is_array(cls):
            self._restorers.append(keep_array(value))
            self._pending += array_items(value)
            self._open(value)
        elif (keep := native_state.keeper(cls)) is not None:
            self._restorers.append(keep(value))
            self._pending += native_state.parts(value)
        elif cls in _PARTS:
            self._pending += _PARTS[cls](value)
            if cls is _CACHE:
                self._caches.append((value, value.cache_info().misses))
        elif self._is_users(cls) or cls.__name__ == "SimpleNamespace":
            self._open(value)
            self._pending.append(cls)
        elif (restore := self._keep_closed(value)) is not None:
            self._restorers.append(restore)

    def _function(self, function: FunctionType) -> None:
        for cell in function.__closure__ or ():
            before = contents(cell)
            self._restorers.append(functools.partial(restore_cell, cell, before))
            self._pending.append(before)
        self._pending += function.__defaults__ or ()
        if self._spaces.of(function.__globals__) is None:
            return
        self._restorers.append(keep_code(function))
        for table in (function.__kwdefaults__, function.__dict__):
            if table is not None:
                self._restorers.append(keep_table(table))
                self._pending += table.values()
        self._pending += (value for value, _ in self._spaces.take(function))

    def _class(self, cls: type) -> None:
        self._pending += bases_of(cls)[1:]
        home = table_of(cls).get("__module__")
        if type(home) is str and self._is_program(home):
            self._restorers.append(keep_class(cls))
            self._pending += table_of(cls).values()

    def _is_open(self, home: str) -> bool:
        """Return whether the objects of a module's classes are looked into."""
        package = home.partition(".")[0]
        return package not in self._closed and package not in sys.stdlib_module_names - {"__main__"}

    def _is_program(self, home: str) -> bool:
        """Return whether a module is the user's own; a library sets itself up once, and that must stay."""
        return self._is_open(home) and not is_installed(home)

    def _is_users(self, cls: type) -> bool:
        home = table_of(cls).get("__module__")
        return type(home) is str and self._is_open(home)

    def _open(self, value: Any) -> None:
        """Keep the attributes of an object, and its slots."""
        cls = type(value)
        members = self._members.get(id(cls))  # a class of the user's may not be hashable
        if members is None:
            members = self._members[id(cls)] = list(self._members_of(cls))
        for member, is_slot in members:
            if is_slot:
                self._slot(value, member)
            else:
                self._container(member.__get__(value), dict)

    def _members_of(self, cls: type) -> Iterator[tuple[Any, bool]]:
        """Yield the places of the state of a class's objects: their attributes, or a slot of the user's."""
        for base in bases_of(cls):
            for name, member in table_of(base).items():
                kind = type(member)
                if name == "__dict__" and kind in (GetSetDescriptorType, MemberDescriptorType):
                    yield member, False
                elif kind is MemberDescriptorType and self._is_users(base):
                    yield member, True

    def _container(self, value: Any, base: Any) -> None:
        keyed = base in _DICTS
        before = list(base.items(value) if keyed else base.__iter__(value))
        self._restorers.append(functools.partial(_refill, value, base, before, keyed=keyed))
        for item in before:
            self._pending += item if keyed else (item,)

    def _slot(self, value: Any, slot: Any) -> None:
        def now() -> Any:
            try:
                return slot.__get__(value)
            except AttributeError:
                return MISSING

        def restore() -> None:
            if now() is before:
                return
            if before is MISSING:
                slot.__delete__(value)
            else:
                slot.__set__(value, before)

        before = now()
        self._pending.append(before)
        self._restorers.append(restore)


_PARTS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    MethodType: lambda value: (value.__self__, value.__func__),
    functools.partial: lambda value: (value.func, *value.args, *value.keywords.values()),
    _CACHE: lambda value: (value.__wrapped__,),
    functools.cached_property: lambda value: (value.func,),
    staticmethod: lambda value: (value.__func__,),
    classmethod: lambda value: (value.__func__,),
    property: lambda value: (value.fget, value.fset),
}
"""The objects that others are made of, by their type."""


def _refill(value: Any, base: Any, before: list[Any], *, keyed: bool) -> None:
    """Restore the contents of a container, bypassing overridden methods of its class."""
    now = list(base.items(value) if keyed else base.__iter__(value))
    if len(now) == len(before):
        pairs = zip(now, before, strict=True)
        if all((a[0] is b[0] and a[1] is b[1]) if keyed else a is b for a, b in pairs):
            return
    base.clear(value)
    if keyed:
        for key, item in before:
            base.__setitem__(value, key, item)
    elif base is set:
        set.update(value, before)
    else:
        base.extend(value, before)
