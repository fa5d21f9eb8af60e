"""The search for the convention that prints a figure: from a number in a paper to its meaning."""

from __future__ import annotations

import itertools
from dataclasses import field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.counting.coverage import unknown_in
from flopledger.dims.arithmetic import total
from flopledger.errors import ConventionError
from flopledger.explaining import hypotheses
from flopledger.explaining.selections import KINDS, WITHOUT_CLASSIFIER, Step, selections
from flopledger.plugins import discovery
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.conventions.convention import Convention
    from flopledger.counting.count import Count
    from flopledger.counting.ledger import Unknown
    from flopledger.dims.types import Number
    from flopledger.explaining.hypotheses import Variant
    from flopledger.graph.graph import Graph
    from flopledger.quantities import Figure

MOST_SWITCHED = 2
"""The most decisions of a convention that are changed at once in the search for a figure.

Published figures differ from a convention's default in one or two respects (2 FLOP for a
multiply-accumulate, with biases); three would try hundreds of variants, and some of them fit any figure of
two digits by chance.
"""
PARAMS = "params"
"""The quantity of a figure of parameters, and its unit."""


@dataclass(frozen=True, slots=True)
class Made:
    """How a candidate's figure is made: a network, its convention, the steps after that, and its batch."""

    variant: Variant
    convention: Convention
    steps: tuple[Step, ...] = ()
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A convention's figure for a network, with its changed switches: its count or its parameters.

    ``changes`` states in words how the network differs from the one that was read; a count is a lower bound
    while calls are ``unknown`` to the convention as it stands.
    """

    convention: str
    switches: tuple[tuple[str, str], ...]
    what: str
    unit: str
    count: int | Fraction
    changes: tuple[str, ...] = ()
    made: Made | None = field(default=None, compare=False, repr=False)
    unknown: tuple[Unknown, ...] = field(default=(), compare=False)

    @property
    def unknown_calls(self) -> int:
        """How many calls are unknown."""
        return sum(unknown.calls for unknown in self.unknown)


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate, its distance from a figure, and whether it is printed so, rounded or cut off."""

    by: Candidate
    distance: Fraction
    fits: bool
    cut: bool = False

    @property
    def assumptions(self) -> int:
        """How much a match takes for granted; a change of the network counts twice."""
        return len(self.by.switches) + 2 * len(self.by.changes) + self.cut


def variants(
    convention: Convention, switches: Iterable[str] | None = None, most: int = MOST_SWITCHED
) -> Iterator[Convention]:
    """Yield a convention unchanged, then with one decision changed, then with two.

    Args:
        convention: The convention.
        switches: The decisions that may be changed; None for all.
        most: How many are changed at once.
    """
    yield convention
    allowed = None if switches is None else set(switches)
    choices = [one for one in _decisions(convention) if allowed is None or one[0] in allowed]
    for count in range(1, most + 1):
        for chosen in itertools.combinations(choices, count):
            if len({name for name, _ in chosen}) == count:
                yield convention.set(dict(chosen))


def candidates(
    graphs: Iterable[tuple[Graph, Iterable[Convention]]], changes: tuple[str, ...] = ()
) -> list[Candidate]:
    """Count a network under each convention, with up to two decisions changed, one where others are already.

    A decision that changes nothing by itself is not changed together with another. Networks that are not the
    one that was read are counted under our own conventions, whose rules use no facts of a framework.

    Args:
        graphs: The network under each profile, with the conventions to try on that reading.
        changes: How it differs from the one that was asked about.
    """
    found = []
    for number, (graph, conventions) in enumerate(graphs):
        for variant in hypotheses.variants(graph, discovery.kinds(), changes):
            tried = [one for one in conventions if not (variant.changes and one.tool)]
            most = MOST_SWITCHED - bool(changes)
            found += [one for convention in tried for one in _tried(variant, convention, most)]
            if number == 0 and not variant.changes:
                found += _of_parameters(variant, tried)
    return found


def _of_parameters(variant: Variant, conventions: Iterable[Convention]) -> Iterator[Candidate]:
    """Yield the figures of selections of parameters, under one of our own conventions: all count alike."""
    own = next((one for one in conventions if not one.tool), None)
    if own is not None:
        for count, steps in selections(variant):
            changes = tuple(step.words for step in steps)
            yield Candidate(own.name, (), PARAMS, PARAMS, count, changes, Made(variant, own, steps))


def of_batches(tried: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield the counts of batches, of the network as it was read under our own conventions."""
    for one in tried:
        if one.what != "count" or one.switches or one.changes or one.made is None or one.made.convention.tool:
            continue
        for batch in hypotheses.BATCHES:
            made = replace(one.made, batch=batch)
            yield replace(one, count=one.count * batch, changes=(f"a batch of {batch}",), made=made)


def _tried(variant: Variant, convention: Convention, most: int) -> list[Candidate]:
    """Count a network under a convention and its variants, each of them once."""
    plain = _figures(variant, convention)
    if not plain:
        return []
    single = {
        (name, value): _figures(variant, convention.set({name: value}))
        for name, value in _decisions(convention)
    }
    effective = {
        name
        for (name, _), figures in single.items()
        if any(one.count != plain[0].count for one in figures[:1])
    }
    found = list(plain)
    for (name, _), figures in single.items():
        if name in effective:
            found += figures
    alone = 1 + sum(name in effective for name, _ in single)
    for other in itertools.islice(variants(convention, effective, most), alone, None):
        found += _figures(variant, other)
    unknown = plain[0].unknown
    return [one if one.what == PARAMS else replace(one, unknown=unknown) for one in found]


def _decisions(convention: Convention) -> Iterator[tuple[str, str]]:
    """Yield the decisions that differ from a convention in one respect: a switch and its other value."""
    for name, switch in convention.switches.items():
        for value in switch.values:
            if value != convention.chosen[name]:
                yield name, value


def _figures(variant: Variant, convention: Convention) -> list[Candidate]:
    """Return a convention's figures of a network; none where it does not apply, or gives a formula."""
    try:
        count = engine.evaluate(variant.graph, convention)
        unknown = () if convention.changed else unknown_in(count)  # a decision makes no call known
        figures: list[tuple[str, str, Number | None]] = [("count", convention.unit, count.total[0])]
        if not convention.changed:
            figures.append((PARAMS, PARAMS, count.params.count))
        found = [
            Candidate(
                convention.name, tuple(convention.changed.items()), what, unit, figure, variant.changes,
                Made(variant, convention), () if what == PARAMS else unknown,
            )
            for what, unit, figure in figures
            if isinstance(figure, (int, Fraction))
        ]  # fmt: skip
        return found + [other for one in found if (other := _headless(count, one)) is not None]
    except ConventionError:
        return []


def _headless(count: Count, whole: Candidate) -> Candidate | None:
    """Return a count without that of the classifier; None where there is none, or rows don't sum to it."""
    if whole.made is None or whole.made.convention.tool or whole.what == PARAMS or count.total[1]:
        return None
    calls = whole.made.variant.classifier.calls
    left = total(count.priced[i].count for i in calls if i in count.priced)
    if not isinstance(left, (int, Fraction)) or left == 0:
        return None
    made = replace(whole.made, steps=(Step(WITHOUT_CLASSIFIER, KINDS[WITHOUT_CLASSIFIER], -left),))
    return replace(whole, count=whole.count - left, changes=(*whole.changes, WITHOUT_CLASSIFIER), made=made)


def find(tried: Iterable[Candidate], figure: Figure) -> list[Match]:
    """Return the candidates, those that fit first, by their assumptions; the others by their distance."""
    plainest: dict[tuple[str, str, int | Fraction], Match] = {}
    for match in sorted((_match(one, figure) for one in tried), key=_best_first):
        plainest.setdefault((match.by.convention, match.by.what, match.by.count), match)
    return list(plainest.values())


def _match(one: Candidate, figure: Figure) -> Match:
    rounded = figure.low <= one.count <= figure.high
    cut = not rounded and figure.middle <= one.count < figure.middle + (figure.high - figure.low)
    return Match(one, abs(Fraction(one.count) - figure.middle), rounded or cut, cut)


def _best_first(match: Match) -> tuple[bool, int, bool, Fraction, int, bool, str]:
    """Sort matches that fit by their assumptions, and the others by their distance; ours before a tool's.

    What a document defines, no code being its source, is behind the others that assume as little.
    """
    assumptions, made = match.assumptions, match.by.made
    document = made is not None and bool(made.convention.tool) and not made.convention.source
    return (
        not match.fits,
        assumptions if match.fits else 0,
        match.fits and document,
        match.distance,
        assumptions,
        made is not None and bool(made.convention.tool),
        match.by.convention,
    )
