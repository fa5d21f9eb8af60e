"""A copy of a model and its arguments to read, so that the user's own objects are never touched.

The copy has the same types, the same names and the same sharing; each tensor in it is a stand-in.
``copy.deepcopy`` would not do: it leaves functions as they are, so that a closure, a hook or a ``forward``
replaced by a lambda goes on holding the original; it raises for a tensor that was computed and remembered;
and it runs whatever ``__deepcopy__`` or ``__reduce__`` objects bring.
"""

from __future__ import annotations

import functools
import sys
import types
import weakref
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

from flopledger.frontend import bases_of, namespace_of, table_of

from flopledger_torch.state import compiled, functions
from flopledger_torch.state.contents import Layout, Layouts, fill, items_of, new_like

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from flopledger_torch.state.weights import StandIns

_EXACT = frozenset((dict, OrderedDict, list, set))


class NotCopyable(Exception):  # noqa: N818  (no error: the reading goes on in another process)
    """An object that a forward may change has no copy; the message names it."""


class Copies:
    """The copies of all objects that a model and its arguments reach, one for each original.

    Args:
        stand_ins: Gives the stand-in of a tensor.
        strict: Whether an object without a copy raises; in a process to be thrown away it is used as it is.
    """

    def __init__(self, stand_ins: StandIns, *, strict: bool = True) -> None:
        self.stand_ins, self.strict = stand_ins, strict
        self.layouts = Layouts()
        self.modules: list[tuple[torch.nn.Module, torch.nn.Module]] = []
        self.watched: list[Any] = []
        self._made: dict[int, tuple[Any, Any]] = {}
        self._taken: set[int] = set()
        self._originals: dict[int, Any] = {}
        self._pending: list[Callable[[], None]] = []
        self._late: list[Callable[[], None]] = []
        self._special = compiled.special()

    def __call__(self, value: Any) -> Any:
        """Return the copy of a value with all that it reaches.

        Raises:
            NotCopyable: Something in it has none.
        """
        found = self.copy(value)
        while self._pending or self._late:
            # Keys and elements of sets are hashed, by the user's code where they are the user's: last of
            # all, when their copies hold what the originals do.
            (self._pending or self._late).pop()()
        return found

    def later(self, fill: Callable[[], None]) -> None:
        """Have a copy filled once there is one of each object around it."""
        self._pending.append(fill)

    def original(self, value: Any) -> Any:
        """Return the original of a copy; the value itself where it is no copy."""
        return self._originals.get(id(value), value)

    def take(self, module: torch.nn.Module) -> None:
        """Make the stand-ins of a module's own tensors."""
        self._taken.add(id(module))
        self.stand_ins.take(self.layouts.of(module).attributes(module) or {})

    def shared(self) -> list[Any]:
        """Return the objects that copy and original share and a forward may change: functions, caches."""
        # A tuple can't be changed, and its elements are here themselves.
        found = [
            one
            for one, made in self._made.values()
            if (made is one and type(one) is not tuple) or type(one) is types.FunctionType
        ]
        return [*found, *self.watched]

    def keep(self, value: Any, made: Any) -> Any:
        """Remember a copy, and its original."""
        self._made[id(value)] = (value, made)
        if made is not value:
            self._originals[id(made)] = value
        return made

    def copy(self, value: Any) -> Any:
        """Return the copy of a value, which may be filled only later."""
        cls = type(value)
        if cls in functions.PLAIN:
            return value
        known = self._made.get(id(value))
        if known is not None:
            return known[1]
        if cls in self._special:
            return self.keep(value, self._special[cls](self, value))
        layout = self.layouts.of(value)
        return getattr(self, _METHODS[layout.kind])(value, layout)

    def _as_it_is(self, value: Any, layout: Layout) -> Any:
        del layout
        return value

    def _tensor(self, value: torch.Tensor, layout: Layout) -> torch.Tensor:
        del layout
        return self.stand_ins.remembered(value)

    def _watched(self, value: Any, layout: Layout) -> Any:
        del layout
        self.watched.append(value)
        return self.keep(value, value)

    def _iterator(self, value: Any, layout: Layout) -> Any:
        del layout
        if compiled.restarted(value):
            return self.keep(value, compiled.pickled(value))
        if self.strict:
            raise NotCopyable(f"a {type(value).__name__}")
        return value

    def _object(self, value: Any, layout: Layout) -> Any:
        if layout.container is None and self._is_sentinel(value, layout):
            return self._watched(value, layout)
        made = self.keep(value, new_like(value, layout))
        if type(value) not in _EXACT or value:
            self._pending.append(functools.partial(self._fill, value, made, layout))
        return made

    def _module(self, value: Any, layout: Layout) -> Any:
        if self.strict and any("__del__" in table_of(base) for base in bases_of(type(value))):
            raise NotCopyable(f"a {type(value).__name__}, which releases something in its __del__")
        if id(value) not in self._taken:
            self.take(value)
        made = self.keep(value, new_like(value, layout))
        self.modules.append((value, made))
        self._pending.append(functools.partial(self._fill, value, made, layout))
        return made

    def _is_sentinel(self, value: Any, layout: Layout) -> bool:
        """Return whether an object is only compared with: it is empty, and a global of its module."""
        if layout.attributes(value) or layout.slots:
            return False
        home = table_of(type(value)).get("__module__")
        return type(home) is str and any(one is value for one in namespace_of(sys.modules.get(home)).values())

    def _fill(self, value: Any, made: Any, layout: Layout) -> None:
        copy = self.copy
        attributes = layout.attributes(value)
        if attributes:
            own: Any = layout.attributes(made)
            for name, item in list(attributes.items()):
                own[name] = item if type(item) in functions.PLAIN else copy(item)
        for slot, item in layout.slot_values(value):
            slot.__set__(made, copy(item))
        if layout.container is not None:
            self._fill_container(value, made, layout)

    def _fill_container(self, value: Any, made: Any, layout: Layout) -> None:
        base: Any = layout.container
        if base is defaultdict:
            factory: Any = defaultdict.default_factory  # type: ignore[misc]
            factory.__set__(made, self.copy(factory.__get__(value)))
        items = list(items_of(value, layout))
        if not items:
            return
        keyed = issubclass(base, dict)
        if keyed:
            pairs = [(self.copy(key), self.copy(item)) for key, item in items]
            plain = all(type(key) in functions.PLAIN for key, _ in items)
            put: Callable[[], None] = functools.partial(fill, made, layout, pairs)
        else:
            elements = [item if type(item) in functions.PLAIN else self.copy(item) for item in items]
            plain = base is not set or all(type(item) in functions.PLAIN for item in items)
            put = functools.partial(fill, made, layout, elements)
        if plain:
            put()
        else:
            self._late.append(put)

    def _tuple(self, value: Any, layout: Layout) -> Any:
        base: Any = tuple if tuple in bases_of(type(value)) else frozenset
        items = list(base.__iter__(value))
        copies = [self.copy(item) for item in items]
        attributes = layout.attributes(value)
        if not attributes and all(a is b for a, b in zip(items, copies, strict=True)):
            return self.keep(value, value)
        made = self.keep(value, base.__new__(type(value), copies))
        for name, item in list((attributes or {}).items()):
            own: Any = layout.attributes(made)
            own[name] = self.copy(item)
        return made

    def _function(self, value: Any, layout: Layout) -> Any:
        del layout
        if not functions.holds_state(value, self.layouts):
            return self.keep(value, value)
        made = self.keep(value, functions.rebuilt(value, self._cell))
        self._pending.append(functools.partial(functions.fill, value, made, self.copy))
        return made

    def _as_cell(self, value: types.CellType, layout: Layout) -> types.CellType:
        del layout
        return self._cell(value)

    def _cell(self, cell: types.CellType) -> types.CellType:
        known = self._made.get(id(cell))
        if known is not None:
            return known[1]  # type: ignore[no-any-return]
        made: types.CellType = self.keep(cell, types.CellType())

        def put() -> None:
            try:
                made.cell_contents = self.copy(cell.cell_contents)
            except ValueError:  # nothing is in it yet
                return

        self._pending.append(put)
        return made

    def _of_parts(self, value: Any, layout: Layout) -> Any:
        return self.keep(value, getattr(functions, _BUILDERS[layout.kind])(value, self.copy))

    def _weak(self, value: Any, layout: Layout) -> Any:
        del layout
        if type(value) not in (weakref.ref, weakref.WeakMethod):
            return value
        target = value()
        made = None if target is None else self.copy(target)
        if made is target:
            return self.keep(value, value)
        return self.keep(value, type(value)(made))

    def _weak_container(self, value: Any, layout: Layout) -> Any:
        del layout
        made = self.keep(value, type(value)())
        items = list(value) if isinstance(value, weakref.WeakSet) else list(value.items())

        def put() -> None:
            for item in items:
                if isinstance(made, weakref.WeakSet):
                    made.add(self.copy(item))
                else:
                    made[self.copy(item[0])] = self.copy(item[1])

        self._late.append(put)
        return made

    def release(self) -> None:
        """Take the copies apart, which may hold each other, so that they go at once."""
        for value, made in list(self._made.values()):
            if made is value:
                continue
            layout = self.layouts.of(made)
            if layout.kind in ("object", "module"):
                (layout.attributes(made) or {}).clear()
                if layout.container is not None:
                    layout.container.clear(made)  # type: ignore[attr-defined]
            elif layout.kind == "cell":
                del made.cell_contents
        self._made.clear()
        self._originals.clear()
        self.modules.clear()
        self.watched.clear()


_METHODS = {
    "": "_as_it_is",
    "atom": "_as_it_is",
    "shared": "_as_it_is",
    "array": "_watched",
    "native": "_watched",
    "tensor": "_tensor",
    "watched": "_watched",
    "iterator": "_iterator",
    "object": "_object",
    "module": "_module",
    "tuple": "_tuple",
    "function": "_function",
    "cell": "_as_cell",
    "weak": "_weak",
    "weak container": "_weak_container",
    "method": "_of_parts",
    "builtin": "_of_parts",
    "partial": "_of_parts",
    "cache": "_of_parts",
    "weak proxy": "_of_parts",
    "proxy of a dict": "_of_parts",
}
_BUILDERS = {
    "method": "bound",
    "builtin": "builtin",
    "partial": "partial",
    "cache": "cache",
    "weak proxy": "weak_proxy",
    "proxy of a dict": "proxy_of_dict",
}
