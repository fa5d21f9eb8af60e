"""Why two published figures of a network differ: from the simplest match of the one to that of the other."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.dims.bounds import number
from flopledger.explaining.explanation import Cause, explain_counts, largest_first, on_other_reading
from flopledger.explaining.work import Evaluated
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from flopledger.dims.types import Number
    from flopledger.explaining.find_figure import Candidate, Made, Match
    from flopledger.explaining.selections import Step

MOST_PAIRED = 40
"""How many matches of each figure are paired with those of the other."""


UNDONE = "undone: "
MOST_EXPLAINED = 6
"""How many of the simplest pairs are explained, of which the one with the fewest causes is shown."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Two figures as they are most simply explained together, and the causes that sum to their difference."""

    a: Match
    b: Match
    gap: Number
    causes: tuple[Cause, ...]


def gap_between(a: Sequence[Match], b: Sequence[Match]) -> Gap | None:
    """Explain two figures by the pair of their matches with the fewest assumptions, then the fewest causes.

    Returns:
        None where no two of them are in the same quantity: operations, or parameters.
    """
    pairs = [(one, other) for one in _usable(a) for other in _usable(b) if one.by.what == other.by.what]
    if not pairs:
        return None
    ordered = sorted(pairs, key=_simplest)
    alike = [pair for pair in ordered[:MOST_EXPLAINED] if _simplest(pair)[:2] == _simplest(ordered[0])[:2]]
    return min((_gap(*pair) for pair in alike), key=lambda gap: len(gap.causes))


def _gap(a: Match, b: Match) -> Gap:
    causes = tuple(sorted(_causes(a.by, b.by), key=largest_first))
    return Gap(a, b, number(b.by.count - a.by.count), causes)


def _usable(matches: Sequence[Match]) -> Sequence[Match]:
    """Return the matches that fit, or the nearest where none does."""
    fitting = [match for match in matches if match.fits][:MOST_PAIRED]
    return fitting or matches[:1]


def _simplest(pair: tuple[Match, Match]) -> tuple[int, int, Fraction]:
    """Order pairs by the number of their assumptions, then our own conventions first."""
    one, other = pair
    tools = sum(side.by.made is not None and bool(side.by.made.convention.tool) for side in pair)
    same = (one.by.convention, one.by.switches) == (other.by.convention, other.by.switches)
    return one.assumptions + other.assumptions + (0 if same else 2), tools, one.distance + other.distance


def _causes(a: Candidate, b: Candidate) -> Iterator[Cause]:
    """Yield the steps from one figure to the other: out of its batch, over the network, to the convention."""
    first, second = a.made, b.made
    if first is None or second is None:
        return
    alike = frozenset(first.steps) & frozenset(second.steps)
    yield from _undone(a, first, alike)
    start = on_other_reading(first.convention, first.variant.graph)
    there = start
    if first.variant is not second.variant:
        there = on_other_reading(first.convention, second.variant.graph)
        change = number(_figure(there, a.what) - _figure(start, a.what))
        if change:
            yield Cause(_network(a, b), "network", change, 0)
    end = Evaluated(engine.evaluate(second.variant.graph, second.convention))
    yield from explain_counts(there, end, a.what).causes
    if second.batch > 1:
        yield Cause(b.changes[-1], "batch", number(b.count - Fraction(b.count) / second.batch), 0)
    for step in second.steps:
        if step not in alike:
            yield Cause(step.words, step.kind, step.count, 0)


def _undone(one: Candidate, made: Made, kept: Container[Step]) -> Iterator[Cause]:
    """Yield the steps from a figure to the whole one of a single input, but those that the other has too."""
    if made.batch > 1:
        single = number(Fraction(one.count) / made.batch)
        yield Cause(f"{UNDONE}{one.changes[-1]}", "batch", number(single - one.count), 0)
    for step in made.steps:
        if step not in kept:
            yield Cause(f"{UNDONE}{step.words}", step.kind, number(-step.count), 0)


def _network(a: Candidate, b: Candidate) -> str:
    """Say how the network of the second figure differs from that of the first."""
    there, here = (one.made.variant.changes if one.made is not None else () for one in (b, a))
    new = [change for change in there if change not in here]
    old = [f"{UNDONE}{change}" for change in here if change not in there]
    return "; ".join([*new, *old]) or "read for another convention"


def _figure(counted: Evaluated, what: str) -> Number:
    return counted.count.total[0] if what == "count" else counted.count.params.count or 0
