"""The differences between two conventions' counts of parameters, module by module, with a reason each."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.explaining.words import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.counting.count import Count
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
"""The possible parts of a figure, in the order of recognition, and the kind of cause of each."""
BUFFERS = frozenset({"running statistics and buffers", "counters of norms"})
AGAIN = "weights, once more for each further call or parent"
REST = "parameters by a formula of its own"
UNREGISTERED = "parameters of no module"


def differences(first: Count, second: Count) -> Iterator[Difference]:
    """Yield every difference between two conventions' parameters; they sum to the gap."""
    a, b = ModuleFigures(first), ModuleFigures(second)
    for module in (None, *range(len(first.analysis.graph.modules))):
        yield from _of_module(a, b, module)


class ModuleFigures:
    """A convention's figure for each module's own parameters, and the parts that sum to it."""

    def __init__(self, count: Count) -> None:
        self.name, self.analysis = count.convention.name, count.analysis
        self.over = count.convention.params.over if count.convention.params else ""
        self.count = count
        self.values: dict[int | None, Number] = {}
        for module, value in count.params.values():
            self.values[module] = number(self.values.get(module, 0) + value)

    def parts(self, module: int | None) -> dict[str, Number]:
        """Split a module's figure: own weights, biases, buffers, and elements that are counted again."""
        value = self.values.get(module, 0)
        if module is None:
            return {UNREGISTERED: value}
        record = self.analysis.graph.modules[module]
        return _match(value, self._own(record), self._inside(record))

    def _own(self, module: Module) -> dict[str, Number]:
        """Return the elements that a module owns, by their role, each storage in its first owner."""
        first, parameters = self.analysis.weights.first_owners, self.analysis.graph.parameters
        sizes: dict[str, list[Number]] = {}
        for _, i in module.parameters:
            parameter = parameters[i]
            if parameter.is_buffer:
                what = (
                    "counters of norms" if parameter.role == "counter" else "running statistics and buffers"
                )
            elif first[parameter.storage] != (module.id, i):
                what = "shared weights, counted again"
            elif not parameter.trainable:
                what = "frozen weights"
            else:
                what = "biases" if parameter.role == "bias" else "weights"
            sizes.setdefault(what, []).append(parameter.numel)
        return {what: total(sizes[what]) for what in KINDS if what in sizes}

    def _inside(self, module: Module) -> dict[str, Number]:
        """Return the weights of the modules below one: of all of them, and of those that are never called."""
        if not module.children:
            return {}
        modules, weights = self.analysis.graph.modules, self.analysis.weights
        below = [i for i in self.analysis.modules.subtree(module.id) if i != module.id]
        uncalled = [weights.own(modules[i]) for i in below if i not in self.analysis.calls.of_module]
        return {
            "weights of modules inside that are never called": total(uncalled),
            "weights of modules inside": total(weights.own(modules[i]) for i in below),
        }


def _match(value: Number, own: dict[str, Number], inside: dict[str, Number]) -> dict[str, Number]:
    """Return the parts of a module that sum to a figure; any other figure has a formula of its own.

    A rule is an expression that does not state which parameters it counts, so the parts are found by their
    sizes. A figure that is a multiple of a selection counts it for each call (torchsummary) or each parent.
    """
    for more in ({}, *({name: size} for name, size in inside.items() if size != 0)):
        for chosen in _selections({**own, **more}):
            if total(chosen.values()) == value:
                return chosen
    for chosen in _selections(own):
        once = total(chosen.values())
        if isinstance(value, int) and isinstance(once, int) and once > 0 and value % once == 0:
            return {**chosen, AGAIN: value - once}
    return {**own, REST: number(value - total(own.values()))}


def _selections(own: dict[str, Number]) -> Iterable[dict[str, Number]]:
    """Yield the selections of parts, without buffers first; the last parts of the list are left out first.

    Equal sizes make several selections fit. Tools count weights and biases most often, so that a batch
    norm's 2 C are its scale and shift, not its running statistics, which have as many elements.
    """
    names = [name for name, size in own.items() if size != 0]
    chosen = itertools.product((True, False), repeat=len(names))
    selections = [[name for name, taken in zip(names, flags, strict=True) if taken] for flags in chosen]
    selections.sort(key=lambda selection: sum(name in BUFFERS for name in selection))
    return ({name: own[name] for name in selection} for selection in selections)


def _of_module(a: ModuleFigures, b: ModuleFigures, module: int | None) -> Iterator[Difference]:
    if a.values.get(module, 0) == b.values.get(module, 0):
        return
    parts = (a.parts(module), b.parts(module))
    path = None if module is None else ".".join(a.analysis.graph.modules[module].paths[:1])
    for what in dict.fromkeys([*parts[0], *parts[1]]):
        left, right = parts[0].get(what, 0), parts[1].get(what, 0)
        side = a if left == 0 else b if right == 0 else None
        kind, reason = _reason(side, module)
        who = f"not counted by {side.name}{reason}" if side else "counted differently"
        yield Difference(kind or KINDS[what], f"{what}: {who}", number(right - left), path)


def _reason(side: ModuleFigures | None, module: int | None) -> tuple[str, str]:
    """Return why a convention counts none of a module's parameters, and of which kind that is."""
    if side is None or module is None or side.over != "modules" or side.values.get(module, 0) != 0:
        return "", ""
    if module not in side.analysis.calls.of_module:
        return "never called", ", the module is never called"
    record = side.analysis.graph.modules[module]
    return (
        ("", "") if side.count.rules.mapped(record) else ("unmapped", f", it has no rule for {record.type}")
    )
