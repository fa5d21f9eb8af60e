"""Attention masks as transformers makes them: from a function that says which keys a query meets.

A model calls one of its mask functions by way of a registry, with the lengths and with that function, which
is made of a few parts: the keys up to the query's own place, a window, a chunk, padding. A reading records
the call with what they say; padding, of which the lengths say nothing, is not in it.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flopledger_torch.record import Recorder

_MODULE = "transformers.masking_utils"
_WRITTEN_OUT = ("sdpa", "eager")
"""The implementations of attention whose mask is a tensor."""
_IGNORED = ("padding_mask_function", "packed_sequence_mask_function")
_SIZES = (("sliding_window_overlay", "sliding_window", "window"), ("chunked_overlay", "chunk_size", "chunk"))
_AT_EACH_LENGTH = (
    "the mask of a window is made at every length; transformers leaves it out while the window fills"
)


@contextlib.contextmanager
def recording_masks(recorder: Recorder) -> Iterator[None]:
    """Record the masks that transformers makes while a model runs, where it is imported."""
    module: Any = sys.modules.get(_MODULE)
    table: dict[str, Any] = {} if module is None else module.AttentionMaskInterface._global_mapping
    plain = {name: table[name] for name in _WRITTEN_OUT if name in table}
    table.update({name: _recording(recorder, function) for name, function in plain.items()})
    try:
        yield
    finally:
        table.update(plain)


def _recording(recorder: Recorder, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        pattern = _pattern(kwargs.get("mask_function")) if not args and recorder.is_recording() else None
        if pattern is None:
            return function(*args, **kwargs)
        if kwargs.get("local_size") is not None and _is_open(kwargs):
            kwargs["allow_is_causal_skip"] = False
            recorder.note(_AT_EACH_LENGTH)
        event = recorder.open("function", f"{_MODULE}.{function.__name__}", function.__name__)
        try:
            out = function(*args, **kwargs)
            if out is not None:
                recorder.finish(event, (), {**pattern, **_lengths(kwargs)}, out)
        finally:
            recorder.current = event.parent
        return out

    return recorded


def _is_open(given: Mapping[str, Any]) -> bool:
    return any(isinstance(given.get(name), torch.SymInt) for name in ("q_length", "kv_length"))


def _lengths(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many queries and keys a mask is for, and their place in the sequence."""
    query, key = given.get("q_offset", 0), given.get("kv_offset", 0)
    sizes = {"batch": given["batch_size"], "queries": given["q_length"], "keys": given["kv_length"]}
    return {**sizes, "offset": query - key, "start": key}


def _pattern(function: Any) -> dict[str, Any] | None:
    """Return which keys a function lets a query meet; None if it is made of a part that is not known."""
    name = getattr(function, "__qualname__", "").partition(".")[0]
    inside = _closed_over(function)
    if name == "causal_mask_function":
        return {"causal": True}
    if name == "and_masks":
        parts = [_pattern(part) for part in inside.get("mask_functions", ())]
        found = {key: size for part in parts if part is not None for key, size in part.items()}
        return None if None in parts else found
    if name == "remap_positions_for_packed_sequence":
        return _pattern(inside.get("mask_function"))
    for maker, variable, word in _SIZES:
        if name == maker:
            return {word: inside.get(variable, 0)}
    return {} if name in _IGNORED else None


def _closed_over(function: Any) -> dict[str, Any]:
    """Return the variables that a function was made with."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    return (
        {}
        if code is None
        else {n: cell.cell_contents for n, cell in zip(code.co_freevars, cells, strict=True)}
    )
