"""Whether a reading has left stand-ins behind, and who holds them."""

from __future__ import annotations

import functools
import gc
import sys
import traceback
import types
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

if TYPE_CHECKING:
    import weakref
    from collections.abc import Iterable, Iterator

_INNER = next(
    (one for one in torch.nn.Module._call_impl.__code__.co_consts if type(one) is types.CodeType), None
)
"""The code of the function that torch makes for each call of a module with hooks."""
_DEEPEST = 6
"""How many holders of holders are looked at until one has a name."""
_MOST = 64
"""How many stand-ins are looked at: an object that holds one mostly holds the others."""


def forget_frames(error: BaseException) -> None:
    """Let the functions that an exception went through forget their variables, which hold stand-ins."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if frame.f_code is not _INNER:
                continue
            # A frame keeps its function, and torch's a call's arguments in the function that it makes for it.
            for function in gc.get_referents(frame):
                for cell in (type(function) is types.FunctionType and function.__closure__) or ():
                    del cell.cell_contents
        traceback.clear_frames(one.__traceback__)
        pending += [one.__cause__, one.__context__]


def left(known: Iterable[weakref.ref[Any]]) -> bool:
    """Return whether anything of a reading is still alive, garbage that waits for its collection left out."""
    if not any(ref() is not None for ref in known):
        return False
    gc.collect()
    return any(ref() is not None for ref in known)


def cleared(known: Iterable[weakref.ref[Any]]) -> list[str]:
    """Take stand-ins out of functions' caches; return the names of other holders."""
    for cache in _caches(_alive(known)):
        cache.cache_clear()
    return list(dict.fromkeys(_names(_alive(known)[:_MOST])))


def _caches(stand_ins: list[Any]) -> list[Any]:
    return [one for one in _referrers(stand_ins) if type(one) is functools._lru_cache_wrapper]


def _alive(known: Iterable[weakref.ref[Any]]) -> list[Any]:
    """Return the stand-ins that are alive, and other objects of their mode."""
    found = [one for ref in known if (one := ref()) is not None]
    modes = {id(one.fake_mode) for one in found if type(one) is FakeTensor}
    found += [one for one in gc.get_objects() if type(one) is FakeTensor and id(one.fake_mode) in modes]
    return found


def _referrers(objects: list[Any]) -> list[Any]:
    ours = {id(objects), id(sys._getframe()), id(sys._getframe(1))}
    return [one for one in gc.get_referrers(*objects) if id(one) not in ours] if objects else []


def _names(stand_ins: list[Any]) -> Iterator[str]:
    """Yield the names of the objects that hold stand-ins, as a user writes them."""
    if not stand_ins:
        return
    spaces = {
        id(vars(module)): name
        for name, module in list(sys.modules.items())
        if type(module) is types.ModuleType
    }
    seen = {id(one) for one in stand_ins}
    level: list[Any] = list(stand_ins)
    last: list[Any] = []
    for _ in range(_DEEPEST):
        frame: types.FrameType | None = sys._getframe()
        skip = {id(level), id(stand_ins), id(last)}
        while frame is not None:
            skip.add(id(frame))
            frame = frame.f_back
        holders = [one for one in gc.get_referrers(*level) if id(one) not in skip | seen]
        named = [name for one in holders if (name := _name(one, level, spaces))]
        if named:
            yield from named
            return
        if not holders:
            break
        seen.update(map(id, holders))
        last, level = level, holders
    yield from {
        f"an object of {type(one).__module__}.{type(one).__qualname__}" for one in (last or level)[:3]
    }


def _name(holder: Any, held: list[Any], spaces: dict[int, str]) -> str:
    """Return the name of a holder that has one: a global, a class's attribute, a function's."""
    ids = {id(one) for one in held}
    if type(holder) is dict and id(holder) in spaces:
        keys = [key for key, value in holder.items() if id(value) in ids]
        return f"{spaces[id(holder)]}.{keys[0]}" if keys else ""
    if type(holder) is types.FunctionType:
        return f"the function {holder.__module__}.{holder.__qualname__}"
    if isinstance(holder, type):
        keys = [key for key, value in vars(holder).items() if id(value) in ids]
        return f"{holder.__module__}.{holder.__qualname__}" + (f".{keys[0]}" if keys else "")
    if type(holder) is types.FrameType:
        return f"{holder.f_code.co_qualname} in {holder.f_code.co_filename}, which runs"
    return ""
