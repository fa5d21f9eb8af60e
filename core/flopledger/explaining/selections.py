"""Other selections than every weight of a network, each once, that a published figure may be of.

Papers leave the classifier out, or embeddings, biases, norms and frozen weights; Keras's tables and files of
weights have running statistics in them, files other buffers too; and some counts take a shared weight at each
of its places. A selection is one such decision, or two.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.graph.tables import OPTIMIZER
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from flopledger.dims.types import Dim
    from flopledger.explaining.hypotheses import Variant
    from flopledger.graph.tables import Parameter

WITHOUT_CLASSIFIER = "without the classifier"
BIASES, NORMS, EMBEDDINGS = "without biases", "without norms", "without embeddings"
TRAINED = "the trainable ones alone"
STATISTICS, BUFFERS = "with running statistics", "with every buffer"
EACH = "shared weights at each of their places"
KINDS = {
    WITHOUT_CLASSIFIER: "classifier",
    TRAINED: "frozen",
    STATISTICS: "buffers",
    EMBEDDINGS: "embedding",
    BIASES: "bias",
    NORMS: "norm",
    BUFFERS: "buffers",
    EACH: "sharing",
}
"""The decisions, those that most publications make first, and the kind of cause that each is."""
EXCLUSIVE = {STATISTICS, BUFFERS}
"""Decisions of which one includes the other."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a figure after counting: in words, the kind of cause that it is, and by how much."""

    words: str
    kind: str
    count: int | Fraction


@dataclass(frozen=True, slots=True)
class _Held:
    """The elements of a parameter at one of its places, and the decisions that leave them out or need."""

    numel: Dim
    left_out_by: frozenset[str]
    added_by: frozenset[str] = frozenset()

    def counts(self, decisions: frozenset[str]) -> bool:
        return not self.left_out_by & decisions and (not self.added_by or bool(self.added_by & decisions))


def selections(variant: Variant) -> Iterator[tuple[int, tuple[Step, ...]]]:
    """Yield each other figure of a network's parameters, and the steps to it from all weights, each once.

    A decision that changes nothing is not made together with another. Networks with symbols in their weights
    have none.
    """
    held = list(_held(variant))
    sizes = [one.numel for one in held if isinstance(one.numel, int)]
    if len(sizes) < len(held):
        return

    def figure(*decisions: str) -> int:
        made = frozenset(decisions)
        return sum(size for one, size in zip(held, sizes, strict=True) if one.counts(made))

    whole = figure()
    alone = {words: figure(words) for words in KINDS}
    effective = [words for words, found in alone.items() if found not in (whole, 0)]
    for words in effective:
        yield alone[words], (Step(words, KINDS[words], alone[words] - whole),)
    for first, second in itertools.combinations(effective, 2):
        both = figure(first, second)
        if {first, second} != EXCLUSIVE and both not in (alone[first], alone[second], 0):
            one = Step(first, KINDS[first], alone[first] - whole)
            yield both, (one, Step(second, KINDS[second], both - alone[first]))


def _held(variant: Variant) -> Iterator[_Held]:
    """Yield each storage once, then again for each other place of it."""
    parameters = variant.graph.parameters
    places = [(module.id, name, i) for module in variant.graph.modules for name, i in module.parameters]
    placed = {i for _, _, i in places}
    places += [(-1, p.names[0] if p.names else "", p.id) for p in parameters if p.id not in placed]
    traits, seen = _Traits(variant), set[int]()
    for module, name, i in places:
        p = parameters[i]
        again = p.storage in seen
        seen.add(p.storage)
        if p.role == OPTIMIZER or (again and p.is_buffer):
            continue
        yield _Held(p.numel, traits.of(p, module, name), _needs(p, again=again))


def _needs(p: Parameter, *, again: bool) -> frozenset[str]:
    if p.is_buffer:
        return frozenset({BUFFERS, STATISTICS} if p.role.startswith("running_") else {BUFFERS})
    return frozenset({EACH}) if again else frozenset()


class _Traits:
    """The decisions that leave out a parameter, by what its module computes and by its role."""

    def __init__(self, variant: Variant) -> None:
        analysis = engine.analysis_of(variant.graph)
        self.classifier = variant.classifier.parameters
        self.groups: dict[int, set[str]] = {}
        for layer in variant.graph.layers:
            if layer.module is not None and layer.level == "layer":
                group = (
                    "embedding" if layer.kind.startswith("embedding") else analysis.formulas.group(layer.id)
                )
                self.groups.setdefault(layer.module, set()).add(group)

    def of(self, p: Parameter, module: int, name: str) -> frozenset[str]:
        groups = self.groups.get(module, set())
        return frozenset(
            words
            for words, true in (
                (WITHOUT_CLASSIFIER, p.id in self.classifier),
                (TRAINED, not p.trainable and not p.is_buffer),
                (EMBEDDINGS, "embedding" in groups),
                (NORMS, p.role in ("scale", "shift") or "norm" in groups),
                (BIASES, p.role == "bias" or _is_bias(p, name)),
            )
            if true
        )


def _is_bias(p: Parameter, name: str) -> bool:
    """Return whether a vector is a bias by its name: ``in_proj_bias`` or ``bias_ih`` of PyTorch's layers."""
    return p.role == "weight" and "bias" in name.split("_") and len(p.shape) == 1
