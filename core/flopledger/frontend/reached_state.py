"""Saves and restores the state of live objects: their attributes, containers, closures and plain objects.

For a frontend that reads a live model in place. The objects are found from the model's layers by their types
alone; none of their code runs. Only changed state is restored, in the same objects.
"""

from __future__ import annotations

import functools
import sys
from collections import OrderedDict, defaultdict, deque
from types import CellType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any

from flopledger.frontend.type_of import bases_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DICTS: tuple[type, ...] = (OrderedDict, defaultdict, dict)
_CONTAINERS: tuple[type, ...] = (*_DICTS, list, set, deque)
_PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes, type))
_MOST = 100_000
"""How many objects are kept: a layer that leads to a whole data set is not followed to its end."""
_MISSING = object()


class ReachedState:
    """The state that some objects reach.

    Args:
        roots: The objects.
        closed: The packages whose objects are not looked into: the framework's own.
    """

    def __init__(self, roots: Iterable[object], closed: tuple[str, ...]) -> None:
        self._closed = closed
        self._seen: dict[int, object] = {}
        self._restorers: list[Callable[[], None]] = []
        self._pending: list[Any] = []
        for root in roots:
            self._seen[id(root)] = root
            self._open(root)
        while self._pending and len(self._seen) < _MOST:
            value = self._pending.pop()
            if type(value) not in _PLAIN and id(value) not in self._seen:
                self._seen[id(value)] = value
                self._keep(value)

    def put_back(self) -> None:
        """Restore the state that has changed."""
        for restore in reversed(self._restorers):
            restore()

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
            for cell in value.__closure__ or ():
                self._cell(cell)
            self._pending += value.__defaults__ or ()
        elif cls is MethodType:
            self._pending += (value.__self__, value.__func__)
        elif cls is functools.partial:
            self._pending += (value.func, *value.args, *value.keywords.values())
        elif self._is_users(cls) or cls.__name__ == "SimpleNamespace":
            self._open(value)

    def _is_users(self, cls: type) -> bool:
        home = table_of(cls).get("__module__")
        if type(home) is not str:
            return False
        package = home.partition(".")[0]
        return package not in self._closed and package not in sys.stdlib_module_names - {"__main__"}

    def _open(self, value: Any) -> None:
        """Keep the attributes of an object, and its slots."""
        for base in bases_of(type(value)):
            for name, member in table_of(base).items():
                kind = type(member)
                if name == "__dict__" and kind in (GetSetDescriptorType, MemberDescriptorType):
                    self._container(member.__get__(value), dict)
                elif kind is MemberDescriptorType and self._is_users(base):
                    self._slot(value, member)

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
                return _MISSING

        def restore() -> None:
            if now() is before:
                return
            if before is _MISSING:
                slot.__delete__(value)
            else:
                slot.__set__(value, before)

        before = now()
        self._pending.append(before)
        self._restorers.append(restore)

    def _cell(self, cell: CellType) -> None:
        try:
            before = cell.cell_contents
        except ValueError:  # it is still empty
            return

        def restore() -> None:
            if cell.cell_contents is not before:
                cell.cell_contents = before

        self._pending.append(before)
        self._restorers.append(restore)


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
