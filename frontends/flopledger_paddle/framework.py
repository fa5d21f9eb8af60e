"""Paddle itself, imported without the warnings that it gives wherever it is imported."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

__all__ = ["paddle"]
