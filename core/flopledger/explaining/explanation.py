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

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger import lazy
from flopledger.counting import engine
from flopledger.dims.arithmetic import substitute, symbol_names, total, truncate
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, UsageError, nearest
from flopledger.explaining import causes as workcauses
from flopledger.explaining import parameters as paramcauses
from flopledger.explaining.words import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import ConventionInfo, GraphInfo
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph

WHAT = ("count", "params")
"""What can be explained: the operations or the parameters."""
SAMPLE = 1000
"""What every symbol stands for when formulas are put in order."""


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
    """One of two figures: the convention, what it is counted in, the figure, and the reading."""

    convention: ConventionInfo
    unit: str
    figure: Number
    graph: GraphInfo


@dataclass(frozen=True, slots=True)
class Explanation:
    """Two figures of one network, and the causes that sum to their gap ``b - a``."""

    what: str
    source: str
    a: Side
    b: Side
    gap: Number
    causes: tuple[Cause, ...]

    def to_dict(self, *, layers: bool = False) -> dict[str, object]:
        """Return the explanation as its JSON document; ``report/explain.schema.json`` describes it."""
        return lazy.explanation_document(self, layers=layers)

    def to_json(self, *, layers: bool = False) -> str:
        """Write the explanation as one JSON document."""
        return lazy.render_explanation(self, "json", layers=layers)

    def __str__(self) -> str:
        return lazy.render_explanation(self).rstrip("\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """A network under one convention, and what parts its figure from that of another; see :func:`survey`.

    ``params`` is None for a tool that prints no parameter figure. ``explanation`` is None where ``reason``
    says why the convention has no figure for this network.
    """

    convention: str
    unit: str
    params: Number | None = None
    explanation: Explanation | None = None
    reason: str = ""


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
        raise UsageError(
            f"what is explained is one of {', '.join(WHAT)}, found {what!r}{nearest(what, WHAT)}"
        )
    graph_b = graph_b or graph_a
    engine.check_applies(graph_a, a)
    engine.check_applies(graph_b, b)
    sides = (_side(graph_a, a, what), _side(graph_b, b, what))
    differences = _of_params(graph_b, a, b) if what == "params" else list(_of_work(graph_a, graph_b, a, b))
    gap = number(sides[1].figure - sides[0].figure)
    return Explanation(what, graph_a.reading.source, *sides, gap, merged(differences))


def survey(graphs: Iterable[tuple[Graph, Iterable[Convention]]], base: Convention) -> list[Entry]:
    """Count a network under every convention that applies, and say what parts each figure from a base's.

    Args:
        graphs: The network under each profile, with the conventions that take that reading; the first of
            them is the one that ``base`` counts.
        base: The convention that the others are explained from.
    """
    entries: list[Entry] = []
    first: Graph | None = None
    for graph, conventions in graphs:
        first = first or graph
        entries += [_entry(first, graph, base, convention) for convention in conventions]
    return entries


def _entry(first: Graph, graph: Graph, base: Convention, convention: Convention) -> Entry:
    try:
        found = explain(first, base, convention, graph_b=graph)
        params = engine.Counter(engine.structure_of(graph), convention).params()[0]
    except ConventionError as error:
        return Entry(convention.name, convention.unit, reason=str(error))
    return Entry(convention.name, convention.unit, params, found)


def _side(graph: Graph, convention: Convention, what: str) -> Side:
    ledger = engine.count(graph, convention)
    if what == "count":
        return Side(ledger.convention, convention.unit, ledger.total.count, ledger.graph)
    if ledger.total.params is None:
        raise UsageError(f"the convention {convention.name!r} gives no parameter figure")
    return Side(ledger.convention, "params", ledger.total.params, ledger.graph)


def _of_work(graph_a: Graph, graph_b: Graph, a: Convention, b: Convention) -> Iterable[Difference]:
    """Yield the differences in operations; first, what the other reading changes by itself."""
    structure = engine.structure_of(graph_b)
    first = engine.Counter(structure, a)
    if graph_b is not graph_a:
        before = _side(graph_a, a, "count").figure
        after = first.total(first.rows())[0]
        profile = ", ".join(f"{k} = {str(v).lower()}" for k, v in b.profile.items())
        yield Difference(
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
    for (kind, said), members in groups.items():
        details = {member.detail for member in members if member.count != 0}
        text = f"{said} ({min(details)})" if len(details) == 1 and min(details) else said
        sums: dict[str, Number] = {}
        for member in members:
            if member.path is not None:
                sums[member.path] = number(sums.get(member.path, 0) + member.count)
        layers = tuple((path, count) for path, count in sums.items() if count != 0)
        count = number(total(member.count for member in members))
        if count != 0 or layers:
            causes.append(Cause(text, kind, count, len(layers), layers))
    return tuple(sorted(causes, key=_largest_first))


def _largest_first(cause: Cause) -> tuple[Fraction, str]:
    """Order causes by their size; a formula is compared with every symbol at a sample size."""
    count = cause.count
    if not isinstance(count, (int, Fraction)):
        count = substitute(truncate(count), dict.fromkeys(symbol_names(count), SAMPLE))
    exact = Fraction(count) if isinstance(count, (int, Fraction)) else Fraction(0)
    return -abs(exact), cause.cause
