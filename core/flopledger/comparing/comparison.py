"""Two networks side by side: which layers correspond, and how they differ, in words.

Frameworks name, nest and order layers differently, so layers are aligned by their work: the calls that
compute or hold weights are sorted by the data flow (the number of computing layers before them), and the two
lists are aligned as sequences, by kind, kernel, channels and size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger import lazy
from flopledger.comparing import alignment, merging, reasons
from flopledger.comparing.gathering import compared_layers
from flopledger.conventions import loader
from flopledger.conventions.convention import Convention
from flopledger.counting import engine
from flopledger.dims.arithmetic import equal, magnitude, total
from flopledger.dims.bounds import number
from flopledger.dims.phrases import joined, written
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from flopledger.comparing.layers import ComparedLayer
    from flopledger.comparing.reasons import Reason
    from flopledger.counting.count import Count
    from flopledger.counting.ledger import Ledger
    from flopledger.dims.phrases import Phrase
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph

OWN = "mac"
"""The convention whose work and parameters the layers are aligned by."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers that are paired, or one that has no counterpart."""

    a: ComparedLayer | None
    b: ComparedLayer | None
    reasons: tuple[Reason, ...] = ()

    @property
    def why(self) -> str:
        """The differences in words; empty where there are none."""
        return written(self.phrase)

    @property
    def phrase(self) -> Phrase:
        """The differences in words, with formulas as they are."""
        return joined("; ", (reason.words for reason in self.reasons))

    @property
    def status(self) -> str:
        """``same``, ``changed``, ``only_a`` or ``only_b``.

        Another spelling of the same layer is the same; a stride that has moved is a change even where
        it changes no figure of this layer.
        """
        if self.a is None:
            return "only_b"
        if self.b is None:
            return "only_a"
        return "same" if self.equal and all(reason.alike for reason in self.reasons) else "changed"

    @property
    def equal(self) -> bool:
        """Whether both sides have as many multiply-accumulates and trainable parameters, as far as known."""
        if self.a is None or self.b is None or self.a.unknown != self.b.unknown:
            return False
        return equal(self.macs, 0) and equal(self.params, 0)

    @property
    def unknown(self) -> bool:
        """Whether no formula is known for work of a side, so that the difference in work is not known."""
        return any(side is not None and side.unknown for side in (self.a, self.b))

    @property
    def macs(self) -> Number:
        """The multiply-accumulates of b less those of a."""
        return number((self.b.macs if self.b else 0) - (self.a.macs if self.a else 0))

    @property
    def params(self) -> Number:
        """The trainable parameters of b less those of a."""
        return number((self.b.params if self.b else 0) - (self.a.params if self.a else 0))


@dataclass(frozen=True, slots=True)
class Group:
    """Reasons of one sort: how often it occurs, in which pairs, and the differences that are due to it.

    The differences of a pair are due to the first of its reasons that can change them, so that those of
    the groups sum to those of the totals.
    """

    phrase: Phrase
    times: int
    pairs: tuple[Pair, ...]
    texts: tuple[str, ...]
    macs: Number
    params: Number
    unknown: bool = False
    """Whether some of the difference in macs is not known."""

    @property
    def reason(self) -> str:
        """The reason that they have in common, in words."""
        return written(self.phrase)


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(lazy.Shown):
    """Two networks side by side. The pairs' differences sum to those of the totals.

    ``a`` and ``b`` are the ledgers under the requested convention; ``more`` those under further ones.
    """

    a: Ledger
    b: Ledger
    pairs: tuple[Pair, ...]
    more: tuple[tuple[Ledger, Ledger], ...] = ()

    @property
    def equal(self) -> bool:
        """Whether every layer has a counterpart with as many macs and trainable parameters."""
        return all(pair.equal for pair in self.pairs)

    @property
    def macs(self) -> Number:
        """The multiply-accumulates of b less those of a, summed over the pairs."""
        return number(total(pair.macs for pair in self.pairs))

    @property
    def params(self) -> Number:
        """The trainable parameters of b less those of a, summed over the pairs."""
        return number(total(pair.params for pair in self.pairs))

    def groups(self) -> tuple[Group, ...]:
        """Put the reasons together, those of the largest effect first, then those of most pairs."""
        members: dict[str, list[tuple[Pair, Reason]]] = {}
        for pair in self.pairs:
            for reason in pair.reasons:
                members.setdefault(reason.group, []).append((pair, reason))
        found = [_group(name, each) for name, each in members.items()]
        return tuple(sorted(found, key=_largest_first))

    def to_dict(self) -> dict[str, object]:
        """Return the comparison as its JSON document; ``report/compare.schema.json`` describes it."""
        return lazy.comparison_document(self)

    def to_json(self) -> str:
        """Write the comparison as one JSON document."""
        return lazy.render_comparison(self, "json")


def _group(name: str, members: Sequence[tuple[Pair, Reason]]) -> Group:
    """Sum the differences that are due to reasons of one sort."""
    pairs = tuple(pair for pair, _ in members)
    due = [pair for pair in pairs if _responsible(pair, macs=True) == name]
    params = number(total(pair.params for pair in pairs if _responsible(pair, macs=False) == name))
    texts = tuple(dict.fromkeys(reason.text for _, reason in members))
    macs, unknown = number(total(pair.macs for pair in due)), any(pair.unknown for pair in due)
    return Group(members[0][1].sort, len(pairs) // members[0][1].pairs, pairs, texts, macs, params, unknown)


def _largest_first(group: Group) -> tuple[Fraction, Fraction, int]:
    return -abs(magnitude(group.macs)), -abs(magnitude(group.params)), -group.times


def _responsible(pair: Pair, *, macs: bool) -> str:
    able = [reason for reason in pair.reasons if (reason.macs if macs else reason.params)]
    return (able or list(pair.reasons))[0].group


def compare(graph_a: Graph, graph_b: Graph, *under: str | Convention) -> Comparison:
    """Compare two networks, of any frameworks.

    Args:
        graph_a: The one.
        graph_b: The other.
        under: The conventions that both totals are counted under; ``mac`` where none is given.

    Raises:
        ConventionError: A convention does not apply to one of the networks.
    """
    graphs = (graph_a, graph_b)
    conventions = [one if isinstance(one, Convention) else loader.load(one) for one in under or (OWN,)]
    counts = [_evaluated(graphs, one) for one in conventions]
    own = loader.load(OWN)
    mac = next((pair for one, pair in zip(conventions, counts, strict=True) if one == own), None)
    a, b = mac or _evaluated(graphs, own)
    pairs = merging.merge(alignment.align(compared_layers(a), compared_layers(b)))
    found = reasons.reasons(pairs)
    totals = [(engine.ledger_of(of_a), engine.ledger_of(of_b)) for of_a, of_b in counts]
    sides = tuple(Pair(one, other, why) for (one, other), why in zip(pairs, found, strict=True))
    return Comparison(*totals[0], sides, tuple(totals[1:]))


def _evaluated(graphs: tuple[Graph, Graph], convention: Convention) -> tuple[Count, Count]:
    return engine.evaluate(graphs[0], convention), engine.evaluate(graphs[1], convention)
