"""The search for the convention that prints a figure: from a number in a paper to its meaning."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.errors import ConventionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.conventions.convention import Convention
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph
    from flopledger.quantities import Figure

MOST_SWITCHED = 2
"""The most decisions of a convention that are changed at once in the search for a figure.

Published figures differ from a convention's default in one or two respects (2 FLOP for a
multiply-accumulate, with biases); three would try hundreds of variants, and some of them fit any figure of
two digits by chance.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A convention's figure for a network, with its changed switches: its count or its parameters."""

    convention: str
    switches: tuple[tuple[str, str], ...]
    what: str
    unit: str
    count: int | Fraction


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate, how far it is from a figure, and whether it is printed so at the figure's precision."""

    by: Candidate
    distance: Fraction
    fits: bool


def variants(convention: Convention, switches: Iterable[str] | None = None) -> Iterator[Convention]:
    """Yield a convention unchanged, then with one decision changed, then with two.

    Args:
        convention: The convention.
        switches: The decisions that may be changed; None for all.
    """
    yield convention
    allowed = None if switches is None else set(switches)
    choices = [one for one in _decisions(convention) if allowed is None or one[0] in allowed]
    for count in range(1, MOST_SWITCHED + 1):
        for chosen in itertools.combinations(choices, count):
            if len({name for name, _ in chosen}) == count:
                yield convention.set(dict(chosen))


def candidates(graphs: Iterable[tuple[Graph, Iterable[Convention]]]) -> list[Candidate]:
    """Count a network under each convention, with up to two decisions changed.

    A decision that changes nothing by itself is not changed together with another.

    Args:
        graphs: The network under each profile, with the conventions to try on that reading.
    """
    return [
        one
        for graph, conventions in graphs
        for convention in conventions
        for one in _tried(graph, convention)
    ]


def _tried(graph: Graph, convention: Convention) -> list[Candidate]:
    """Count a network under a convention and its variants, each of them once."""
    plain = _figures(graph, convention)
    if not plain:
        return []
    single = {
        (name, value): _figures(graph, convention.set({name: value}))
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
    for variant in itertools.islice(variants(convention, effective), alone, None):
        found += _figures(graph, variant)
    return found


def _decisions(convention: Convention) -> Iterator[tuple[str, str]]:
    """Yield the decisions that differ from a convention in one respect: a switch and its other value."""
    for name, switch in convention.switches.items():
        for value in switch.values:
            if value != convention.chosen[name]:
                yield name, value


def _figures(graph: Graph, convention: Convention) -> list[Candidate]:
    """Return a convention's count of a network; None where it does not apply, or gives a formula."""
    try:
        count = engine.evaluate(graph, convention)
        figures: list[tuple[str, str, Number | None]] = [("count", convention.unit, count.total[0])]
        if not convention.changed:
            figures.append(("params", "params", count.params.count))
    except ConventionError:
        return []
    switches = tuple(convention.changed.items())
    return [
        Candidate(convention.name, switches, what, unit, figure)
        for what, unit, figure in figures
        if isinstance(figure, (int, Fraction))
    ]


def find(tried: Iterable[Candidate], figure: Figure) -> list[Match]:
    """Return the candidates, the nearest to a figure first; of those that fit, with the fewest switches."""
    matches = [
        Match(one, abs(Fraction(one.count) - figure.middle), figure.low <= one.count <= figure.high)
        for one in tried
    ]
    plainest: dict[tuple[str, str, int | Fraction], Match] = {}
    for match in sorted(matches, key=_best_first):
        plainest.setdefault((match.by.convention, match.by.what, match.by.count), match)
    return list(plainest.values())


def _best_first(match: Match) -> tuple[bool, int, Fraction, int, str]:
    """Sort matches that fit by their number of switches, and the others by their distance."""
    switches = len(match.by.switches)
    return (not match.fits, switches if match.fits else 0, match.distance, switches, match.by.convention)
