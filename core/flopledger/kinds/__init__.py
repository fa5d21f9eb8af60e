"""The kinds of layers. A new one is a record in the file of its family, listed there in ``KINDS``."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts
from flopledger.lazy import attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAMILIES", "Attribute", "Call", "Facts", "Kind", "Parts", "builtin"]

FAMILIES = (
    "activation",
    "attention",
    "contraction",
    "conv",
    "deform",
    "derivative",
    "detection",
    "distance",
    "elementwise",
    "fourier",
    "linear",
    "loss",
    "move",
    "norm",
    "pool",
    "rearrange",
    "recurrent",
    "reduce",
    "resample",
    "scan",
    "search",
    "solve",
    "special",
)
"""The modules of this package that hold kinds."""


@functools.cache
def builtin() -> Mapping[str, Kind]:
    """Return flopledger's own kinds by name; plugins add theirs, see :mod:`flopledger.plugins.discovery`."""
    kinds: dict[str, Kind] = {}
    for family in FAMILIES:
        for kind in attribute(f"{__name__}.{family}:KINDS"):
            kinds[kind.name] = kind
    return MappingProxyType(kinds)
