"""The facts that an expression of a convention may name; a value is computed only when it is used.

Three namespaces: neutral facts (of the call's kind), native ones (``native.x``: attributes of the
framework's layer or arguments of its call, as spelled there) and structural ones (the call's place in the
network).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.analysis.module_rows import unpruned
from flopledger.dims.arithmetic import product, total
from flopledger.errors import ExpressionError
from flopledger.expressions.functions import TensorShape
from flopledger.graph.tables import LEVELS
from flopledger.kinds.kind import FACTS, PARTS
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from flopledger.analysis.analysis import Analysis
    from flopledger.analysis.gradients import Work
    from flopledger.analysis.masks import Masked
    from flopledger.conventions.views import CallView
    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Module
    from flopledger.kinds import Kind


@dataclass(frozen=True, slots=True)
class Fact:
    """A structural fact: its meaning, and how to compute it.

    ``alike`` marks facts that are equal for calls of equal kind, source, level, attributes and shapes: a rule
    that names only such facts is evaluated once for all of them. Any other fact depends on the call's place;
    ``some`` returns the calls for which it has another value than for all others, so that a network without
    such calls is counted as if no rule named it.
    """

    doc: str
    value: Callable[[CallView], object]
    alike: bool = False
    some: Callable[[Analysis], Collection[int]] | None = None


def _module(call: CallView) -> Module:
    module = call.module
    if module is None:
        raise ExpressionError(f"{call.layer.path!r} runs in no module")
    return module


def _calls(call: CallView) -> list[int]:
    return call.analysis.calls.of_module.get(_module(call).id, [])


def _first_shape(call: CallView, tensors: tuple[int, ...], what: str) -> Shape:
    shapes = call.shapes(tensors)
    if not shapes:
        raise ExpressionError(f"{call.layer.path!r} has no {what} of known shape")
    return shapes[0]


def _input(call: CallView) -> Shape:
    return _first_shape(call, call.layer.inputs, "input")


def _output(call: CallView) -> Shape:
    return _first_shape(call, call.layer.outputs, "output")


def _own_shapes(call: CallView) -> tuple[Shape, ...]:
    parameters = call.analysis.graph.parameters
    return tuple(TensorShape(parameters[i].shape) for _, i in _module(call).parameters)


def _backward(call: CallView, value: Callable[[Work], object]) -> object:
    found = call.analysis.backward_work.get(call.layer.id)
    return 0 if found is None else value(found)


def _masked(call: CallView, value: Callable[[Masked], object]) -> object:
    found = call.analysis.masked.get(call.layer.id)
    return 0 if found is None else value(found)


def _trained(analysis: Analysis) -> Collection[int]:
    return analysis.backward_work


def _with_mask(analysis: Analysis) -> Collection[int]:
    return analysis.masked


STRUCTURAL: Mapping[str, Fact] = MappingProxyType(
    {
        "kind": Fact("the call's kind", lambda c: c.layer.kind, alike=True),
        "group": Fact(
            "the group of its kind, empty where it has no formula",
            lambda c: c.group,
            alike=True,
        ),
        "source": Fact("the framework's name for the callee", lambda c: c.layer.source, alike=True),
        "class_name": Fact(
            "the last word of the source", lambda c: c.layer.source.rpartition(".")[2], alike=True
        ),
        "level": Fact("layer, function or op", lambda c: c.layer.level, alike=True),
        "inputs": Fact("the shapes of all input tensors", lambda c: c.shapes(c.layer.inputs), alike=True),
        "outputs": Fact("the shapes of all output tensors", lambda c: c.shapes(c.layer.outputs), alike=True),
        "input": Fact("the shape of the first input", _input, alike=True),
        "out": Fact("the shape of the first output", _output, alike=True),
        "in_elems": Fact("the elements of the first input", lambda c: product(_input(c)), alike=True),
        "out_elems": Fact("the elements of the first output", lambda c: product(_output(c)), alike=True),
        "ops": Fact("all arithmetic operations of the call", lambda c: total(c.parts.values()), alike=True),
        "index": Fact("which call of its module this is, from 1", lambda c: c.layer.index),
        "composite": Fact("whether an op only lowers to others", lambda c: c.layer.composite),
        "outermost": Fact(
            "whether no call of the same level contains it within its module's call",
            lambda c: not c.rules.inner(c.layer),
        ),
        "live": Fact(
            "whether the result of the call reaches an output of the network",
            lambda c: c.analysis.live[c.layer.id],
        ),
        "uncovered": Fact(
            "whether no call around it has a formula or a rule of its own",
            lambda c: not c.rules.covered[c.layer.id],
        ),
        "ruled": Fact(
            "whether a rule for its source or its kind, not `*`, prices the call",
            lambda c: c.rules.ruled(c.layer),
        ),
        "hidden": Fact(
            "whether an input comes from a call where the convention's flow begins, past none where it ends",
            lambda c: c.layer.id in c.rules.hidden,
        ),
        "data_grads": Fact(
            "in a training step: how many of its operands that are no weights have a gradient",
            lambda c: _backward(c, lambda work: work.data),
            some=_trained,
        ),
        "weight_grads": Fact(
            "in a training step: how many of its weights have a gradient",
            lambda c: _backward(c, lambda work: work.weights),
            some=_trained,
        ),
        "grad_input": Fact(
            "in a training step: the macs of the gradients of data, of all calls inside too",
            lambda c: _backward(c, lambda work: work.of_data),
            some=_trained,
        ),
        "grad_weight": Fact(
            "in a training step: the macs of the gradients of weights, of all calls inside too",
            lambda c: _backward(c, lambda work: work.of_weights),
            some=_trained,
        ),
        "recomputed": Fact(
            "in a training step: the macs that run again in the backward, of all calls inside too",
            lambda c: c.analysis.recomputed.get(c.layer.id, 0),
            some=lambda analysis: analysis.recomputed,
        ),
        "innermost": Fact(
            "whether no call is inside it",
            lambda c: not c.analysis.calls.has_children[c.layer.id],
        ),
        "peak_bytes": Fact(
            "the bytes that it made of the activations that are alive at their peak",
            lambda c: c.analysis.memory.peak.of_calls.get(c.layer.id, 0),
        ),
        "saved_bytes": Fact(
            "in a training step: the bytes that it keeps for the backward, and no call before it",
            lambda c: c.analysis.memory.saved.get(c.layer.id, 0),
        ),
        "moved_bytes": Fact(
            "the bytes that it reads and writes",
            lambda c: c.analysis.memory.moved(c.layer),
        ),
        "out_bytes": Fact(
            "the bytes of its first output",
            lambda c: c.analysis.memory.size(c.layer.outputs[0]) if c.layer.outputs else 0,
        ),
        "vocabulary": Fact(
            "the rows of the network's largest table of words; 0 if it has none",
            lambda c: c.analysis.vocabulary,
        ),
        "absorbed": Fact(
            "the factor of its macs if the projection of latent keys and values is absorbed; else 1",
            lambda c: c.analysis.absorbed.get(c.layer.id, 1),
            some=lambda analysis: analysis.absorbed,
        ),
        "latents": Fact(
            "the elements of the latent vectors (MLA) in a call of an attention over such; else 0",
            lambda c: c.analysis.latents.get(c.layer.id, 0),
            some=lambda analysis: analysis.latents,
        ),
        "expert_part": Fact(
            "in a block of routed experts: router, expert or shared; else empty",
            lambda c: c.analysis.expert_parts.get(c.layer.id, ""),
            some=lambda analysis: analysis.expert_parts,
        ),
        "network": Fact(
            "the framework's name of the network's own class, empty where it has none",
            lambda c: c.analysis.calls.root_source,
            alike=True,
        ),
        "pair_macs": Fact(
            "the macs of each pair of a query and a key, where a mask leaves some pairs out; else 0",
            lambda c: _masked(c, lambda found: found.pair_macs),
            some=_with_mask,
        ),
        "pair_dots": Fact(
            "the dot products of each such pair",
            lambda c: _masked(c, lambda found: found.pair_dots),
            some=_with_mask,
        ),
        "pairs_above": Fact(
            "the pairs that a causal mask leaves out: keys after the query",
            lambda c: _masked(c, lambda found: found.mask.above),
            some=_with_mask,
        ),
        "pairs_half": Fact(
            "those and half of the diagonal: half of the square of several new tokens, as estimators have it",
            lambda c: _masked(c, lambda found: found.mask.half),
            some=_with_mask,
        ),
        "pairs_outside": Fact(
            "the pairs that a sliding window or a chunk leaves out of those that a causal mask leaves",
            lambda c: _masked(c, lambda found: found.mask.outside),
            some=_with_mask,
        ),
        "pairs_half_outside": Fact(
            "the pairs that a sliding window leaves out of those that are left by half",
            lambda c: _masked(c, lambda found: found.mask.half_outside),
            some=_with_mask,
        ),
        "depth": Fact("how many calls are around it", lambda c: c.analysis.calls.depths[c.layer.id]),
        "leaf": Fact("whether the module has no children", lambda c: not _module(c).children),
        "root": Fact(
            "whether the module is the network", lambda c: _module(c).id == c.analysis.calls.root_module
        ),
        "training": Fact("whether the module is in training mode", lambda c: _module(c).training),
        "ncalls": Fact("how often the module is called", lambda c: len(_calls(c))),
        "first": Fact("whether this is the module's first call", lambda c: _calls(c)[:1] == [c.layer.id]),
        "last": Fact("whether this is the module's last call", lambda c: _calls(c)[-1:] == [c.layer.id]),
        "mapped": Fact(
            "whether the convention has a layer rule for the module's source",
            lambda c: c.rules.mapped(_module(c)),
        ),
        "paths": Fact(
            "the number of paths from the network to the module",
            lambda c: c.analysis.modules.paths[_module(c).id],
        ),
        "paths_around": Fact(
            "the number of paths to the innermost module around the call that has any",
            lambda c: c.analysis.modules.paths_around[c.layer.id],
        ),
        "open_paths": Fact(
            "the number of those paths that pass through no mapped module",
            lambda c: c.rules.open_paths[_module(c).id],
        ),
        "own": Fact("the elements of the module's own weights", lambda c: c.analysis.weights.own(_module(c))),
        "stored": Fact(
            "the elements of the module's own weights and buffers",
            lambda c: c.analysis.weights.own_and_buffers(_module(c)),
        ),
        "all": Fact(
            "the elements of all weights of the module and those below it, each once",
            lambda c: c.analysis.weights.below(_module(c).id),
        ),
        "all_trainable": Fact(
            "the same of the trainable ones",
            lambda c: c.analysis.weights.below(_module(c).id, trainable=True),
        ),
        "all_stored": Fact(
            "the elements of all weights and buffers of the module and those below it, each once",
            lambda c: c.analysis.weights.below_and_buffers(_module(c).id),
        ),
        "listed": Fact(
            "the weights in the module's row of a table of calls, without those in the rows below it",
            lambda c: c.analysis.module_rows.get(_module(c).id, 0),
        ),
        "params": Fact(
            "the module's own weights as pairs of name and elements that pruning left",
            lambda c: tuple(unpruned(_module(c), c.analysis.graph.parameters)),
        ),
        "own_shapes": Fact("the shapes of the module's own weights and buffers", _own_shapes),
        "root_batch": Fact(
            "the length of the first axis of the network's first positional input, else 1",
            lambda c: c.analysis.calls.root_batch,
        ),
    }
)
"""The structural facts by name, and the neutral ones that every call has."""

_OF_CONVENTION = frozenset({"outermost", "uncovered", "ruled", "hidden", "mapped", "open_paths"})
"""The structural facts that ask :class:`RuleView`."""


def of_convention(name: str) -> bool:
    """Return whether a name's value depends on the convention that reads it, and not on the graph alone."""
    return name in _OF_CONVENTION or name.startswith("switch.")


MODULE_FACTS = (
    "source", "class_name", "leaf", "root", "training", "ncalls", "mapped", "paths", "open_paths",
    "own", "stored", "all", "all_trainable", "all_stored", "listed", "params", "own_shapes",
)  # fmt: skip
"""The facts that a parameter rule over modules may name."""

PARAMETER_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "numel": "the elements of the parameter",
        "itemsize": "the bytes of one of its elements, a fraction for small types",
        "param_shape": "its shape",
        "role": "its role in the module: weight, bias, scale, shift, running_mean ...",
        "trainable": "whether it is trained",
        "buffer": "whether it is a buffer, stored with the weights",
        "again": "whether an earlier parameter shares its memory",
        "repeated": "whether an earlier entry is the same parameter object",
        "registered": "whether a module that the network contains has it, or no module has it",
        "used": "how often a token uses it: k / E of a weight of E experts, of which k are picked, else 1",
        "embedding": "whether a table of words has it",
        "tied": "whether another module has it too",
        "name": "its first name",
    }
)
"""The facts that a parameter rule over parameters may name."""

TOTAL_FACTS: Mapping[str, str] = MappingProxyType(
    {level: f"the sum of the rows of the level {level}" for level in LEVELS}
    | {"root_batch": STRUCTURAL["root_batch"].doc}
    | {"params": "the parameters that the convention counts, 0 if it counts none"}
    | {"param_bytes": "the sum of what [params] gives as the bytes of each, 0 if it gives none"}
    | {"tokens": "the elements of the first input of whole numbers: the tokens of all sequences"}
)
"""The facts that a total may name."""

RESERVED = frozenset({*STRUCTURAL, *PARTS, *FACTS})
"""The names that no definition may take. A kind's own may be: the definition then takes precedence, so
that a convention still loads when a kind, a plugin's too, gets an attribute of the same name."""


def call_names(kinds: Mapping[str, Kind]) -> set[str]:
    """Return every name that a rule for a call may read."""
    names = {*STRUCTURAL, *PARTS, *FACTS, "native.*"}
    for kind in kinds.values():
        names |= {a.name for a in kind.attributes} | set(kind.fact_names)
    return names
