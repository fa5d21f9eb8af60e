"""The contents of objects, found by their types alone.

A model can hold anything: a settings dict that refuses changes, a stand-in for a package that is not
installed and raises at every question, an object whose ``__class__`` is computed. So nothing here looks an
attribute up on an object of the user's: its type's bases determine what Python keeps in it, and the methods
of those bases read and write that.
"""

from __future__ import annotations

import enum
import functools
import sys
import sysconfig
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import bases_of, dataclass, is_array, namespace_of, native_state, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CONTAINERS: tuple[type, ...] = (OrderedDict, defaultdict, dict, list, set, deque)
"""Builtin types that hold other objects and can be changed; a subclass of dict comes before dict."""

_ATOMS: tuple[type, ...] = (
    *(
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        type,
        types.ModuleType,
        types.CodeType,
        range,
        slice,
    ),
    *(enum.Enum, torch.Size, torch.dtype, torch.device, torch.layout, torch.memory_format),
)
_KINDS: dict[type, str] = {
    **dict.fromkeys(_ATOMS, "atom"),
    torch.nn.Module: "module",
    torch.Tensor: "tensor",
    types.FunctionType: "function",
    types.MethodType: "method",
    types.BuiltinMethodType: "builtin",
    types.MethodWrapperType: "builtin",
    types.CellType: "cell",
    types.MappingProxyType: "proxy of a dict",
    functools.partial: "partial",
    functools._lru_cache_wrapper: "cache",
    weakref.ref: "weak",
    weakref.ProxyType: "weak proxy",
    weakref.CallableProxyType: "weak proxy",
    weakref.WeakSet: "weak container",
    weakref.WeakKeyDictionary: "weak container",
    weakref.WeakValueDictionary: "weak container",
    tuple: "tuple",
    frozenset: "tuple",
    types.GeneratorType: "iterator",
    types.CoroutineType: "iterator",
    types.AsyncGeneratorType: "iterator",
    **dict.fromkeys((map, filter, zip, enumerate, reversed), "iterator"),
    BaseException: "shared",
    types.SimpleNamespace: "object",
    **dict.fromkeys(_CONTAINERS, "object"),
}
"""The treatment of an object, by the first of its type's bases that is listed."""

_SHARED = tuple(
    f"{name}."
    for name in (
        *("torch._", "torch.fx", "torch.jit", "torch.distributed", "torch.cuda", "torch.export"),
        *("torch.optim", "torch.utils.data", "torch.package", "sympy", "lightning.pytorch.trainer"),
        *("lightning.pytorch.loggers", "pytorch_lightning.trainer", "pytorch_lightning.loggers"),
    )
)
"""Modules whose objects take no part in a forward's computation, or compare by identity.

A program's nodes are keys of its interpreter, a symbol of sympy equals itself alone, and a trainer that a
module points to leads to optimizers, data sets and the original model.
"""
_STANDARD_COPIED = frozenset(("collections", "argparse", "types", "dataclasses", "functools", "weakref"))
"""Modules of the standard library whose plain objects only hold values.

The others (loggers, locks, threads, queues, paths) represent something outside the model, and a copy would be
another thing: an event that is set in a copy wakes nobody.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """What Python keeps in the objects of a type.

    Attributes:
        kind: What is done with such an object.
        container: The builtin type whose contents it has, if any.
        table: The descriptor of its ``__dict__``, if it has one.
        slots: The descriptors of its slots.
    """

    kind: str
    container: type | None = None
    table: Any = None
    slots: tuple[Any, ...] = ()

    def attributes(self, value: object) -> dict[str, Any] | None:
        """Return the very dict that holds an object's attributes."""
        found: dict[str, Any] | None = None if self.table is None else self.table.__get__(value)
        return found

    def slot_values(self, value: object) -> Iterator[tuple[Any, Any]]:
        """Yield the slots that are filled, and their values."""
        for slot in self.slots:
            try:
                yield slot, slot.__get__(value)
            except AttributeError:  # an empty slot
                continue


class Layouts:
    """The layout of each type, found once in a reading."""

    def __init__(self) -> None:
        self._layouts: dict[type, Layout] = {}

    def of(self, value: object) -> Layout:
        """Return the layout of an object."""
        kind = type(value)
        found = self._layouts.get(kind)
        if found is None:
            found = self._layouts[kind] = _layout(kind)
        return found


def _layout(cls: type) -> Layout:
    bases = bases_of(cls)
    kind = next((_KINDS[base] for base in bases if base in _KINDS), "")
    if not kind:
        native = "native" if native_state.keeper(cls) is not None else ""
        kind = "array" if is_array(cls) else native or _foreign_kind(cls)
    if kind not in ("object", "module", "tuple", "watched", "array"):
        return Layout(kind)
    container = next((base for base in bases if base in _CONTAINERS), None)
    table, slots = None, []
    for base in bases:
        for name, member in table_of(base).items():
            if type(member) is types.MemberDescriptorType and name != "__dict__":
                slots.append(member)
            elif name == "__dict__" and type(member) in (
                types.GetSetDescriptorType,
                types.MemberDescriptorType,
            ):
                table = table or member
    return Layout(kind, container, table, tuple(slots))


def _foreign_kind(cls: type) -> str:
    """Return the treatment of an object whose type has no base in the table."""
    home = table_of(cls).get("__module__", "builtins")  # types that are written in C have no entry
    if type(home) is not str:
        home = ""
    if (
        cls is object
        or f"{home}.".startswith(_SHARED)
        or (is_standard(home) and home not in _STANDARD_COPIED)
    ):
        return _standard_kind(cls)
    if any("__del__" in table_of(base) for base in bases_of(cls)):
        # A copy would release, when it is deleted, a resource of the original: a file, a handle, a folder.
        return "watched"
    try:
        object.__new__(cls)
    except TypeError:  # its objects have a part written in C, which nothing here knows
        return "shared"
    return "object"


def _standard_kind(cls: type) -> str:
    # Objects of itertools, and the iterators of containers, hold a position in what they iterate over.
    home, name = cls.__module__, cls.__name__
    return "iterator" if home == "itertools" or name.endswith("iterator") else "shared"


@functools.cache
def _standard_folders() -> tuple[str, ...]:
    return tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib")})


@functools.lru_cache(maxsize=4096)
def is_standard(name: str) -> bool:
    """Return whether a module belongs to the standard library; a user's file may have such a name."""
    if name.partition(".")[0] not in sys.stdlib_module_names or name == "__main__":
        return False
    file = namespace_of(sys.modules.get(name)).get("__file__")
    if not isinstance(file, str):
        return True  # it is built in
    return file.startswith(_standard_folders()) and "-packages/" not in file


def new_like(value: object, layout: Layout) -> Any:
    """Return an object of the same type that holds nothing yet."""
    cls = type(value)
    if layout.container is not None:
        base: Any = layout.container
        made = base.__new__(cls)
        if layout.container is deque:
            deque.__init__(made, (), deque.maxlen.__get__(value))
        return made
    if types.SimpleNamespace in bases_of(cls):
        return types.SimpleNamespace.__new__(cls)
    return object.__new__(cls)


def items_of(value: Any, layout: Layout) -> Iterable[Any]:
    """Return the contents of a container: pairs of a dict, else its elements."""
    base: Any = layout.container
    if base is OrderedDict or base is defaultdict or base is dict:
        pairs: Iterable[Any] = base.items(value)
        return pairs
    found: Iterable[Any] = base.__iter__(value)
    return found


def fill(value: Any, layout: Layout, items: Iterable[Any]) -> None:
    """Put elements into an empty container, past the overrides of its class."""
    base: Any = layout.container
    if base in (OrderedDict, defaultdict, dict):
        for key, item in items:
            base.__setitem__(value, key, item)
    elif base is set:
        set.update(value, items)
    else:
        base.extend(value, items)


def empty(value: Any, layout: Layout) -> None:
    """Take everything out of a container."""
    base: Any = layout.container
    base.clear(value)
