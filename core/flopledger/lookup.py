"""Which convention prints a figure: the way back from a number in a paper to what was counted."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger import engine
from flopledger.errors import ConventionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.convention import Convention
    from flopledger.graph import Graph

SCALES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12, "P": 10**15}
_FIGURE = re.compile(
    r"([0-9][0-9,_]*)(?:\.([0-9]+))?(?:e\+?([0-9]{1,2}))?\s*([KMGBTP]?)\s*(?:MACs?|MAdds?|FLOPs?|params?|ops)?\Z",
    re.IGNORECASE,
)
MOST_SWITCHED = 2
"""How many decisions of a convention are changed at once in looking for a figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was published: its text, and the range of counts that round to it."""

    text: str
    low: Fraction
    high: Fraction

    @property
    def middle(self) -> Fraction:
        """The count that the text says."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Match:
    """A convention with switches, what it counts, and how far that is from a figure."""

    convention: str
    switches: tuple[tuple[str, str], ...]
    what: str
    unit: str
    count: int | Fraction
    distance: Fraction
    fits: bool


def parse_figure(text: str) -> Figure:
    """Read a figure such as ``4.09G``, ``25.6 M params`` or ``4,089,184,256``.

    A figure stands for all counts that round to it at its precision; a whole number without a scale
    stands for itself.

    Raises:
        UsageError: The text is no figure.
    """
    found = _FIGURE.match(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not a figure; expected a number such as 4.09G, 25.6M or 4089184256")
    whole, decimals, exponent, scale = found.groups()
    digits = whole.replace(",", "").replace("_", "")
    unit = Fraction(SCALES[scale.upper()]) * Fraction(10) ** int(exponent or 0)
    value = Fraction(f"{digits}.{decimals}" if decimals else digits) * unit
    half = unit / 10 ** len(decimals or "") / 2 if unit != 1 or decimals else Fraction(0)
    return Figure(text, value - half, value + half)


def variants(convention: Convention) -> Iterator[Convention]:
    """Yield a convention as it stands, then with one decision changed, then with two."""
    yield convention
    choices = [
        (name, value)
        for name, switch in convention.switches.items()
        for value in switch.values
        if value != convention.chosen[name]
    ]
    for count in range(1, MOST_SWITCHED + 1):
        for chosen in itertools.combinations(choices, count):
            if len({name for name, _ in chosen}) == count:
                yield convention.set(dict(chosen))


def find(graphs: Iterable[tuple[Graph, Iterable[Convention]]], figure: Figure) -> list[Match]:
    """Return what comes nearest to a figure, best first: what fits, with the fewest switches.

    Args:
        graphs: The network under each profile, with the conventions to try on that reading.
        figure: The figure to look for.
    """
    matches = [
        match
        for graph, conventions in graphs
        for convention in conventions
        for variant in variants(convention)
        for match in _matches(graph, variant, figure)
    ]
    return sorted(
        matches, key=lambda m: (not m.fits, len(m.switches) if m.fits else 0, m.distance, m.convention)
    )


def _matches(graph: Graph, convention: Convention, figure: Figure) -> Iterator[Match]:
    counter = engine.Counter(engine.structure_of(graph), convention)
    try:
        engine.check_applies(graph, convention)
        figures = {"count": counter.total(counter.rows())[0], "params": counter.params()[0]}
    except ConventionError:
        return
    for what, count in figures.items():
        if not isinstance(count, (int, Fraction)) or (what == "params" and convention.changed):
            continue
        distance = abs(count - figure.middle)
        fits = figure.low <= count <= figure.high
        unit = convention.unit if what == "count" else "params"
        yield Match(convention.name, tuple(convention.changed.items()), what, unit, count, distance, fits)
