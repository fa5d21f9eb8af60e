"""The tree of calls: which call contains which, and in which module each one runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Tables


class CallTree:
    """The calls of one graph, as a tree. A parent's id is smaller than those of its children."""

    def __init__(self, graph: Tables) -> None:
        self.graph = graph

    def around(self, call: int) -> Iterator[int]:
        """Yield the ids of the calls that contain a call, from the inside out."""
        layers = self.graph.layers
        up = layers[call].parent
        while up is not None:
            yield up
            up = layers[up].parent

    @functools.cached_property
    def has_children(self) -> list[bool]:
        """Whether each call contains others."""
        found = [False] * len(self.graph.layers)
        for layer in self.graph.layers:
            if layer.parent is not None:
                found[layer.parent] = True
        return found

    @functools.cached_property
    def ends(self) -> list[int]:
        """The id of the last call inside each call, its own if it contains none."""
        ends = list(range(len(self.graph.layers)))
        for layer in reversed(self.graph.layers):
            if layer.parent is not None:
                ends[layer.parent] = max(ends[layer.parent], ends[layer.id])
        return ends

    @functools.cached_property
    def depths(self) -> list[int]:
        """How many calls contain each call."""
        depths: list[int] = []
        for layer in self.graph.layers:
            depths.append(0 if layer.parent is None else depths[layer.parent] + 1)
        return depths

    @functools.cached_property
    def owners(self) -> list[int | None]:
        """The module that each call runs in: its own, or that of the innermost call of a module around it."""
        owners: list[int | None] = []
        for layer in self.graph.layers:
            around = None if layer.parent is None else owners[layer.parent]
            owners.append(around if layer.module is None else layer.module)
        return owners

    @functools.cached_property
    def of_module(self) -> dict[int, list[int]]:
        """The ids of each module's calls, in order; a module that is never called has no entry."""
        calls: dict[int, list[int]] = {}
        for layer in self.graph.layers:
            if layer.module is not None and layer.level == "layer":
                calls.setdefault(layer.module, []).append(layer.id)
        return calls

    @functools.cached_property
    def root_module(self) -> int | None:
        """The module that is the network: that of the first call."""
        return self.graph.layers[0].module if self.graph.layers else None

    @functools.cached_property
    def root_source(self) -> str:
        """The framework's name of the network's class; empty where no module is the network."""
        return "" if self.root_module is None else self.graph.layers[0].source

    @functools.cached_property
    def root_batch(self) -> Dim:
        """The length of the first axis of the first input given by position, else 1."""
        for given in self.graph.inputs:
            if given.positional:
                shape = self.graph.shape(given.tensor)
                return shape[0] if shape else 1
        return 1
