"""The registered modules: which module contains which, and along how many paths each is reached."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.analysis.call_tree import CallTree
    from flopledger.graph.tables import Tables

MOST_PATHS = 2**63
"""The most paths that may lead to a module. They double wherever a module is registered twice in its parent,
so that a short file can describe more paths than there is memory for the number."""


class ModuleTree:
    """The modules of one graph. A module may be registered in several parents; the tree is one of paths."""

    def __init__(self, graph: Tables, calls: CallTree) -> None:
        self.graph, self._calls = graph, calls

    @functools.cached_property
    def parents(self) -> list[list[int]]:
        """The modules that each module is registered in."""
        parents: list[list[int]] = [[] for _ in self.graph.modules]
        for module in self.graph.modules:
            for child in module.children:
                parents[child].append(module.id)
        return parents

    @functools.cached_property
    def parents_first(self) -> list[int]:
        """The modules, each after all of its parents."""
        missing = [len(p) for p in self.parents]
        order = [i for i, count in enumerate(missing) if count == 0]
        for module in order:
            for child in self.graph.modules[module].children:
                missing[child] -= 1
                if missing[child] == 0:
                    order.append(child)
        return order

    def count_paths(self, closed: Callable[[int], bool]) -> list[int]:
        """Count the paths from the root to each module that pass through no closed module.

        Raises:
            GraphError: There are more than :data:`MOST_PATHS`.
        """
        paths = [0] * len(self.graph.modules)
        if self._calls.root_module is not None:
            paths[self._calls.root_module] = 1
        for module in self.parents_first:
            if paths[module] > MOST_PATHS:
                raise GraphError(f"there are more than {MOST_PATHS} paths to the module {module}")
            if not closed(module):
                for child in self.graph.modules[module].children:
                    paths[child] += paths[module]
        return paths

    @functools.cached_property
    def paths(self) -> list[int]:
        """The number of paths from the root to each module."""
        return self.count_paths(lambda _: False)

    @functools.cached_property
    def paths_around(self) -> list[int]:
        """For each call, the number of paths to the innermost module around it that any path leads to."""
        found: list[int] = []
        for layer in self.graph.layers:
            paths = 0 if layer.module is None else self.paths[layer.module]
            found.append(paths or (1 if layer.parent is None else found[layer.parent]))
        return found

    def subtree(self, module: int) -> list[int]:
        """Return a module and all modules registered below it, each once."""
        seen = {module: None}
        pending = [module]
        while pending:
            for child in self.graph.modules[pending.pop()].children:
                if child not in seen:
                    seen[child] = None
                    pending.append(child)
        return list(seen)
