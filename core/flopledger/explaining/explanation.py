"""Why two figures differ: a list of causes that sums to the gap, to the unit.

Both figures are split in the same way, piece of work by piece of work, into components that sum to them: the
multiply-accumulates that the convention counts, the change by its unit, its formula's difference from the
true count, the bias, work that it counts twice, the change by sharing, and, for the whole, batch division and
rounding. Turning the first figure into the second one decision at a time is replacing one such component
after the other, and each step is a convention that counts the network: the first one's answer to the
decisions that are still open, the second one's to the others. A cause is the difference of two neighbours, so
that the causes sum to the gap by construction, for any two files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger import gc_pause, lazy
from flopledger.counting import engine
from flopledger.counting.count import Count
from flopledger.counting.coverage import unknown_in
from flopledger.dims.arithmetic import magnitude, total
from flopledger.dims.bounds import number
from flopledger.errors import UsageError, nearest
from flopledger.explaining import causes, parameters
from flopledger.explaining.words import Difference
from flopledger.explaining.work import Evaluated
from flopledger.reading import profiles
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import ConventionInfo, GraphInfo, Unknown
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph

WHAT = ("count", "params")
"""The figures that can be explained: of operations or of parameters."""


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
    """One of two figures: the convention, its unit, the figure, the reading, and what it leaves out."""

    convention: ConventionInfo
    unit: str
    figure: Number
    graph: GraphInfo
    unknown: tuple[Unknown, ...] = ()

    @property
    def unknown_calls(self) -> int:
        """How many calls are unknown; while there are any, the figure is a lower bound."""
        return sum(unknown.calls for unknown in self.unknown)


BYTES = "B"
"""The unit of memory, of which no operation is a part."""


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(lazy.Shown):
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
    first = Evaluated(engine.evaluate(graph_a, a))
    if graph_b is None or graph_b is graph_a:
        return explain_counts(first, _second(first, graph_a, b), what)
    return explain_counts(
        first, Evaluated(engine.evaluate(graph_b, b)), what, on_b=on_other_reading(a, graph_b)
    )


def from_first(counts: Sequence[Count]) -> list[Explanation]:
    """Explain the difference of each further count of a network from the first one."""
    first, *others = map(Evaluated, counts)
    a = counts[0]
    readings = (
        None if other.graph is a.graph else on_other_reading(a.convention, other.graph)
        for other in counts[1:]
    )
    return [explain_counts(first, other, on_b=on_b) for other, on_b in zip(others, readings, strict=True)]


def _second(first: Evaluated, graph: Graph, b: Convention) -> Evaluated:
    """Return the count to arrive at; a convention that is explained from itself is evaluated once, too."""
    return first if b == first.convention else Evaluated(engine.evaluate(graph, b))


def on_other_reading(convention: Convention, graph: Graph) -> Evaluated:
    """Return a convention's count of a reading made for another convention, ignoring its own profile."""
    return Evaluated(Count(graph, engine.analysis_of(graph), convention))


@gc_pause.paused()
def explain_counts(
    a: Evaluated, b: Evaluated, what: str = "count", *, on_b: Evaluated | None = None
) -> Explanation:
    """Explain the difference between two counts of a network.

    Args:
        a: The network under the convention to start from.
        b: The network under the convention to arrive at.
        what: ``count`` for the operations, ``params`` for the parameters.
        on_b: The convention of ``a`` over the graph of ``b``, where that is another reading of the network.

    Raises:
        ConventionError: A convention does not apply to the network.
        UsageError: A convention gives no parameter figure.
    """
    if what == "count" and (a.convention.unit == BYTES) != (b.convention.unit == BYTES):
        found = " and ".join(f"{one.convention.name} {one.convention.unit}" for one in (a, b))
        raise UsageError(f"bytes are no operations, and the two can't be explained from each other: {found}")
    sides = (_side(a, what), _side(b, what))
    start = on_b or a
    if what == "params":
        differences = list(parameters.differences(start.count, b.count))
    else:
        differences = [*_of_reading(a, start, b), *causes.differences(start, b)]
    gap = number(sides[1].figure - sides[0].figure)
    return Explanation(what, a.count.graph.reading.source, *sides, gap, merged(differences))


def _side(side: Evaluated, what: str) -> Side:
    info, graph = engine.convention_info(side.convention), engine.graph_info(side.count.graph)
    if what == "count":
        return Side(info, side.convention.unit, side.count.total[0], graph, unknown_in(side.count))
    if side.count.params.count is None:
        raise UsageError(f"the convention {side.convention.name!r} gives no parameter figure")
    return Side(info, "params", side.count.params.count, graph)


def _of_reading(a: Evaluated, on_b: Evaluated, b: Evaluated) -> Iterator[Difference]:
    """Yield the changes due to the other reading alone: ``a`` is one convention over both graphs."""
    if a is not on_b:
        read = profiles.in_words(b.convention.profile)
        text = f"another reading ({read}), as {b.convention.name} needs it: other kernels run"
        yield Difference("kernel", text, number(on_b.count.total[0] - a.count.total[0]))


def merged(differences: Iterable[Difference]) -> tuple[Cause, ...]:
    """Merge causes with the same words, drop those that sum to 0, and put the largest first."""
    groups: dict[tuple[str, str], list[Difference]] = {}
    for difference in differences:
        groups.setdefault((difference.kind, difference.text), []).append(difference)
    found = []
    for (kind, text), members in groups.items():
        details = {member.detail for member in members if member.count != 0}
        words = f"{text} ({min(details)})" if len(details) == 1 and min(details) else text
        sums: dict[str, Number] = {}
        for member in members:
            if member.path is not None:
                sums[member.path] = number(sums.get(member.path, 0) + member.count)
        layers = tuple((path, count) for path, count in sums.items() if count != 0)
        count = number(total(member.count for member in members))
        if count != 0 or layers:
            found.append(Cause(words, kind, count, len(layers), layers))
    return tuple(sorted(found, key=largest_first))


def largest_first(cause: Cause) -> tuple[Fraction, str]:
    """Order causes by their size; a formula is compared with every symbol at a sample size."""
    return -abs(magnitude(cause.count)), cause.cause
