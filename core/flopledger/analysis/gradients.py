"""The work of a training step beside its forward: gradients, and the work that runs again for them.

Rules, each checked against the backward that PyTorch really runs:

- a tensor *wants* a gradient if it is a trained weight, an input of which one is asked, or the floating
  result of a call with such an operand, outside of regions without gradients; ``detach`` stops it;
- a call is *reached* if one of its results leads to an output of the network through tensors that want;
- a product has a gradient for each operand that wants one, and each takes as many multiply-accumulates as
  the forward: a plain layer twice as many, the first layer as many, a frozen one in front none;
- attention is two products, Q K^T and P V, with four gradients: of V, of P for both Q and K, of Q, of K;
- a recurrent layer's first state is zero and wants nothing: one step less of gradients of states;
- a checkpointed region runs again, up to the last tensor that a gradient in it needs
  (:mod:`flopledger.analysis.saved`); a reentrant one of which no argument wants a gradient has none at all.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.analysis import derivative, saved
from flopledger.analysis.flow import memories, tensors_read
from flopledger.dims.arithmetic import equal, is_dim, product, total
from flopledger.graph.tables import CONTAINER, UNKNOWN, TensorRef
from flopledger.kinds.contraction import einsum_steps
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.derivative import Derivative
    from flopledger.analysis.formulas import Formulas
    from flopledger.analysis.hidden import Hidden
    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Layer, Tables

FLOATING = ("float", "bfloat", "complex")
STOPS = ("aten.detach",)
PRODUCTS = frozenset(("matmul", "einsum", "grouped_matmul", "multiply"))
"""Kinds whose inputs are all multiplied with one another."""
VIEWS = frozenset(("view", "reshape", "transpose", "identity"))
"""Kinds whose result may be their operand itself, unchanged."""
WEIGHT = "weight"
"""The role of a parameter that is a factor of products."""
NO_GRAD, RECOMPUTED = "no_grad", "recomputed"
"""The region that a call runs in, by its native facts."""
REENTRANT = "reentrant"
"""Of a region that runs again: it is whole, and wants gradients only if one of its arguments does."""


def is_floating(dtype: str) -> bool:
    """Return whether a type can have a gradient."""
    return dtype.startswith(FLOATING)


@dataclass(frozen=True, slots=True)
class Work:
    """The gradients of one call, in multiply-accumulates: of its data, and of its weights.

    ``data`` and ``weights`` say how many of its operands have one.
    """

    of_data: Dim = 0
    of_weights: Dim = 0
    data: int = 0
    weights: int = 0


NONE = Work()


class Gradients:
    """The gradients of one graph that was read for a training step; there are none in another."""

    def __init__(self, graph: Tables, calls: CallTree, formulas: Formulas, hidden: Hidden) -> None:
        self.graph, self._calls, self._formulas, self._hidden = graph, calls, formulas, hidden
        self.active = graph.reading.trains
        self.wants: set[int] = set()
        self._weights: set[int] = set()
        self._memory = memories(graph) if self.active else []
        self._written: set[int] = set()
        self._cut: set[int] = set()
        self._unwanted: set[tuple[int, int]] = set()
        self._derivatives: dict[int, Derivative | None] = {}

    @functools.cached_property
    def leaves(self) -> list[Layer]:
        """The innermost calls, in order."""
        found = (layer for layer in self.graph.layers if not self._calls.has_children[layer.id])
        return [layer for layer in found if layer.kind != CONTAINER]

    @functools.cached_property
    def reached(self) -> frozenset[int]:
        """The innermost calls that have a backward."""
        if not self.active:
            return frozenset()
        self._find_wanting()
        needed = {i for i in self.graph.outputs if self.want(i)}
        memory = {self._memory[i] for i in needed}
        found: set[int] = set()
        for layer in reversed(self.leaves):
            made = (
                i in needed or (self._writes(layer, i) and self._memory[i] in memory) for i in layer.outputs
            )
            if self._stopped(layer) or not any(made):
                continue
            given = [i for i in tensors_read(layer) if self.want(i)]
            if given or self.unseen(layer):
                found.add(layer.id)
                needed.update(given)
                memory.update(self._memory[i] for i in given)
        return frozenset(found)

    @functools.cached_property
    def recorded(self) -> frozenset[int]:
        """The innermost calls that autograd records: those that are reached, and those of dropped results."""
        found = set(self.reached)
        for layer in self.leaves if self.active else ():
            made = any(is_floating(self.dtype(i)) and self.want(i) for i in layer.outputs)
            if made and not self._stopped(layer) and any(self.wanted(layer, i) for i in tensors_read(layer)):
                found.add(layer.id)
        return frozenset(found)

    @functools.cached_property
    def unknown(self) -> int:
        """The number of calls whose derivative nobody knows, so that more may be kept than is counted."""
        none = (one for one in self.leaves if one.kind == UNKNOWN and self.derivative(one) is None)
        return sum(one.id in self.recorded or not one.outputs for one in none)

    def want(self, tensor: int) -> bool:
        """Return whether a tensor wants a gradient."""
        return tensor in self.wants or self._memory[tensor] in self._written

    def wanted(self, layer: Layer, tensor: int) -> bool:
        """Return whether an operand wants a gradient, one that the call overwrites as it was before."""
        return self.want(tensor) and (layer.id, tensor) not in self._unwanted

    def derivative(self, layer: Layer) -> Derivative | None:
        """Return what the frontend has found out about a call's derivative, as its operands want it."""
        if layer.id not in self._derivatives:
            self._derivatives[layer.id] = derivative.found(
                layer, lambda i: is_floating(self.dtype(i)) and self.wanted(layer, i)
            )
        return self._derivatives[layer.id]

    def parameter(self, tensor: int) -> int | None:
        """Return the parameter that a tensor is; None if it is none."""
        linked = self.graph.tensors[tensor].parameter
        return self._hidden.shown.get(tensor) if linked is None else linked

    def _find_wanting(self) -> None:
        """Find the tensors that want a gradient: trained weights, inputs asked for, and all made of these.

        A reentrant checkpoint has gradients only where one of its inputs wants one, as torch's own function
        warns. Without that rule the layers of a model with frozen embeddings, whose inputs want none, would
        be counted with a backward that torch never runs.
        """
        graph, parameters = self.graph, self.graph.parameters
        for tensor in graph.tensors:
            parameter = self.parameter(tensor.id)
            if parameter is not None:
                self._weights.add(tensor.id)
                if parameters[parameter].trainable and is_floating(tensor.dtype):
                    self.wants.add(tensor.id)
        asked = graph.reading.profile.get("grad_inputs", ())
        named = set(asked) if isinstance(asked, tuple) else set()
        for given in graph.inputs:
            if given.name in named or "all" in named:
                self.wants.add(given.tensor)
        reentrant = self._reentrant()
        for layer in self.leaves:
            region = reentrant.get(layer.id)
            if region is not None and not any(map(self.want, region.inputs)):
                self._cut.add(layer.id)
            self._pass_on(layer)

    def _reentrant(self) -> dict[int, Layer]:
        """Return the reentrant region of each call in one: its outermost."""
        found: dict[int, Layer] = {}
        for layer in self.graph.layers:
            if layer.native.get(RECOMPUTED) == REENTRANT:
                inside = range(layer.id + 1, self._calls.ends[layer.id] + 1)
                found = {**dict.fromkeys(inside, layer), **found}
        return found

    def _pass_on(self, layer: Layer) -> None:
        """Note whether the results of a call want gradients, and whether they are made of weights alone."""
        given = tensors_read(layer)
        if given and given <= self._weights:
            self._weights.update(layer.outputs)
        if self._stopped(layer) or not (any(map(self.want, given)) or self.unseen(layer)):
            return
        for tensor in layer.outputs:
            record = self.graph.tensors[tensor]
            if is_floating(record.dtype):
                if tensor in layer.inputs and not self.want(tensor):
                    self._unwanted.add((layer.id, tensor))
                self.wants.add(tensor)
                if self._writes(layer, tensor):
                    self._written.add(self._memory[tensor])  # other views of it want from now on

    def _writes(self, layer: Layer, tensor: int) -> bool:
        """Return whether a call writes a result into memory that there was before it.

        What only shows an operand gives back that very tensor; a copy into a tensor has it as a result alone.
        """
        if tensor in layer.inputs:
            return layer.kind not in VIEWS
        return self._makers.get(tensor, layer.id) != layer.id

    @functools.cached_property
    def _makers(self) -> dict[int, int]:
        """The call that each tensor is the result of first."""
        found: dict[int, int] = {}
        for layer in self.leaves:
            for tensor in layer.outputs:
                found.setdefault(tensor, layer.id)
        return found

    def _stopped(self, layer: Layer) -> bool:
        if layer.kind == "fill" or layer.id in self._cut:
            return True
        return layer.source.startswith(STOPS) or layer.native.get(NO_GRAD) is True

    def unseen(self, layer: Layer) -> list[int]:
        """Return the trained weights that a call reads unseen, with those of the calls inside it."""
        hidden = self._hidden.unseen
        calls = range(layer.id, self._calls.ends[layer.id] + 1) if hidden else ()
        own = (self.graph.parameters[i] for call in calls for i in hidden.get(call, ()))
        return [p.id for p in own if p.trainable and not p.is_buffer]

    def multiplied(self, layer: Layer) -> bool:
        """Return whether a trained weight that a call reads unseen is a factor, and no bias."""
        return any(self.graph.parameters[i].role == WEIGHT for i in self.unseen(layer))

    @functools.cached_property
    def trained(self) -> frozenset[int]:
        """The parameters that get a gradient."""
        met = {
            i
            for layer in self.leaves
            if layer.id in self.reached
            for i in tensors_read(layer)
            if self.want(i)
        }
        shown = map(self.parameter, met)
        own = (i for layer in self.leaves if layer.id in self.reached for i in self.unseen(layer))
        return frozenset((*(i for i in shown if i is not None), *own))

    @functools.cached_property
    def work(self) -> dict[int, Work]:
        """The gradients of each call: of an innermost one its own, of another those of the calls inside."""
        found: dict[int, Work] = {}
        if not self.active:
            return found
        for layer in self.leaves:
            if layer.id in self.reached:
                found[layer.id] = self._of(layer)
        inside = self._summed({i: one.of_data for i, one in found.items()})
        weights = self._summed({i: one.of_weights for i, one in found.items()})
        macs = self._summed({one.id: self._formulas.macs(one) for one in self.leaves})
        for layer in self.graph.layers:
            if not self._calls.has_children[layer.id] or layer.kind == CONTAINER:
                continue
            own = self._formulas.macs(layer)
            if own == 0 or equal(own, macs.get(layer.id, 0)):
                found[layer.id] = Work(inside.get(layer.id, 0), weights.get(layer.id, 0))
            elif any(i in self.reached for i in range(layer.id, self._calls.ends[layer.id] + 1)):
                found[layer.id] = self._of(layer)
        return found

    def _summed(self, values: dict[int, Dim]) -> dict[int, Dim]:
        """Add the values of calls to all calls around them."""
        sums: dict[int, list[Dim]] = {}
        for i, value in values.items():
            if value != 0:
                for up in (i, *self._calls.around(i)):
                    sums.setdefault(up, []).append(value)
        return {i: total(parts) for i, parts in sums.items()}

    def _of(self, layer: Layer) -> Work:
        """Return the gradients of one call by its kind."""
        facts = self._formulas.facts(layer)
        macs = facts.get("macs", 0)
        if macs == 0:
            return NONE
        if layer.kind == "attention":
            return self._of_attention(layer)
        if "gates" in facts:
            return self._of_recurrent(layer)
        if layer.kind == "einsum" and len(layer.inputs) > 2:
            return self._of_chain(layer)
        operands = self.operands(layer)
        wanting = [i for i in operands if self.want(i)]
        weights = sum(i in self._weights for i in wanting)
        unseen = int(self.multiplied(layer) and not any(i in self._weights for i in operands))
        data = len(wanting) - weights
        return Work(macs * data, macs * (weights + unseen), data, weights + unseen)

    def dtype(self, tensor: int) -> str:
        """Return the type of a tensor."""
        return self.graph.tensors[tensor].dtype

    def shape(self, tensor: int) -> Sequence[object]:
        """Return the shape of a tensor."""
        return self.graph.shape(tensor) or ()

    def elements(self, tensor: int) -> Dim:
        """Return the number of elements along the axes of a picture or sequence."""
        return product((self.graph.shape(tensor) or ())[2:])

    def operands(self, layer: Layer) -> list[int]:
        """Return the operands of a product, without addends."""
        if layer.kind in PRODUCTS:
            return list(layer.inputs)
        weight = layer.native.get("weight")
        found = list(layer.inputs[:2] if layer.kind == "bilinear" else layer.inputs[:1])
        if isinstance(weight, TensorRef):
            return [*found, weight.id] if weight.id not in found else found
        return [*found, *(i for i in sorted(tensors_read(layer) - {*layer.inputs}) if self._is_factor(i))]

    def end(self, layer: Layer) -> int:
        """Return the last call inside a call, the call itself if it is an innermost one."""
        return self._calls.ends[layer.id]

    def _is_factor(self, tensor: int) -> bool:
        """Return whether a tensor among the arguments is a weight that data is multiplied with: no bias."""
        return tensor in self._weights and len(self.graph.shape(tensor) or ()) > 1

    def _of_chain(self, layer: Layer) -> Work:
        """Return the gradients of an einsum of several operands: of each product of two, from the left."""
        steps = einsum_steps(self._formulas.call(layer, self._formulas.kinds[layer.kind]))
        left, *others = [(self.want(i), i in self._weights) for i in layer.inputs]
        found: dict[bool, Dim] = {False: 0, True: 0}
        for macs, right in zip(steps, others, strict=True):
            for wants, of_weights in (left, right):
                found[of_weights] += macs * wants
            left = left[0] or right[0], left[1] and right[1]
        wanting = [i in self._weights for i in layer.inputs if self.want(i)]
        return Work(found[False], found[True], wanting.count(False), wanting.count(True))

    def _of_attention(self, layer: Layer) -> Work:
        """Return the four gradients of attention: ``macs`` are B H L S E and B H L S E_v."""
        query, key, value = layer.inputs[:3]
        facts, shapes = self._formulas.facts(layer), [self.graph.shape(i) or (1,) for i in (query, value)]
        each = facts["queries"] * facts["keys"] * facts["pair_dots"]
        scores, results = each * shapes[0][-1], each * shapes[1][-1]
        wants = [self.want(i) for i in (query, key, value)]
        of_scores = (wants[0] + wants[1]) * scores
        of_results = (wants[2] + (wants[0] or wants[1])) * results
        return Work(of_scores + of_results, 0, sum(wants), 0)

    def _of_recurrent(self, layer: Layer) -> Work:
        """Return a recurrent layer's gradients over T steps: T of weights and inputs, T - 1 of states."""
        facts, macs = self._formulas.facts(layer), self._formulas.macs(layer)
        shape = self.graph.shape(layer.inputs[0]) or (1,)
        directions, depth, hidden = (_size(layer, name) for name in ("directions", "layers", "hidden_size"))
        each = directions * facts["gates"] * hidden * facts["batch"]
        first, states = each * facts["steps"] * shape[-1], each * depth * hidden
        above = macs - first - states * facts["steps"]
        data = states * (facts["steps"] - 1) + above + (first if self.want(layer.inputs[0]) else 0)
        weights = [i for i in tensors_read(layer) if i in self._weights]
        trained = any(map(self.want, weights)) or self.multiplied(layer)
        return Work(data, macs if trained else 0, 1, 1 if trained else 0)

    @functools.cached_property
    def recomputed(self) -> dict[int, Dim]:
        """The multiply-accumulates that run again, of each call with all inside it; of containers none."""
        found: dict[int, Dim] = {}
        for region, stops_early in self.regions():
            last = region[-1].id if region else -1
            if stops_early:
                last = self._last_needed(region)
            found.update({one.id: self._formulas.macs(one) for one in region if one.id <= last})
        layers = self.graph.layers
        return {i: macs for i, macs in self._summed(found).items() if layers[i].kind != CONTAINER}

    def regions(self) -> Iterable[tuple[Sequence[Layer], bool]]:
        """Yield the innermost calls of each checkpointed region, and whether it stops early."""
        if not self.active:
            return
        for layer in self.graph.layers:
            how = layer.native.get(RECOMPUTED)
            if how:
                ends = self._calls.ends[layer.id]
                inside = [one for one in self.leaves if layer.id < one.id <= ends]
                if any(one.id in self.reached for one in inside):
                    yield inside, how == "early"

    def _last_needed(self, region: Sequence[Layer]) -> int:
        """Return the call that makes the last tensor of a region that a gradient in it needs."""
        makers = {tensor: one.id for one in region for tensor in one.outputs}
        kept = (i for one in region if one.id in self.reached for i in saved.tensors(one, self))
        return max((makers.get(i, -1) for i in kept), default=-1)


def _size(layer: Layer, name: str) -> Dim:
    size = layer.attrs.get(name, 1)
    return size if is_dim(size) else 1
