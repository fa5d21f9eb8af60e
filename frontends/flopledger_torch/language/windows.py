"""Caches of sliding windows at lengths that are symbols: the last tokens of a window, or all while it fills.

transformers cuts such a cache by plain numbers and asks whether it is full, so that a symbol would hold on
one side of that alone. How many tokens are kept is the smaller of two sizes, which holds on both.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODULE = "transformers.cache_utils"
_LAYER = "DynamicSlidingWindowLayer"


@contextlib.contextmanager
def symbolic_windows() -> Iterator[None]:
    """Let a sliding window keep a symbol's tokens by rule, where transformers is imported."""
    layer: Any = getattr(sys.modules.get(_MODULE), _LAYER, None)
    if layer is None:
        yield
        return
    update, sizes = layer.update, layer.get_mask_sizes

    @functools.wraps(update)
    def updated(self: Any, key_states: Any, *args: Any, **kwargs: Any) -> Any:
        length = self.cumulative_length + key_states.shape[-2]
        if not isinstance(length, torch.SymInt):
            return update(self, key_states, *args, **kwargs)
        window = self.sliding_window
        held = self.keys.shape[-2] if self.is_initialized and self.keys.dim() == key_states.dim() else 0
        self.sliding_window = _kept(held + key_states.shape[-2], window) + 1
        try:
            return update(self, key_states, *args, **kwargs)
        finally:
            self.sliding_window = window

    @functools.wraps(sizes)
    def sized(self: Any, query_length: Any) -> Any:
        if not isinstance(self.cumulative_length, torch.SymInt):
            return sizes(self, query_length)
        kept = _kept(self.cumulative_length, self.sliding_window)
        return kept + query_length, self.cumulative_length - kept

    layer.update, layer.get_mask_sizes = updated, sized
    try:
        yield
    finally:
        layer.update, layer.get_mask_sizes = update, sizes


def _kept(length: Any, window: int) -> Any:
    smaller: Any = torch.sym_min  # without types
    return smaller(length, window - 1)
