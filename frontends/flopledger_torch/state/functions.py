"""Functions and methods, rebuilt over the copies of the objects that they hold."""

from __future__ import annotations

import functools
import gc
import types
import weakref
from typing import TYPE_CHECKING, Any

from flopledger.frontend import bases_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger_torch.state.contents import Layouts

    Copy = Callable[[Any], Any]

PLAIN = frozenset(
    (type(None), bool, int, float, complex, str, bytes, type, types.ModuleType, types.CodeType, range)
)
"""Types whose objects can't be changed and hold nothing: most objects are of these."""
_UNCHANGEABLE = frozenset(("atom", "shared", "builtin", "cell", "weak", "watched"))


def referenced(function: types.FunctionType) -> Iterator[Any]:
    """Yield a function's references: cells' contents, defaults and its attributes."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # nothing is in it yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from function.__dict__.values()


def is_global(function: types.FunctionType) -> bool:
    """Return whether a function is found by its name, in its module or in a class there: one for all."""
    scope: Any = function.__globals__
    *classes, name = function.__qualname__.split(".")
    for step in classes:
        scope = scope.get(step)
        if not isinstance(scope, type):
            return False
        scope = vars(scope)
    return scope.get(name) is function


def holds_state(function: types.FunctionType, layouts: Layouts) -> bool:
    """Return whether a function holds something that a call may change: then a copy needs its own.

    A function of a module is not copied, since it may be compared with: it belongs to the program, as
    its globals do, and its state is put back (see :mod:`flopledger_torch.state.watched`).
    """
    seen: set[int] = set()
    pending = [function]
    while pending:
        one = pending.pop()
        if id(one) in seen or (one.__closure__ is None and is_global(one)):
            continue
        seen.add(id(one))
        for value in referenced(one):
            if type(value) in PLAIN:
                continue
            kind = layouts.of(value).kind
            if kind == "function":
                pending.append(value)
            elif kind == "tuple":
                if value:
                    return True
            elif kind not in _UNCHANGEABLE:
                return True
    return False


def rebuilt(function: types.FunctionType, cell: Callable[[types.CellType], types.CellType]) -> Any:
    """Return a function with the same code over other cells, which need not be filled yet."""
    closure = None if function.__closure__ is None else tuple(map(cell, function.__closure__))
    made = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, closure
    )
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    made.__doc__ = function.__doc__
    # From Python 3.14 on annotations are only evaluated when they are read.
    if hasattr(function, "__annotate__"):
        setattr(made, "__annotate__", getattr(function, "__annotate__"))  # noqa: B009, B010  (older stubs lack it)
    else:
        made.__annotations__ = function.__annotations__
    return made


def fill(function: types.FunctionType, made: types.FunctionType, copy: Copy) -> None:
    """Give a function that was made again the copies of defaults and attributes."""
    made.__defaults__ = None if function.__defaults__ is None else copy(function.__defaults__)
    if function.__kwdefaults__ is not None:
        made.__kwdefaults__ = {name: copy(value) for name, value in function.__kwdefaults__.items()}
    for name, value in function.__dict__.items():
        made.__dict__[name] = copy(value)


def bound(method: types.MethodType, copy: Copy) -> Any:
    """Return a method bound to the copy of its object; a function of its class is not copied."""
    owner, function = copy(method.__self__), method.__func__
    name = getattr(function, "__name__", "") if type(function) is types.FunctionType else ""
    if not any(table_of(base).get(name) is function for base in bases_of(type(method.__self__))):
        function = copy(function)
    if owner is method.__self__ and function is method.__func__:
        return method
    return types.MethodType(function, owner)


def builtin(function: Any, copy: Copy) -> Any:
    """Return a builtin's method, such as a list's append, bound to the copy of its object."""
    owner = function.__self__
    if owner is None or type(owner) in PLAIN:
        return function
    made = copy(owner)
    if made is owner:
        return function
    return getattr(type(owner), function.__name__).__get__(made)


def partial(value: functools.partial[Any], copy: Copy) -> Any:
    """Return a partial of copies."""
    kind: Any = functools.partial
    parts = (kind.func.__get__(value), kind.args.__get__(value), kind.keywords.__get__(value))
    attributes = kind.__dict__["__dict__"].__get__(value)
    made: Any = functools.partial.__new__(type(value), copy(parts[0]), *copy(parts[1]))
    keywords = {name: copy(item) for name, item in parts[2].items()}
    own = {name: copy(item) for name, item in attributes.items()}
    made.__setstate__((made.func, made.args, keywords, own))
    return made


def cache(value: Any, copy: Copy) -> Any:
    """Return an empty cache of the copy of a function; of one that all share, the cache itself."""
    function = value.__wrapped__
    made = copy(function)
    if made is function:
        return value
    return functools.update_wrapper(functools.lru_cache(**value.cache_parameters())(made), made)


def weak_proxy(value: Any, copy: Copy) -> Any:
    """Return a weak proxy of the copy of another's object."""
    try:
        target = value.__repr__.__self__
    except (AttributeError, ReferenceError):
        return value
    made = copy(target)
    return value if made is target else weakref.proxy(made)


def proxy_of_dict(value: types.MappingProxyType[Any, Any], copy: Copy) -> Any:
    """Return a read-only view of the copy of a dict."""
    (inner,) = gc.get_referents(value)
    made = copy(inner)
    return value if made is inner else types.MappingProxyType(made)
