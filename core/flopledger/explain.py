"""Why two figures differ: a list of causes that sums to the gap, to the unit.

Both figures are taken apart in the same way, piece of work by piece of work, into what sums to them:
the multiply-accumulates that the convention sees, what its unit adds, its formula's difference from
the true count, the bias, what it counts twice, what sharing multiplies, and, of the whole, batch
division and rounding. Turning the first figure into the second one decision at a time is replacing
one such component after the other, and each step is a convention that counts the network: the first
one's answer to the decisions that are still open, the second one's to the others. A cause is the
difference of two neighbours, so that the causes sum to the gap by construction, for any two files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger import engine, paramcauses, workcauses
from flopledger.dims import total
from flopledger.errors import UsageError
from flopledger.functions import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.convention import Convention
    from flopledger.dims import Number
    from flopledger.graph import Graph
    from flopledger.workcauses import Difference

WHAT = ("count", "params")
"""What can be explained: the operations or the parameters."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why two figures differ: in words, of which kind, by how much, and in which calls."""

    cause: str
    kind: str
    count: Number
    calls: int
    layers: tuple[tuple[str, Number], ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of two figures: the convention, what it is counted in, and the figure."""

    convention: str
    unit: str
    figure: Number
    switches: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Two figures of one network, and the causes that sum to their gap ``b - a``."""

    what: str
    source: str
    a: Side
    b: Side
    gap: Number
    causes: tuple[Cause, ...]


def explain(
    graph_a: Graph, a: Convention, b: Convention, *, graph_b: Graph | None = None, what: str = "count"
) -> Explanation:
    """Explain why convention ``b`` gives another figure than ``a``.

    Args:
        graph_a: The network, read under the profile that ``a`` needs.
        a: The convention to start from.
        b: The convention to arrive at.
        graph_b: The same network under the profile that ``b`` needs, where that is another one.
        what: ``count`` for the operations, ``params`` for the parameters.

    Raises:
        ConventionError: A convention does not apply to the network.
        UsageError: ``what`` is neither, or a convention gives no parameter figure.
    """
    if what not in WHAT:
        raise UsageError(f"what is explained is one of {', '.join(WHAT)}, found {what!r}")
    graph_b = graph_b or graph_a
    engine.check_applies(graph_a, a)
    engine.check_applies(graph_b, b)
    differences = _of_params(graph_b, a, b) if what == "params" else list(_of_work(graph_a, graph_b, a, b))
    sides = (_side(graph_a, a, what), _side(graph_b, b, what))
    gap = number(sides[1].figure - sides[0].figure)
    return Explanation(what, graph_a.reading.source, *sides, gap, merged(differences))


def _side(graph: Graph, convention: Convention, what: str) -> Side:
    count = engine.Counter(engine.structure_of(graph), convention)
    unit = "params" if what == "params" else convention.unit
    if what == "count":
        figure: Number | None = count.total(count.rows())[0]
    else:
        figure = count.params()[0]
    if figure is None:
        raise UsageError(f"the convention {convention.name!r} gives no parameter figure")
    return Side(convention.name, unit, figure, dict(convention.changed))


def _of_work(graph_a: Graph, graph_b: Graph, a: Convention, b: Convention) -> Iterable[Difference]:
    """Yield the differences in operations; first, what the other reading changes by itself."""
    structure = engine.structure_of(graph_b)
    first = engine.Counter(structure, a)
    if graph_b is not graph_a:
        before = _side(graph_a, a, "count").figure
        after = first.total(first.rows())[0]
        profile = ", ".join(f"{k} = {str(v).lower()}" for k, v in b.profile.items())
        yield workcauses.Difference(
            "kernel", f"read with {profile}, as {b.name} needs it: other kernels run", number(after - before)
        )
    yield from workcauses.differences(first, engine.Counter(structure, b))


def _of_params(graph: Graph, a: Convention, b: Convention) -> list[Difference]:
    structure = engine.structure_of(graph)
    return list(paramcauses.differences(engine.Counter(structure, a), engine.Counter(structure, b)))


def merged(differences: Iterable[Difference]) -> tuple[Cause, ...]:
    """Merge what has the same words, drop what comes to nothing, and put the largest first."""
    groups: dict[tuple[str, str], list[Difference]] = {}
    for difference in differences:
        groups.setdefault((difference.kind, difference.text), []).append(difference)
    causes = []
    for (kind, text), members in groups.items():
        sums: dict[str, Number] = {}
        for member in members:
            if member.path is not None:
                sums[member.path] = number(sums.get(member.path, 0) + member.count)
        layers = tuple((path, count) for path, count in sums.items() if count != 0)
        count = number(total(member.count for member in members))
        if count != 0 or layers:
            causes.append(Cause(text, kind, count, len(layers), layers))
    return tuple(sorted(causes, key=_largest_first))


def _largest_first(cause: Cause) -> tuple[bool, Fraction, str]:
    if isinstance(cause.count, (int, Fraction)):
        return (True, -abs(Fraction(cause.count)), cause.cause)
    return (False, Fraction(0), cause.cause)
