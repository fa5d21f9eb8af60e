"""What one token uses of a network in which a router sends it to some of several experts.

A router is a call that picks k of E places. Its experts lie in the nearest of the modules around it
that has such, up to :data:`MOST_AROUND` of them, and there at most :data:`MOST_BELOW` levels down:

- weights of three axes, the first of them E, and those of two, such as biases, in the same module; or
- E modules of one class, with weights of the same shapes, registered in one module.

They run after the pick that chooses them: what has run before it is not chosen by it. And modules that all
run are given what comes of the pick, or what they make meets it: heads that all tokens go through don't.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flopledger.analysis.experts import picks
from flopledger.analysis.experts.picks import Pick, Picks
from flopledger.analysis.flow import downstream, memories, tensors_among
from flopledger.counting.ledger import Experts
from flopledger.dims.arithmetic import plain, product, total
from flopledger.graph.tables import CONTAINER
from flopledger.meter import spend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.analysis.analysis import Structure
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Parameter

MOST_AROUND = 3
"""How many modules around a pick are searched: the router, the block that holds it, and one more."""
MOST_BELOW = 8
"""How many levels below one of them its experts may lie."""
STACKED, SPREAD = 3, 2
"""The axes of weights that are stacked by expert, and of biases that are."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be chosen from: weights stacked in the module ``owner``, or ``modules`` registered in it."""

    owner: int
    size: int
    modules: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """One weight of each expert: where it is stored, and how many elements each expert has of it."""

    storages: tuple[int, ...]
    each: Dim


def experts(structure: Structure) -> tuple[Experts, ...]:
    """Return the groups of experts of a network, in order of the calls that hold them and their routers."""
    if picks.KINDS.isdisjoint(layer.kind for layer in structure.graph.layers):
        return ()
    return Routing(structure).experts()


class Choices:
    """The stacked weights and the siblings of a network, for the sizes that something picks from."""

    def __init__(self, structure: Structure, sizes: Iterable[int]) -> None:
        self.structure, self.graph, self.sizes = structure, structure.graph, frozenset(sizes)
        self.by_owner: dict[tuple[int, int], list[Choice]] = {}
        for choice in (*self._stacks(), *self._siblings()):
            self.by_owner.setdefault((choice.size, choice.owner), []).append(choice)

    def _stacks(self) -> Iterator[Choice]:
        """Yield the modules with stacked weights; those of a layer of a known kind are its own affair."""
        layers, formula = self.graph.layers, self.structure.formula
        for module in self.graph.modules:
            firsts = {p.shape[0] for p in self.weights(module.id) if len(p.shape) == STACKED}
            sizes = [size for size in firsts if isinstance(size, int) and size in self.sizes]
            calls = self.structure.calls.get(module.id, ()) if sizes else ()
            if not any(formula(layers[call]) for call in calls):
                yield from (Choice(module.id, size) for size in sorted(sizes))

    def _siblings(self) -> Iterator[Choice]:
        """Yield the modules that are alike in one module."""
        fewest = min(self.sizes, default=0)
        if not any(len(module.children) >= fewest for module in self.graph.modules):
            return
        likeness, weighty = self.builds
        for module in self.graph.modules:
            families: dict[int, list[int]] = {}
            for child in module.children if len(module.children) >= fewest else ():
                if weighty[child]:
                    families.setdefault(likeness[child], []).append(child)
            for family in families.values():
                if len(family) in self.sizes:
                    yield Choice(module.id, len(family), tuple(family))

    @functools.cached_property
    def builds(self) -> tuple[list[int], list[bool]]:
        """A number for each module, equal for modules of one build, and whether it has weights."""
        modules = self.graph.modules
        likeness, weighty = [-1] * len(modules), [False] * len(modules)
        numbers: dict[object, int] = {}
        for module in reversed(self.structure.parents_first):
            children = modules[module].children
            shapes = tuple(p.shape for p in self.weights(module))
            look = (modules[module].type, shapes, tuple(likeness[child] for child in children))
            likeness[module] = numbers.setdefault(look, len(numbers))
            weighty[module] = bool(shapes) or any(weighty[child] for child in children)
        return likeness, weighty

    def weights(self, module: int) -> list[Parameter]:
        """Return a module's own weights."""
        held = (self.graph.parameters[i] for _, i in self.graph.modules[module].parameters)
        return [p for p in held if not p.is_buffer]

    def below(self, module: int, size: int) -> list[Choice]:
        """Return the choices of a size in a module and on the levels below it, the upper ones first."""
        seen, level = {module: None}, [module]
        for _ in range(MOST_BELOW):
            level = [child for m in level for child in self.graph.modules[m].children if child not in seen]
            seen.update(dict.fromkeys(level))
        spend(len(seen))
        return [choice for m in seen for choice in self.by_owner.get((size, m), ())]

    def alone(self, choice: Choice, around: int) -> bool:
        """Tell whether siblings lie alone, or in the module around them and their router."""
        _, weighty = self.builds
        others = set(self.graph.modules[choice.owner].children).difference(choice.modules)
        return choice.owner == around or not any(weighty[child] for child in others)

    def inside(self, choice: Choice) -> dict[int | None, int]:
        """Return the modules that a choice's weights lie in, each with the expert that it belongs to."""
        found: dict[int | None, int] = {}
        for expert in choice.modules or (choice.owner,):
            below = self.structure.below(expert) if choice.modules else [expert]
            spend(len(below))
            found.update(dict.fromkeys(below, expert))
        return found


class Routing:
    """The search for a network's routers and their experts."""

    def __init__(self, structure: Structure) -> None:
        self.structure, self.graph = structure, structure.graph
        self.picks = Picks(structure)
        self.choices = Choices(structure, self.picks.by_size)
        self._found: dict[tuple[int, int], list[Choice]] = {}
        self._used: dict[tuple[Choice, int], list[int]] = {}
        self._read: dict[tuple[frozenset[Shape], int], list[int]] = {}
        self._early: dict[tuple[Shape, int], dict[int | None, set[int]]] = {}

    def experts(self) -> tuple[Experts, ...]:
        """Return the groups; what several routers address is in that of the largest k."""
        addressed = sorted(self._addressed(), key=lambda one: (-one[2], one[0]))
        held = {module for _, choice, _ in addressed for module in self.choices.inside(choice)}
        taken: set[int] = set()
        sums: dict[tuple[int, int, int], list[Dim]] = {}
        for call, choice, k in addressed:
            for unit in self._units(choice, call):
                if taken.isdisjoint(unit.storages) and held.issuperset(self._holders(unit)):
                    taken.update(unit.storages)
                    sums.setdefault((call, choice.size, k), []).append(unit.each)
        return tuple(
            Experts(self._path(call), size, k, plain(size * total(each)), plain(k * total(each)))
            for (call, size, k), each in sorted(sums.items(), key=lambda item: item[0])
        )

    def _path(self, call: int) -> str:
        module = self.graph.layers[call].module
        paths = () if module is None else self.graph.modules[module].paths
        return paths[0] if paths else self.graph.layers[call].path

    def _addressed(self) -> list[tuple[int, Choice, int]]:
        """Return what routers choose from, with the call around both and how many of it are picked."""
        homes: dict[tuple[int, int], list[Pick]] = {}
        for size in dict.fromkeys(size for size, _ in self.choices.by_owner):
            for pick in self.picks.by_size[size]:
                home = next((call for call in self._around(pick) if self._candidates(call, size)), None)
                if home is not None:
                    homes.setdefault((home, size), []).append(pick)
        return [
            (home, choice, k)
            for (home, size), near in homes.items()
            for choice, k in self._chosen(home, self._candidates(home, size), near)
            if k < size
        ]

    def _around(self, pick: Pick) -> Iterator[int]:
        """Yield the calls of modules around a pick, the nearest first."""
        layers = self.graph.layers
        up, left = layers[pick.call].parent, MOST_AROUND
        while up is not None and left:
            if layers[up].level == "layer" and layers[up].module is not None:
                left -= 1
                yield up
            up = layers[up].parent

    def _candidates(self, call: int, size: int) -> list[Choice]:
        """Return what may be chosen from inside a call of a module; of nested ones the outermost."""
        if (call, size) not in self._found:
            module = self.graph.layers[call].module
            below = [] if module is None else self.choices.below(module, size)
            found = [choice for choice in below if self._plausible(choice, call)]
            inner = {m for choice in found if choice.modules for m in self.choices.inside(choice)}
            self._found[call, size] = [choice for choice in found if choice.owner not in inner]
        return self._found[call, size]

    def _plausible(self, choice: Choice, call: int) -> bool:
        """Tell whether a choice can be one: nothing of it runs before a pick, nor siblings on one another."""
        uses = self._uses(choice, call)
        if uses and uses[0] < next(self.picks.inside(choice.size, call)):
            return False
        if not choice.modules:
            return True
        around = self.graph.layers[call].module
        alone = around is not None and self.choices.alone(choice, around)
        if not alone or not uses:
            return alone
        known, owners = self.choices.inside(choice), self.structure.owners
        chosen = len({known[owners[use]] for use in uses}) < choice.size
        return (chosen or self._met(choice.size, call, uses)) and not self._chained(choice, call, uses[0])

    def _met(self, size: int, call: int, uses: Sequence[int]) -> bool:
        """Tell whether calls inside a call are given what comes of a pick, or what they make meets it."""
        memory, end = self._memories, self.picks.ends[call] + 1
        spend(end - call)
        users, picks = frozenset(uses), frozenset(self.picks.inside(size, call))
        picked: set[int] = set()
        made: set[int] = set()
        for layer in self.graph.layers[call + 1 : end]:
            if layer.kind == CONTAINER and layer.id not in users:
                continue
            given = {memory[tensor] for tensor in (*layer.inputs, *tensors_among(layer.native.values()))}
            after, used = not picked.isdisjoint(given), layer.id in users or not made.isdisjoint(given)
            if after and used:
                return True
            results = [memory[tensor] for tensor in layer.outputs]
            if after or layer.id in picks:
                picked.update(results)
            if used:
                made.update(results)
        return False

    def _chained(self, choice: Choice, call: int, first: int) -> bool:
        """Tell whether a sibling works on what the first has made, as layers do that follow one another."""
        layers, owners = self.graph.layers, self.structure.owners
        later = (pick for pick in self.picks.inside(choice.size, call) if pick > first)
        end = next(later, self.picks.ends[call] + 1)
        spend(end - first)
        made = range(first, self.picks.ends[first] + 1)
        reached = downstream(layers[first:end], lambda layer: layer.id in made, lambda _: False)
        experts = self.choices.inside(choice)
        begun = experts[owners[first]]
        return any(experts.get(owners[i], begun) != begun for i in reached)

    def _uses(self, choice: Choice, call: int) -> list[int]:
        """Return the calls inside a call that use a choice, in order; none where that can't be seen."""
        if (choice, call) not in self._used:
            end, calls = self.picks.ends[call], self.structure.calls
            uses: list[int] = []
            for module in self.choices.inside(choice):
                own = calls.get(module, []) if module is not None else []
                uses += own[bisect_right(own, call) : bisect_right(own, end)]
            if not uses and not choice.modules:
                uses = self._reads(choice, call)
            else:
                uses.sort()
            self._used[choice, call] = uses
        return self._used[choice, call]

    def _reads(self, choice: Choice, call: int) -> list[int]:
        """Return the calls inside a call that read weights of the shapes of stacked ones."""
        weights = self.choices.weights(choice.owner)
        shapes = frozenset(p.shape for p in weights if len(p.shape) == STACKED and p.shape[0] == choice.size)
        if (shapes, call) not in self._read:
            span = range(call + 1, self.picks.ends[call] + 1)
            reads = {use for shape in shapes for use, _ in self._leaves.get(shape, ()) if use in span}
            self._read[shapes, call] = sorted(reads)
        return self._read[shapes, call]

    @functools.cached_property
    def _memories(self) -> list[int]:
        """The tensor whose memory each tensor shows."""
        return memories(self.graph)

    @functools.cached_property
    def _leaves(self) -> dict[Shape, list[tuple[int, int]]]:
        """The calls that read tensors which no call has made, with the tensor, by its shape."""
        made = {i for layer in self.graph.layers for i in layer.outputs}
        made.update(given.tensor for given in self.graph.inputs)
        found: dict[Shape, list[tuple[int, int]]] = {}
        for layer in self.graph.layers:
            for tensor in {*layer.inputs, *tensors_among(layer.native.values())} - made:
                shape = self.graph.shape(tensor)
                if shape is not None and len(shape) in (SPREAD, STACKED):
                    found.setdefault(shape, []).append((layer.id, tensor))
        return found

    def _chosen(
        self, call: int, choices: Sequence[Choice], near: Sequence[Pick]
    ) -> Iterator[tuple[Choice, int]]:
        """Yield what picks choose from, and how many they pick, together if no use is between."""
        several = {id(uses): uses for uses in (self._uses(choice, call) for choice in choices)}
        uses = sorted({use for some in several.values() for use in some})
        runs: dict[int, list[Pick]] = {}
        for pick in near:
            runs.setdefault(bisect_left(uses, pick.call), []).append(pick)
        starts = sorted(runs)
        picked: dict[int, int] = {}
        for choice in choices:
            own = self._uses(choice, call)
            if id(own) not in picked:
                before = {bisect_right(starts, bisect_left(uses, use)) for use in own}
                chosen = starts if not own else [starts[place - 1] for place in before if place]
                picked[id(own)] = max((picks.together(runs[start]) for start in chosen), default=0)
            if picked[id(own)]:
                yield choice, picked[id(own)]

    def _units(self, choice: Choice, call: int) -> Iterator[Unit]:
        """Yield the weights that experts have one by one; what several of them share, every token uses."""
        if not choice.modules:
            yield from self._stacked(choice, call)
            return
        weights = [
            [p for module in self.structure.below(child) for p in self.choices.weights(module)]
            for child in choice.modules
        ]
        for same in zip(*weights, strict=False):
            storages = tuple(p.storage for p in same)
            if len(set(storages)) == len(storages) and len({p.shape for p in same}) == 1:
                yield Unit(storages, same[0].numel)

    def _stacked(self, choice: Choice, call: int) -> Iterator[Unit]:
        """Yield stacked weights; one of two axes that is read before the pick is the router's own."""
        own = [p for p in self.choices.weights(choice.owner) if p.shape[:1] == (choice.size,)]
        routers = {p.shape: self._routers(p.shape, choice, call) for p in own if len(p.shape) == SPREAD}
        for p in own:
            if routers.get(p.shape, 0):
                routers[p.shape] -= 1
            elif len(p.shape) in (SPREAD, STACKED):
                yield Unit((p.storage,), product(p.shape[1:]))

    def _routers(self, shape: Shape, choice: Choice, call: int) -> int:
        """Count the weights of a shape that are read before the pick, but for those of other modules."""
        if (shape, call) not in self._early:
            span = range(call + 1, next(self.picks.inside(choice.size, call)))
            early: dict[int | None, set[int]] = {}
            for use, tensor in self._leaves.get(shape, ()):
                if use in span:
                    owner = self.structure.owners[use]
                    has = owner is not None and any(p.shape == shape for p in self.choices.weights(owner))
                    early.setdefault(owner if has else None, set()).add(tensor)
            self._early[shape, call] = early
        early = self._early[shape, call]
        free, own = early.get(None, set()), early.get(choice.owner, set())
        return len(free) + sum(tensor not in free for tensor in own)

    @functools.cached_property
    def _held(self) -> dict[int, set[int]]:
        """The modules that have each storage."""
        held: dict[int, set[int]] = {}
        for module in self.graph.modules:
            for _, i in module.parameters:
                held.setdefault(self.graph.parameters[i].storage, set()).add(module.id)
        return held

    def _holders(self, unit: Unit) -> set[int]:
        return {module for storage in unit.storages for module in self._held[storage]}
