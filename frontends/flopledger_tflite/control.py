"""Operators that hold graphs: If, While, calls of graphs.

Executed parts are read: the branch that a known condition selects, a body as often as its condition holds.
Work that depends on data is unknown, unless both branches do the same work.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from flopledger.frontend import (
    CONTAINER,
    UNKNOWN,
    Operand,
    ShapeError,
    same_work,
    shown_work,
    with_weights,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Record, Recording

    from flopledger_tflite.flat.model import Graph
    from flopledger_tflite.node import Call


class Tracer(Protocol):
    """The questions of operators that hold graphs; :class:`flopledger_tflite.trace.Tracer` answers."""

    recording: Recording
    records: list[Record]
    uncalled: list[Record]
    depth: int
    """How many graphs are open, each in the one before."""
    lenient: int
    """How many graphs are being read that may not run at all."""

    def affords(self, calls: int) -> bool:
        """Return whether this number of further calls may be followed."""

    def graph(self, index: int) -> Graph:
        """Return one of the file's graphs."""

    def body(
        self, index: int, inputs: Sequence[Operand], parent: int | None = None, prefix: str = ""
    ) -> list[Operand]:
        """Follow a graph; return the values of its outputs."""


def _given(call: Call, first: int = 0) -> list[Operand]:
    return [call.value(i) for i in range(first, len(call.inputs))]


def _inside(tracer: Tracer, call: Call, place: int, graph: int, inputs: Sequence[Operand]) -> list[Operand]:
    """Follow a graph within the call that is recorded at a place."""
    return tracer.body(graph, inputs, place, f"{call.path}/")


def _begin(tracer: Tracer, record: Record) -> int:
    """Record a call that holds others; return its place."""
    record.kind = CONTAINER
    tracer.recording.add(record)
    return len(tracer.records) - 1


def called(tracer: Tracer, call: Call, record: Record) -> Sequence[Operand]:
    """A graph that is called, or an operator that the file also spells out as one."""
    graph = call.whole("decomposition_subgraph_index", call.whole("subgraph", -1))
    place = _begin(tracer, record)
    record.outputs = _inside(tracer, call, place, graph, _given(call))
    return record.outputs


def _fresh(values: Sequence[Operand]) -> list[Operand]:
    """Return values of their own memory: a graph may hand its inputs over as its outputs."""
    return [
        Operand(value.shape, value.dtype, value.known(), reason=value.reason, owner=value) for value in values
    ]


def once(_: Tracer, __: Call, ___: Record) -> Sequence[Operand]:
    """A graph that runs before the first inference, and is no part of one."""
    return ()


def branches(tracer: Tracer, call: Call, record: Record) -> Sequence[Operand]:
    """If: the branch that a known condition takes, else one of both if they do the same work."""
    graphs = {name: call.whole(f"{name}_subgraph_index", -1) for name in ("then", "else")}
    condition = call.value(0).known()
    known = condition is not None and len(condition.items) == 1 and condition.items[0] is not None
    if condition is None or not known:
        return _either(tracer, call, record, graphs)
    taken = "then" if condition.items[0] else "else"
    place = _begin(tracer, record)
    record.outputs = _inside(tracer, call, place, graphs[taken], _given(call, 1))
    other = "else" if taken == "then" else "then"
    _keep(tracer, call, other, _attempt(tracer, call, place, graphs[other], _given(call, 1))[1])
    return record.outputs


def _attempt(  # noqa: PLR0913  (a graph, and where it is)
    tracer: Tracer, call: Call, place: int, graph: int, inputs: Sequence[Operand], *, keep: bool = False
) -> tuple[list[Operand], list[Record]]:
    """Follow a graph that may not run; return its values and its calls, taken back unless they are kept."""
    mark, before, depth = len(tracer.records), tracer.recording.unknown.copy(), tracer.depth
    tracer.lenient += 1
    values: list[Operand] = []
    with contextlib.suppress(ShapeError):
        values = _inside(tracer, call, place, graph, inputs)
    tracer.lenient, tracer.depth = tracer.lenient - 1, depth
    found = tracer.records[mark:]
    if not keep:
        del tracer.records[mark:]
        tracer.recording.unknown = before
    return values, found


def _keep(tracer: Tracer, call: Call, name: str, found: Sequence[Record]) -> None:
    """Keep the weights of calls that don't run: their modules are never called."""
    tracer.uncalled += with_weights(found, f"{call.path}/{name}")


def _either(tracer: Tracer, call: Call, record: Record, graphs: Mapping[str, int]) -> Sequence[Operand]:
    """Read both branches, and keep the first if both do the same work."""
    before = tracer.recording.unknown.copy()
    place = _begin(tracer, record)
    trials = {
        name: _attempt(tracer, call, place, graph, _given(call, 1), keep=name == "then")
        for name, graph in graphs.items()
    }
    works = {name: work(found) for name, (_, found) in trials.items()}
    first, second = works["then"], works["else"]
    _keep(tracer, call, "else", trials["else"][1])
    values = [_agreed(a, b) for a, b in zip(trials["then"][0], trials["else"][0], strict=False)]
    if first is not None and second is not None and same_work(first, second):
        record.outputs = values
        return values
    del tracer.records[place + 1 :]
    tracer.recording.unknown = before
    _keep(tracer, call, "then", trials["then"][1])
    shown = ", ".join(f"{name} {shown_work(found)}" for name, found in works.items())
    return _unknown(tracer, call, record, f"which branch runs depends on data: {shown}", values)


def _agreed(a: Operand, b: Operand) -> Operand:
    """Return an output of two branches, with a shape only where it is the same."""
    if a.shape is not None and a.shape == b.shape:
        return Operand(a.shape, a.dtype)
    return Operand(None, a.dtype, reason="its shape depends on which branch runs")


def _unknown(
    tracer: Tracer, call: Call, record: Record, problem: str, values: Sequence[Operand] = ()
) -> Sequence[Operand]:
    """Make a recorded call one whose work is not known; its outputs are those that are stated."""
    record.kind, record.problem = UNKNOWN, problem
    tracer.recording.unknown[record.source] += 1
    reason = f"its input has no shape: {call.path!r} ({call.type}) above it is unknown"
    outputs = []
    for i, dtype in enumerate(call.dtypes):
        shape = call.output(i)
        if shape is None and i < len(values):
            shape = values[i].shape
        outputs.append(Operand(shape, dtype, reason="" if shape is not None else reason))
    record.outputs = outputs
    return outputs


def loop(tracer: Tracer, call: Call, record: Record) -> Sequence[Operand]:
    """While: the condition's graph, and the body's as long as it is known to hold."""
    condition, body = (call.whole(f"{name}_subgraph_index", -1) for name in ("cond", "body"))
    inner = tracer.graph(body)
    size = len(tracer.graph(condition).operators) + len(inner.operators)
    kept = [a == b for a, b in zip(inner.inputs, inner.outputs, strict=False)]
    before = tracer.recording.unknown.copy()
    place = _begin(tracer, record)
    values, turns = _carried(_given(call), kept), 0
    while True:
        asked = _inside(tracer, call, place, condition, values)
        array = asked[0].known() if asked else None
        goes_on = array.items[0] if array is not None and len(array.items) == 1 else None
        if goes_on is None or not tracer.affords(2 * size):
            break
        if not goes_on:
            record.outputs = values
            return values
        values = _inside(tracer, call, place, body, values)
        turns += 1
    found = tracer.records[place + 1 :]
    del tracer.records[place + 1 :]
    tracer.recording.unknown = before
    values, single = _attempt(tracer, call, place, body, _stable(_given(call), kept))
    _keep(tracer, call, "body", single if not turns else found)
    often = "how often its body runs depends on data"
    if turns and goes_on is not None:
        often = f"its body runs more than {turns:,} times, more than are followed"
    given = _given(call)
    same = [v if v.shape == g.shape else Operand(None) for v, g in zip(values, given, strict=False)]
    return _unknown(tracer, call, record, f"{often}; once is {shown_work(work(single))}", same)


def _carried(values: Sequence[Operand], kept: Sequence[bool]) -> list[Operand]:
    """Return the values that the first turn of a loop reads: of constants, those that no turn changes."""
    changed = _fresh(values)
    return [value if keep else new for value, new, keep in zip(values, changed, kept, strict=False)]


def _stable(values: Sequence[Operand], kept: Sequence[bool]) -> list[Operand]:
    """Return the values that any turn reads: elements of those that a turn changes are unknown."""
    changed = [Operand(value.shape, value.dtype, reason=value.reason) for value in values]
    return [value if keep else new for value, new, keep in zip(values, changed, kept, strict=False)]


def cases(tracer: Tracer, call: Call, record: Record) -> Sequence[Operand]:
    """One of several graphs, by a number that is data."""
    _begin(tracer, record)
    return _unknown(tracer, call, record, "which branch runs depends on data")


JOBS: Mapping[str, Callable[[Tracer, Call, Record], Sequence[Operand]]] = {
    "IF": branches,
    "WHILE": loop,
    "STABLEHLO_WHILE": loop,
    "CALL": called,
    "STABLEHLO_COMPOSITE": called,
    "CALL_ONCE": once,
    "STABLEHLO_CASE": cases,
}
