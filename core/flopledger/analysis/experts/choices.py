"""The sets that a router may choose from: weights stacked by expert, or modules of one build.

No framework declares which modules are experts, so they are recognised by their shape. Both forms are in use:
Mixtral, Qwen3-MoE and GPT-OSS stack the weights of all experts in one parameter of three axes (transformers
5, ``*Experts`` modules); Switch Transformers, NLLB-MoE, and most code that users write, register one module
for each expert.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.meter import spend
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.formulas import Formulas
    from flopledger.analysis.module_tree import ModuleTree
    from flopledger.analysis.weights import Weights

MOST_BELOW = 8
"""The most levels that experts may be below their router's block.

One level serves every published model that the tests hold (``mlp`` above ``mlp.experts``). More are allowed
for containers that users nest; the bound keeps a search that starts at each router from visiting the whole
of a deep network each time.
"""
STACKED_AXES, BIAS_AXES = 3, 2
"""The axes of a weight that is stacked by expert (expert, rows, columns), and of a bias (expert, columns)."""


@dataclass(frozen=True, slots=True)
class ExpertSet:
    """Experts to choose from: weights stacked in the module ``owner``, or ``modules`` registered in it."""

    owner: int
    size: int
    modules: tuple[int, ...] = ()


class ExpertSets:
    """The stacked weights and sibling modules of a network, of the sizes that some call picks from."""

    def __init__(
        self, calls: CallTree, modules: ModuleTree, weights: Weights, formulas: Formulas, sizes: Iterable[int]
    ) -> None:
        self.graph, self.sizes = calls.graph, frozenset(sizes)
        self._calls, self._modules, self._weights, self._formulas = calls, modules, weights, formulas
        self.by_owner: dict[tuple[int, int], list[ExpertSet]] = {}
        for found in (*self._stacked(), *self._siblings()):
            self.by_owner.setdefault((found.size, found.owner), []).append(found)

    def _stacked(self) -> Iterator[ExpertSet]:
        """Yield the modules that have a weight of three axes whose first axis has one of the sizes."""
        kind_of = self._formulas.kind_of
        for module in self.graph.modules:
            firsts = {p.shape[0] for p in self._weights.of(module.id) if len(p.shape) == STACKED_AXES}
            sizes = [size for size in firsts if isinstance(size, int) and size in self.sizes]
            calls = self._calls.of_module.get(module.id, ()) if sizes else ()
            # A layer with a formula of its own uses all of its weight: that of a Conv1d has three axes
            # too, and its first, the channels, may well be 8 or 64.
            if not any(kind_of[call] for call in calls):
                yield from (ExpertSet(module.id, size) for size in sorted(sizes))

    def _siblings(self) -> Iterator[ExpertSet]:
        """Yield the modules of one build that are registered in one module, if they are as many as a size."""
        fewest = min(self.sizes, default=0)
        if not any(len(module.children) >= fewest for module in self.graph.modules):
            return
        builds, has_weights = self.builds
        for module in self.graph.modules:
            families: dict[int, list[int]] = {}
            for child in module.children if len(module.children) >= fewest else ():
                if has_weights[child]:
                    families.setdefault(builds[child], []).append(child)
            for family in families.values():
                if len(family) in self.sizes:
                    yield ExpertSet(module.id, len(family), tuple(family))

    @functools.cached_property
    def builds(self) -> tuple[list[int], list[bool]]:
        """A number for each module, equal for modules of one build, and whether it has weights.

        The class alone is not enough: a network's ModuleList may hold attention and experts of one class
        ``Block`` with different sizes. The shapes alone are not either: ``up`` and ``down`` of a square
        expert.
        """
        modules = self.graph.modules
        builds, has_weights = [-1] * len(modules), [False] * len(modules)
        numbers: dict[object, int] = {}
        for module in reversed(self._modules.parents_first):
            children = modules[module].children
            shapes = tuple(p.shape for p in self._weights.of(module))
            build = (modules[module].type, shapes, tuple(builds[child] for child in children))
            builds[module] = numbers.setdefault(build, len(numbers))
            has_weights[module] = bool(shapes) or any(has_weights[child] for child in children)
        return builds, has_weights

    def near(self, module: int, size: int) -> list[ExpertSet]:
        """Return the sets of a size in a module and :data:`MOST_BELOW` levels below, the upper ones first."""
        seen, level = {module: None}, [module]
        for _ in range(MOST_BELOW):
            level = [child for m in level for child in self.graph.modules[m].children if child not in seen]
            seen.update(dict.fromkeys(level))
        spend(len(seen))
        return [found for m in seen for found in self.by_owner.get((size, m), ())]

    def are_alone(self, experts: ExpertSet, block: int) -> bool:
        """Return whether siblings are the only modules with weights in their owner, or it is the block.

        Two dense layers of equal shape beside a third, as ``up`` and ``gate`` beside ``down`` in the shared
        expert of DeepSeek-V3 and Qwen2-MoE, are two equal layers in one module too, and a router that picks 1
        of 2 may be near. Experts that are directly in the block have the router, a norm or a shared expert
        beside them.
        """
        _, has_weights = self.builds
        others = set(self.graph.modules[experts.owner].children).difference(experts.modules)
        return experts.owner == block or not any(has_weights[child] for child in others)

    def expert_of(self, experts: ExpertSet) -> dict[int | None, int]:
        """Return the modules that hold a set's weights, each with its expert or stack."""
        found: dict[int | None, int] = {}
        for expert in experts.modules or (experts.owner,):
            below = self._modules.subtree(expert) if experts.modules else [expert]
            spend(len(below))
            found.update(dict.fromkeys(below, expert))
        return found
