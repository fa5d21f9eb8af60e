"""What a model's own functions remember of their results, which are stand-ins in a reading."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import torch

_CACHE = functools._lru_cache_wrapper


def _inside(value: Any) -> Iterator[Any]:
    """Yield the cache that a function is, or that it keeps for itself."""
    function = getattr(value, "__func__", value)
    if type(function) is _CACHE:
        yield function
    for cell in getattr(function, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # nothing is in it yet
            if type(cell.cell_contents) is _CACHE:
                yield cell.cell_contents


def _caches(modules: Iterable[torch.nn.Module]) -> dict[int, Any]:
    """Return the caches in the classes of modules, and beside these where they are defined."""
    classes = {cls for kind in {type(module) for module in modules} for cls in kind.__mro__}
    own = [cls for cls in classes if cls.__module__.partition(".")[0] not in ("torch", "builtins")]
    places: list[Mapping[str, Any]] = [vars(cls) for cls in own]
    places += [vars(sys.modules[name]) for name in {cls.__module__ for cls in own} if name in sys.modules]
    return {
        id(cache): cache for place in places for value in list(place.values()) for cache in _inside(value)
    }


@contextlib.contextmanager
def forgotten(modules: Iterable[torch.nn.Module]) -> Iterator[None]:
    """Let what is remembered in a reading be forgotten after it, since stand-ins are no results."""
    before = [(cache, cache.cache_info()) for cache in _caches(modules).values()]
    try:
        yield
    finally:
        for cache, info in before:
            if cache.cache_info().misses != info.misses:
                cache.cache_clear()
