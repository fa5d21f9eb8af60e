"""The differences between two conventions' counts of parameters, module by module, with a reason each."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.explaining.words import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.analysis.analysis import Structure
    from flopledger.counting.engine import Counter
    from flopledger.dims.types import Number
    from flopledger.graph.tables import Module

KINDS = {
    "weights": "parameters",
    "biases": "parameters",
    "frozen weights": "frozen",
    "shared weights, counted again": "sharing",
    "weights of modules inside": "parameters",
    "weights of modules inside that are never called": "never called",
    "weights, once more for each further call or parent": "reuse",
    "running statistics and buffers": "buffers",
    "counters of norms": "buffers",
    "parameters by a formula of its own": "formula",
    "parameters of no module": "unregistered",
}
"""What a figure may be made of, as it is told apart first, and the kind of cause that it is."""
BUFFERS = frozenset({"running statistics and buffers", "counters of norms"})
AGAIN = "weights, once more for each further call or parent"
REST = "parameters by a formula of its own"
UNREGISTERED = "parameters of no module"


def differences(first: Counter, second: Counter) -> Iterator[Difference]:
    """Yield every difference between two conventions' parameters; they sum to the gap."""
    a, b = Shares(first), Shares(second)
    for module in (None, *range(len(first.structure.graph.modules))):
        yield from _of_module(a, b, module)


class Shares:
    """What a convention counts of each module's own parameters, in components that sum to it."""

    def __init__(self, counter: Counter) -> None:
        self.name, self.structure = counter.convention.name, counter.structure
        self.over = counter.convention.params.over if counter.convention.params else ""
        self.counter = counter
        self.values: dict[int | None, Number] = {}
        for module, value in counter.contributions():
            self.values[module] = number(self.values.get(module, 0) + value)

    def parts(self, module: int | None) -> dict[str, Number]:
        """Take a module's figure apart: own weights, biases, buffers, what is there again."""
        value = self.values.get(module, 0)
        if module is None:
            return {UNREGISTERED: value}
        record = self.structure.graph.modules[module]
        own = _own(self.structure, record)
        return _match(value, own, _inside(self.structure, record))


def _own(structure: Structure, module: Module) -> dict[str, Number]:
    """Return the elements that a module owns, by what they are, each memory in its first owner."""
    first = _first_owners(structure)
    sizes: dict[str, list[Number]] = {}
    for _, i in module.parameters:
        parameter = structure.graph.parameters[i]
        if parameter.is_buffer:
            what = "counters of norms" if parameter.role == "counter" else "running statistics and buffers"
        elif first[parameter.storage] != (module.id, i):
            what = "shared weights, counted again"
        elif not parameter.trainable:
            what = "frozen weights"
        else:
            what = "biases" if parameter.role == "bias" else "weights"
        sizes.setdefault(what, []).append(parameter.numel)
    return {what: total(sizes[what]) for what in KINDS if what in sizes}


def _inside(structure: Structure, module: Module) -> dict[str, Number]:
    """Return the weights of the modules below one: of all of them, and of those that are never called."""
    if not module.children:
        return {}
    below = [i for i in structure.below(module.id) if i != module.id]
    modules = structure.graph.modules
    uncalled = [structure.own(modules[i]) for i in below if i not in structure.calls]
    return {
        "weights of modules inside that are never called": total(uncalled),
        "weights of modules inside": total(structure.own(modules[i]) for i in below),
    }


def _first_owners(structure: Structure) -> dict[int, tuple[int, int]]:
    cached = structure.__dict__.get("_first_owners")
    if cached is None:
        cached = {}
        for module in structure.graph.modules:
            for _, i in module.parameters:
                cached.setdefault(structure.graph.parameters[i].storage, (module.id, i))
        structure.__dict__["_first_owners"] = cached
    found: dict[int, tuple[int, int]] = cached
    return found


def _match(value: Number, own: dict[str, Number], inside: dict[str, Number]) -> dict[str, Number]:
    """Find which of a module's parts a figure is the sum of; what is left over is of its own kind."""
    for more in ({}, *({name: size} for name, size in inside.items() if size != 0)):
        for picked in _choices({**own, **more}):
            if total(picked.values()) == value:
                return picked
    for picked in _choices(own):
        once = total(picked.values())
        if isinstance(value, int) and isinstance(once, int) and once > 0 and value % once == 0:
            return {**picked, AGAIN: value - once}
    return {**own, REST: number(value - total(own.values()))}


def _choices(own: dict[str, Number]) -> Iterable[dict[str, Number]]:
    """Yield the selections of parts: without buffers first, and what is told apart last is left out first."""
    names = [name for name, size in own.items() if size != 0]
    chosen = itertools.product((True, False), repeat=len(names))
    picks = [[name for name, taken in zip(names, flags, strict=True) if taken] for flags in chosen]
    picks.sort(key=lambda pick: sum(name in BUFFERS for name in pick))
    return ({name: own[name] for name in pick} for pick in picks)


def _of_module(a: Shares, b: Shares, module: int | None) -> Iterator[Difference]:
    if a.values.get(module, 0) == b.values.get(module, 0):
        return
    parts = (a.parts(module), b.parts(module))
    path = None if module is None else ".".join(a.structure.graph.modules[module].paths[:1])
    for what in dict.fromkeys([*parts[0], *parts[1]]):
        left, right = parts[0].get(what, 0), parts[1].get(what, 0)
        side = a if left == 0 else b if right == 0 else None
        kind, reason = _reason(side, module)
        who = f"not counted by {side.name}{reason}" if side else "counted differently"
        yield Difference(kind or KINDS[what], f"{what}: {who}", number(right - left), path)


def _reason(side: Shares | None, module: int | None) -> tuple[str, str]:
    """Say why a convention counts none of a module's parameters, and of which kind that is."""
    if side is None or module is None or side.over != "modules" or side.values.get(module, 0) != 0:
        return "", ""
    if module not in side.structure.calls:
        return "never called", ", the module is never called"
    record = side.structure.graph.modules[module]
    return ("", "") if side.counter.mapped(record) else ("unmapped", f", it has no rule for {record.type}")
