"""The differences between two conventions' counts of parameters, module by module, with a reason each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims import total
from flopledger.functions import number
from flopledger.workcauses import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.dims import Number
    from flopledger.engine import Counter
    from flopledger.graph import Module
    from flopledger.structure import Structure


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
        """Take a module's figure apart: own weights, biases left out, buffers, what is there again."""
        value = self.values.get(module, 0)
        if module is None:
            return {"unregistered": value}
        record = self.structure.graph.modules[module]
        own = _own(self.structure, record)
        return _match(value, own)


def _own(structure: Structure, module: Module) -> dict[str, Number]:
    """Return the elements that a module owns, by what they are, each memory in its first owner."""
    first = _first_owners(structure)
    sizes: dict[str, list[Number]] = {}
    for _, i in module.parameters:
        parameter = structure.graph.parameters[i]
        if parameter.is_buffer:
            what = "counters" if parameter.role == "counter" else "running statistics and buffers"
        elif first[parameter.storage] != (module.id, i):
            what = "shared weights, counted again"
        elif not parameter.trainable:
            what = "frozen weights"
        else:
            what = "biases" if parameter.role == "bias" else "weights"
        sizes.setdefault(what, []).append(parameter.numel)
    return {what: total(values) for what, values in sizes.items()}


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


def _match(value: Number, own: dict[str, Number]) -> dict[str, Number]:
    """Find which of a module's parts a figure is the sum of; what is left over is of its own kind."""
    names = [name for name, size in own.items() if size != 0]
    for chosen in range(1 << len(names)):
        picked = {name: own[name] for bit, name in enumerate(names) if not chosen >> bit & 1}
        if total(picked.values()) == value:
            return picked
    return {**own, "parameters by another formula": number(value - total(own.values()))}


def _of_module(a: Shares, b: Shares, module: int | None) -> Iterator[Difference]:
    if a.values.get(module, 0) == b.values.get(module, 0):
        return
    parts = (a.parts(module), b.parts(module))
    path = None if module is None else ".".join(a.structure.graph.modules[module].paths[:1])
    for what in dict.fromkeys([*parts[0], *parts[1]]):
        left, right = parts[0].get(what, 0), parts[1].get(what, 0)
        side = a if left == 0 else b if right == 0 else None
        who = "counted differently"
        if side is not None:
            who = f"not counted by {side.name}{_reason(side, module)}"
        yield Difference(_kind(what), f"{what} {who}", number(right - left), path)


def _kind(what: str) -> str:
    kinds = {"frozen": "frozen", "running": "buffers", "counters": "buffers", "shared": "sharing"}
    return kinds.get(
        what.split(maxsplit=1)[0], "parameters" if what.startswith(("weights", "biases")) else "formula"
    )


def _reason(side: Shares, module: int | None) -> str:
    """Say why a convention counts none of a module's parameters."""
    if module is None or side.over != "modules" or side.values.get(module, 0) != 0:
        return ""
    if module not in side.structure.calls:
        return ": the module is never called"
    record = side.structure.graph.modules[module]
    return "" if side.counter.mapped(record) else f": it has no rule for {record.type}"
