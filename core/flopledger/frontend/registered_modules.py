"""The modules of a live model, found by the names that they are registered under in one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

M = TypeVar("M")

MOST_PATHS = 1000
"""How many of the paths to one module are recorded."""


class Registered(Generic[M]):
    """The modules of a model, each once, by number, with all its paths.

    Args:
        model: The model, whose path is empty.
        below: Returns the names and modules that are registered in a module; None is no module.
    """

    def __init__(self, model: M, below: Callable[[M], Iterable[tuple[str, M | None]]]) -> None:
        self.modules: list[M] = []
        self.paths: list[list[str]] = []
        self.children: list[list[int]] = []
        self._below = below
        self._number: dict[int, int] = {}
        self.extend(model, "")

    def number(self, module: M) -> int | None:
        """Return the number of a module."""
        return self._number.get(id(module))

    def extend(self, model: M, path: str) -> int:
        """Take in a module and all below it, and return its number."""
        for way, module, parent in self._walk(model, path):
            number = self._number.get(id(module))
            if number is None:
                number = self._number[id(module)] = len(self.modules)
                self.modules.append(module)
                self.paths.append([])
                self.children.append([])
            if len(self.paths[number]) < MOST_PATHS:
                self.paths[number].append(way)
            if parent is not None:
                siblings = self.children[self._number[id(parent)]]
                if number not in siblings:
                    siblings.append(number)
        return self._number[id(model)]

    def _walk(self, model: M, path: str) -> Iterator[tuple[str, M, M | None]]:
        """Yield every way to every module, parents first; a module inside itself is not entered again."""
        above: set[int] = set()
        times: dict[int, int] = {}
        pending: list[tuple[str, M, M | None] | int] = [(path, model, None)]
        while pending:
            step = pending.pop()
            if isinstance(step, int):
                above.discard(step)
                continue
            way, module, _ = step
            times[id(module)] = times.get(id(module), 0) + 1
            if id(module) in above or times[id(module)] > MOST_PATHS:
                continue
            yield step
            above.add(id(module))
            pending.append(id(module))
            children = [(name, child) for name, child in self._below(module) if child is not None]
            pending += [(f"{way}.{name}" if way else name, c, module) for name, c in reversed(children)]
