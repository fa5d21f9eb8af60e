"""The search for a network's experts, and for how many of them a token uses.

A router is a call that picks k of E places. Its experts are E modules, or weights stacked E times,
registered in the nearest of the modules around it that has such: up to :data:`MOST_AROUND` modules are
searched.

The graph shows that a router picks, but not how the picked indices are used: the dispatch to experts is
indexing, often in Python. So sets of modules or weights in the form of experts are accepted as experts unless
a rule objects, and each of the rules below is such an objection. They err on the side of all weights being
active, as in a dense network.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.analysis.experts.choices import BIAS_AXES, STACKED_AXES, ExpertSet, ExpertSets
from flopledger.analysis.experts.picks import Pick, Picks, picked_together
from flopledger.analysis.flow import downstream, memories, tensors_read
from flopledger.dims.arithmetic import plain, product, total
from flopledger.graph.tables import CONTAINER
from flopledger.meter import spend
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.formulas import Formulas
    from flopledger.analysis.module_tree import ModuleTree
    from flopledger.analysis.weights import Weights
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Layer

MOST_AROUND = 3
"""The number of modules around a pick that are searched: the router, the block that has both, and one more.

transformers' Mixtral, OLMoE, Qwen-MoE, DeepSeek-V3, GPT-OSS, PhiMoE, Granite and NLLB-MoE pick in the
router's own module (``mlp.gate``), so that the experts (``mlp.experts``) are in the second one around the
pick: with 1 instead of 3 none of them has active parameters. The third serves routers that wrap their gate
once more. A search up to the root would take the E equal layers of a decoder for the experts of any pick of
E.
"""


EXPERT, ROUTER, SHARED = "expert", "router", "shared"
"""The parts that calls have in a block of experts."""


@dataclass(frozen=True, slots=True)
class Experts:
    """Experts of which a router picks some for each token, in the module at ``path`` that contains them all.

    ``params`` are the weights of all ``size`` experts, ``active_params`` those of the ``picked`` ones.
    """

    path: str
    size: int
    picked: int
    params: Dim
    active_params: Dim


@dataclass(frozen=True, slots=True)
class ExpertWeight:
    """One weight of each expert: where it is stored, and how many elements each expert has of it."""

    storages: tuple[int, ...]
    elements: Dim


class ExpertSearch:
    """The search for a network's routers and their experts."""

    def __init__(self, calls: CallTree, modules: ModuleTree, weights: Weights, formulas: Formulas) -> None:
        self.graph, self._calls, self._modules, self._weights = calls.graph, calls, modules, weights
        self.picks = Picks(calls, formulas)
        self.sets = ExpertSets(calls, modules, weights, formulas, self.picks.by_size)
        self._found: dict[tuple[int, int], list[ExpertSet]] = {}
        self._used: dict[tuple[ExpertSet, int], list[int]] = {}
        self._stack_reads: dict[tuple[frozenset[Shape], int], list[int]] = {}
        self._reads_before: dict[tuple[Shape, int], dict[int | None, set[int]]] = {}

    def groups(self) -> tuple[Experts, ...]:
        """Return the groups, ordered by the calls that contain them and their routers.

        A weight that several routers choose from is counted once, in the group of the largest k: blocks may
        share their experts, and a token uses at most those. A weight that a module outside of all experts
        has too, as tied embeddings are, is used by every token and is in no group.
        """
        sums: dict[tuple[int, int, int], list[Dim]] = {}
        for group, weight in self._chosen_weights:
            sums.setdefault(group, []).append(weight.elements)
        return tuple(
            Experts(self._path(call), size, k, plain(size * total(each)), plain(k * total(each)))
            for (call, size, k), each in sorted(sums.items(), key=lambda item: item[0])
        )

    def used(self) -> dict[int, Fraction]:
        """Return how often a token uses each weight of experts, by its storage: k of E times."""
        return {
            storage: Fraction(k, size)
            for (_, size, k), weight in self._chosen_weights
            for storage in weight.storages
        }

    def parts(self) -> dict[int, str]:
        """Return the part of each call in a block of experts: ``router``, ``expert`` or ``shared``.

        A call in the block and in no expert is the router's where it makes a figure for each expert before
        the pick, and else shared by all tokens.
        """
        found: dict[int, str] = {}
        for call, experts, _ in self._chosen:
            inside, pick = self.sets.expert_of(experts), next(self.picks.inside(experts.size, call))
            block = self.graph.layers[call].module
            for layer in self.graph.layers[call + 1 : self._calls.ends[call] + 1]:
                owner = self._calls.owners[layer.id]
                if owner in inside and (owner != block or layer.id > pick):
                    found[layer.id] = EXPERT
                elif layer.id < pick and self._is_wide(layer, experts.size):
                    found[layer.id] = ROUTER
                else:
                    found.setdefault(layer.id, SHARED)
        return found

    def _is_wide(self, layer: Layer, size: int) -> bool:
        shape = self.graph.shape(layer.outputs[0]) if layer.outputs else None
        return bool(shape) and shape is not None and shape[-1] == size

    @functools.cached_property
    def _chosen(self) -> list[tuple[int, ExpertSet, int]]:
        """The sets that routers choose from, those of the largest k first."""
        return sorted(self._chosen_sets(), key=lambda one: (-one[2], one[0]))

    @functools.cached_property
    def _chosen_weights(self) -> list[tuple[tuple[int, int, int], ExpertWeight]]:
        """The weights of experts, each once, with the call that contains them, their number, and k."""
        inside_experts = {module for _, experts, _ in self._chosen for module in self.sets.expert_of(experts)}
        taken: set[int] = set()
        found: list[tuple[tuple[int, int, int], ExpertWeight]] = []
        for call, experts, k in self._chosen:
            for weight in self._expert_weights(experts, call):
                holders = {module for storage in weight.storages for module in self._holders[storage]}
                if taken.isdisjoint(weight.storages) and inside_experts.issuperset(holders):
                    taken.update(weight.storages)
                    found.append(((call, experts.size, k), weight))
        return found

    def _path(self, call: int) -> str:
        module = self.graph.layers[call].module
        paths = () if module is None else self.graph.modules[module].paths
        return paths[0] if paths else self.graph.layers[call].path

    @functools.cached_property
    def _holders(self) -> dict[int, set[int]]:
        """The modules that have each storage."""
        holders: dict[int, set[int]] = {}
        for module in self.graph.modules:
            for _, i in module.parameters:
                holders.setdefault(self.graph.parameters[i].storage, set()).add(module.id)
        return holders

    def _chosen_sets(self) -> list[tuple[int, ExpertSet, int]]:
        """Return the sets that routers choose from, with the call that contains both, and k."""
        blocks: dict[tuple[int, int], list[Pick]] = {}
        for size in dict.fromkeys(size for size, _ in self.sets.by_owner):
            for pick in self.picks.by_size[size]:
                around = self._module_calls_around(pick)
                block = next((call for call in around if self._candidates(call, size)), None)
                if block is not None:
                    blocks.setdefault((block, size), []).append(pick)
        return [
            (block, experts, k)
            for (block, size), near in blocks.items()
            for experts, k in self._with_k(block, self._candidates(block, size), near)
            if k < size
        ]

    def _module_calls_around(self, pick: Pick) -> Iterator[int]:
        """Yield the calls of modules around a pick, from the inside out."""
        layers, found = self.graph.layers, 0
        for call in self._calls.around(pick.call):
            if layers[call].level == "layer" and layers[call].module is not None:
                yield call
                found += 1
                if found == MOST_AROUND:
                    return

    def _candidates(self, call: int, size: int) -> list[ExpertSet]:
        """Return the expert sets inside a call of a module; of nested ones the outermost.

        An expert of E equal layers, as the two square projections of an MLP with E = 2, has the form of a
        set itself.
        """
        if (call, size) not in self._found:
            module = self.graph.layers[call].module
            near = [] if module is None else self.sets.near(module, size)
            found = [experts for experts in near if self._can_be_chosen(experts, call)]
            inner = {m for experts in found if experts.modules for m in self.sets.expert_of(experts)}
            self._found[call, size] = [experts for experts in found if experts.owner not in inner]
        return self._found[call, size]

    def _can_be_chosen(self, experts: ExpertSet, call: int) -> bool:
        """Return whether no rule objects that the picks inside a call choose from a set.

        Objections: some of it runs before the first pick (attention heads stacked in a weight, in front of
        a router; a stem of E equal blocks); siblings have other modules with weights beside them; all
        siblings run, independently of the selection; one sibling works on another's result.
        """
        uses = self._uses(experts, call)
        if uses and uses[0] < next(self.picks.inside(experts.size, call)):
            return False
        if not experts.modules:
            return True
        block = self.graph.layers[call].module
        alone = block is not None and self.sets.are_alone(experts, block)
        if not alone or not uses:
            return alone
        expert_of, owners = self.sets.expert_of(experts), self._calls.owners
        some_idle = len({expert_of[owners[use]] for use in uses}) < experts.size
        related = some_idle or self._depend_on_pick(experts.size, call, uses)
        return related and not self._follow_each_other(experts, call, uses[0])

    def _depend_on_pick(self, size: int, call: int, uses: Sequence[int]) -> bool:
        """Return whether a set's inputs, or the values that its results are combined with, depend on a pick.

        Where all siblings run, they may be the heads of a multi-task network beside an unrelated ``topk``
        (of beams, of anchors): heads take features and give outputs, and neither needs the pick's result.
        Experts either take the tokens that were gathered for them, or run on all tokens and are weighted by
        the gates.
        """
        memory, end = self._memories, self._calls.ends[call] + 1
        spend(end - call)
        users, picks = frozenset(uses), frozenset(self.picks.inside(size, call))
        from_pick: set[int] = set()
        from_uses: set[int] = set()
        for layer in self.graph.layers[call + 1 : end]:
            if layer.kind == CONTAINER and layer.id not in users:
                continue
            read = {memory[tensor] for tensor in tensors_read(layer)}
            after_pick = not from_pick.isdisjoint(read)
            after_use = layer.id in users or not from_uses.isdisjoint(read)
            if after_pick and after_use:
                return True
            results = [memory[tensor] for tensor in layer.outputs]
            if after_pick or layer.id in picks:
                from_pick.update(results)
            if after_use:
                from_uses.update(results)
        return False

    def _follow_each_other(self, experts: ExpertSet, call: int, first: int) -> bool:
        """Return whether a sibling works on the result of the first one that runs.

        Experts work side by side; the E equal layers of a decoder, whose input a router of E has weighted,
        all depend on the pick and are distinguished from experts by this alone. Followed up to the next
        pick only: in a flat network the next block's experts work on this one's.
        """
        layers, owners = self.graph.layers, self._calls.owners
        later = (pick for pick in self.picks.inside(experts.size, call) if pick > first)
        end = next(later, self._calls.ends[call] + 1)
        spend(end - first)
        made = range(first, self._calls.ends[first] + 1)
        reached = downstream(layers[first:end], lambda layer: layer.id in made, lambda _: False)
        expert_of = self.sets.expert_of(experts)
        begun = expert_of[owners[first]]
        return any(expert_of.get(owners[i], begun) != begun for i in reached)

    def _uses(self, experts: ExpertSet, call: int) -> list[int]:
        """Return the calls inside a call that use a set, in order; none where the graph does not show them.

        Stacked weights have no calls where their module is never called, as in a network that keeps its
        experts in a ParameterList or computes in one function: then the calls that read weights of such
        shapes.
        """
        if (experts, call) not in self._used:
            end, calls = self._calls.ends[call], self._calls.of_module
            uses: list[int] = []
            for module in self.sets.expert_of(experts):
                own = calls.get(module, []) if module is not None else []
                uses += own[bisect_right(own, call) : bisect_right(own, end)]
            if not uses and not experts.modules:
                uses = self._reads_of_stack(experts, call)
            else:
                uses.sort()
            self._used[experts, call] = uses
        return self._used[experts, call]

    def _reads_of_stack(self, experts: ExpertSet, call: int) -> list[int]:
        """Return the calls inside a call that read weights of the shapes of stacked ones."""
        own = [p.shape for p in self._weights.of(experts.owner) if len(p.shape) == STACKED_AXES]
        shapes = frozenset(shape for shape in own if shape[0] == experts.size)
        if (shapes, call) not in self._stack_reads:
            span = range(call + 1, self._calls.ends[call] + 1)
            reads = {use for shape in shapes for use, _ in self._weight_reads.get(shape, ()) if use in span}
            self._stack_reads[shapes, call] = sorted(reads)
        return self._stack_reads[shapes, call]

    @functools.cached_property
    def _memories(self) -> list[int]:
        """The tensor whose memory each tensor shows."""
        return memories(self.graph)

    @functools.cached_property
    def _weight_reads(self) -> dict[Shape, list[tuple[int, int]]]:
        """By shape, the calls that read a tensor which is neither a call's result nor an input.

        The graph does not link tensors to parameters, so that weights are recognised by their shapes.
        """
        made = {i for layer in self.graph.layers for i in layer.outputs}
        made.update(given.tensor for given in self.graph.inputs)
        found: dict[Shape, list[tuple[int, int]]] = {}
        for layer in self.graph.layers:
            for tensor in tensors_read(layer) - made:
                shape = self.graph.shape(tensor)
                if shape is not None and len(shape) in (BIAS_AXES, STACKED_AXES):
                    found.setdefault(shape, []).append((layer.id, tensor))
        return found

    def _with_k(
        self, call: int, sets: Sequence[ExpertSet], near: Sequence[Pick]
    ) -> Iterator[tuple[ExpertSet, int]]:
        """Yield each set with the number of its experts that picks choose.

        Each use belongs to the last picks before it; picks with no use between them belong together. So in a
        flat network, whose blocks are no modules, each router gets the experts that run after it. A set whose
        uses the graph does not show gets the most that any picks choose.
        """
        several = {id(uses): uses for uses in (self._uses(experts, call) for experts in sets)}
        uses = sorted({use for some in several.values() for use in some})
        runs: dict[int, list[Pick]] = {}
        for pick in near:
            runs.setdefault(bisect_left(uses, pick.call), []).append(pick)
        starts = sorted(runs)
        picked: dict[int, int] = {}
        for experts in sets:
            own = self._uses(experts, call)
            if id(own) not in picked:
                before = {bisect_right(starts, bisect_left(uses, use)) for use in own}
                chosen = starts if not own else [starts[place - 1] for place in before if place]
                picked[id(own)] = max((picked_together(runs[start]) for start in chosen), default=0)
            if picked[id(own)]:
                yield experts, picked[id(own)]

    def _expert_weights(self, experts: ExpertSet, call: int) -> Iterator[ExpertWeight]:
        """Yield the weights that each expert has for itself; every token uses the shared ones."""
        if not experts.modules:
            yield from self._stacked_weights(experts, call)
            return
        weights = [
            [p for module in self._modules.subtree(expert) for p in self._weights.of(module)]
            for expert in experts.modules
        ]
        for same in zip(*weights, strict=False):
            storages = tuple(p.storage for p in same)
            if len(set(storages)) == len(storages) and len({p.shape for p in same}) == 1:
                yield ExpertWeight(storages, same[0].numel)

    def _stacked_weights(self, experts: ExpertSet, call: int) -> Iterator[ExpertWeight]:
        """Yield a module's stacked weights and biases, without the router's own weight.

        A router of E outputs has a weight of (E, columns), which has the shape of a stacked bias where the
        experts' output has as many columns. Blocks that users write hold both in one module; there they are
        distinguished by the order of execution: the router's weight is read before the pick.
        """
        own = [p for p in self._weights.of(experts.owner) if p.shape[:1] == (experts.size,)]
        routers = {
            p.shape: self._count_router_weights(p.shape, experts, call)
            for p in own
            if len(p.shape) == BIAS_AXES
        }
        for p in own:
            if routers.get(p.shape, 0):
                routers[p.shape] -= 1
            elif len(p.shape) in (BIAS_AXES, STACKED_AXES):
                yield ExpertWeight((p.storage,), product(p.shape[1:]))

    def _count_router_weights(self, shape: Shape, experts: ExpertSet, call: int) -> int:
        """Count the weights of a shape that are read before the pick, except those of other modules."""
        if (shape, call) not in self._reads_before:
            span = range(call + 1, next(self.picks.inside(experts.size, call)))
            before: dict[int | None, set[int]] = {}
            for use, tensor in self._weight_reads.get(shape, ()):
                if use in span:
                    owner = self._calls.owners[use]
                    has = owner is not None and any(p.shape == shape for p in self._weights.of(owner))
                    before.setdefault(owner if has else None, set()).add(tensor)
            self._reads_before[shape, call] = before
        before = self._reads_before[shape, call]
        free, own = before.get(None, set()), before.get(experts.owner, set())
        return len(free) + sum(tensor not in free for tensor in own)
