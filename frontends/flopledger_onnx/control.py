"""Operators that hold graphs, If, Loop and Scan, and functions of the file.

Executed parts are read: the branch that a known condition selects, a body as often as a known count. Work
that depends on data is unknown, unless both branches do the same work.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from flopledger.frontend import (
    CONTAINER,
    UNKNOWN,
    Operand,
    Record,
    ShapeError,
    equal,
    list_of,
    scalar,
    text,
    unlisted,
    work,
)

from flopledger_onnx.names import Scope, opsets_of
from flopledger_onnx.scopes import scopes_of
from flopledger_onnx.spelling import spelled
from flopledger_onnx.tables.layers import source_name

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from flopledger.frontend import Dim, Recording, Shape

    from flopledger_onnx.budget import Budget
    from flopledger_onnx.names import Job
    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Function, Graph, ValueInfo


class Tracer(Protocol):
    """The questions of operators that hold graphs; :class:`flopledger_onnx.trace.Tracer` answers."""

    recording: Recording
    records: list[Record]
    uncalled: list[Record]
    unread: set[Hashable]
    """The scopes of the graphs that do not run and whose weights are kept."""
    budget: Budget
    lenient: int
    """How many graphs are being read that may not run at all."""

    def body(self, graph: Graph, scope: Scope) -> Job:
        """Follow a graph; return the values of its outputs."""

    def function(self, called: Function, scope: Scope) -> Job:
        """Follow a function; return the values of its outputs."""

    def declared(self, name: str, scope: Scope) -> Shape | None:
        """Return the shape that the file states of a value."""

    def bind(self, call: Call, scope: Scope, values: Sequence[Operand]) -> None:
        """Give a node's outputs their names."""


def declared(graph: Graph) -> dict[str, list[int | str]]:
    """Return the shapes that a graph states of its values; an open size is an empty name."""
    found: dict[str, list[int | str]] = {}
    for info in (*graph.value_info, *graph.output):
        sizes = sizes_of(info)
        if sizes is not None:
            found[info.name] = sizes
    return found


def sizes_of(info: ValueInfo) -> list[int | str] | None:
    """Return the sizes that are stated of a value, names where they are open, None where it has no shape."""
    tensor = None if info.type is None else info.type.tensor_type or info.type.sparse_tensor_type
    if tensor is None or tensor.shape is None:
        return None
    return [
        d.dim_value if d.dim_value is not None and d.dim_value > 0 else d.dim_param for d in tensor.shape.dim
    ]


def _container(tracer: Tracer, call: Call, scope: Scope) -> int:
    """Note down the call around those of a graph, its outputs to follow."""
    native = spelled(call)
    if scope.parent is not None:
        native["nested"] = True
    record = Record(
        call.path[len(scope.prefix) :], CONTAINER, source_name(call.node.domain, call.type), {},
        [value for value in call.inputs if value is not None], [],
        key=(scope.key, id(call.node)), scopes=scopes_of(call.node), parent=scope.parent, native=native,
    )  # fmt: skip
    tracer.records.append(record)
    return len(tracer.records) - 1


def _inside(call: Call, scope: Scope, parent: int, name: str) -> Scope:
    """Return the scope of a graph in a node."""
    return Scope(
        (scope.key, id(call.node), name), scope.opsets, scope, attributes=scope.attributes, parent=parent,
        prefix=f"{call.path}/",
    )  # fmt: skip


def _finish(tracer: Tracer, call: Call, scope: Scope, record: int, values: Sequence[Operand]) -> None:
    tracer.records[record].outputs = unlisted(values[: len(call.node.output)])
    tracer.bind(call, scope, values)


def _graph(call: Call, name: str) -> Graph:
    found = call.attributes.get(name)
    if found is None or found.g is None:
        raise call.error(f"lacks the graph {name!r}")
    return found.g


def branches(tracer: Tracer, call: Call, scope: Scope) -> Job:
    """If: the branch that a known condition takes, else one of both if they do the same work."""
    condition = call.value(0).known()
    known = condition is not None and len(condition.items) == 1 and condition.items[0] is not None
    graphs = {name: _graph(call, name) for name in ("then_branch", "else_branch")}
    if condition is None or not known:
        yield _either(tracer, call, scope, graphs)
        return
    taken = "then_branch" if condition.items[0] else "else_branch"
    record = _container(tracer, call, scope)
    values = yield tracer.body(graphs[taken], _inside(call, scope, record, taken))
    _finish(tracer, call, scope, record, values)
    other = "else_branch" if taken == "then_branch" else "then_branch"
    yield _unread(tracer, call, other, graphs[other], _inside(call, scope, record, other))


def _attempt(tracer: Tracer, graph: Graph, inside: Scope, *, keep: bool = False) -> Job:
    """Follow a graph that may not run; return its values and its calls, taken back unless they are kept."""
    mark, before = len(tracer.records), tracer.recording.unknown.copy()
    tracer.lenient += 1
    values: list[Operand] = []
    with contextlib.suppress(ShapeError):
        values = yield tracer.body(graph, inside)
    tracer.lenient -= 1
    found = tracer.records[mark:]
    if not keep:
        del tracer.records[mark:]
        tracer.recording.unknown = before
    return values, found


def _unread(tracer: Tracer, call: Call, name: str, graph: Graph, inside: Scope) -> Job:
    """Keep the weights of a graph that does not run: its modules are never called.

    Once is enough: in a loop around it each turn would read the same nodes again.
    """
    if inside.key in tracer.unread:
        return
    tracer.unread.add(inside.key)
    _, found = yield _attempt(tracer, graph, inside)
    _keep(tracer, call, name, found)


def _keep(tracer: Tracer, call: Call, name: str, found: Sequence[Record]) -> None:
    for record in found:
        if record.parameters:
            record.name = f"{call.path}/{name}/{record.name}"
            tracer.uncalled.append(record)


def _either(tracer: Tracer, call: Call, scope: Scope, graphs: Mapping[str, Graph]) -> Job:
    """Read both branches, and keep the first if both do the same work.

    Each is read once, so that branches in branches take no longer than the file is long.
    """
    before, record = tracer.recording.unknown.copy(), _container(tracer, call, scope)
    mark, trials = len(tracer.records), {}
    for name, graph in graphs.items():
        inside = _inside(call, scope, record, name)
        trials[name] = yield _attempt(tracer, graph, inside, keep=name == "then_branch")
    works = {name: work(found) for name, (_, found) in trials.items()}
    first, second = works["then_branch"], works["else_branch"]
    values = _agreed([values for values, _ in trials.values()], len(call.node.output))
    _keep(tracer, call, "else_branch", trials["else_branch"][1])
    if first is not None and second is not None and _alike(first, second):
        _finish(tracer, call, scope, record, values)
        return
    del tracer.records[mark:]
    tracer.recording.unknown = before
    _keep(tracer, call, "then_branch", trials["then_branch"][1])
    shown = [f"{name.partition('_')[0]} {_macs(works[name])}" for name in works]
    problem = f"which branch runs depends on data: {', '.join(shown)}"
    _make_unknown(tracer, call, scope, record, problem, values)


def _macs(found: Mapping[str, Dim] | None) -> str:
    return "unknown" if found is None else f"{text(found['macs'])} MAC"


def _alike(a: Mapping[str, Dim], b: Mapping[str, Dim]) -> bool:
    return all(equal(a.get(name, 0), b.get(name, 0)) for name in {*a, *b})


def _agreed(both: Sequence[Sequence[Operand]], outputs: int) -> list[Operand]:
    """Return the outputs of two branches, a list as a list of what its members agree in."""
    found = []
    for i in range(outputs):
        values = [values[i] for values in both if i < len(values)]
        lists = [value.items for value in values if value.items is not None]
        flat = all(member.items is None for members in lists for member in members)
        if len(lists) == len(both) and flat and len({len(members) for members in lists}) == 1:
            found.append(list_of([_alike_in(members, len(both)) for members in zip(*lists, strict=True)]))
        else:
            found.append(_alike_in(values, len(both)))
    return found


def _alike_in(values: Sequence[Operand], branches: int) -> Operand:
    """Return one output of the branches, with a shape only where it is the same in all."""
    shapes = [value.shape for value in values]
    same = len(values) == branches and all(shape == shapes[0] for shape in shapes)
    reason = "" if same and shapes[0] is not None else "its shape depends on which branch runs"
    return Operand(shapes[0] if same else None, values[0].dtype if values else "float32", reason=reason)


def _unknown(
    tracer: Tracer, call: Call, scope: Scope, problem: str, values: Sequence[Operand] | None = None
) -> None:
    """Note a call down whose work depends on data."""
    _make_unknown(tracer, call, scope, _container(tracer, call, scope), problem, values)


def _make_unknown(  # noqa: PLR0913, PLR0917  (the parts of an unknown call)
    tracer: Tracer,
    call: Call,
    scope: Scope,
    record: int,
    problem: str,
    values: Sequence[Operand] | None,
) -> None:
    """Set on a recorded call why its work is unknown, and its outputs."""
    found = tracer.records[record]
    found.kind, found.problem = UNKNOWN, problem
    tracer.recording.unknown[found.source] += 1
    if values is None:
        reason = f"its input has no shape: {call.path!r} ({call.type}) above it is unknown"
        values = [Operand(tracer.declared(name, scope), reason=reason) for name in call.node.output]
    _finish(tracer, call, scope, record, values)


def loop(tracer: Tracer, call: Call, scope: Scope) -> Job:
    """Loop: the body as often as its count and condition determine, where both are known."""
    graph, carried = _graph(call, "body"), [call.value(i) for i in range(2, len(call.inputs))]
    most = _most_turns(call)
    size = max(tracer.budget.size(graph.node), 1)
    fits = most is None or tracer.budget.affords(most * size)
    if (call.has(0) and most is None) or len(graph.input) != 2 + len(carried) or not fits:
        yield _body_once(tracer, call, scope, graph, carried)
        return
    keep = call.value(1) if call.has(1) else _condition(known=True)
    mark, record = len(tracer.records), _container(tracer, call, scope)
    before, turn = tracer.recording.unknown.copy(), 0
    gathered: list[list[Operand]] = []
    while most is None or turn < most:
        array = keep.known()
        goes_on = array.items[0] if array is not None and len(array.items) == 1 else None
        if goes_on is None or not tracer.budget.affords(size):
            tracer.recording.unknown = before
            found = tracer.records[mark:]
            del tracer.records[mark:]
            _keep(tracer, call, "body", found if turn else [])
            yield _body_once(tracer, call, scope, graph, carried)
            return
        if not goes_on:
            break
        if not graph.node:
            tracer.budget.take()
        values = yield tracer.body(graph, _turn(call, scope, record, graph, [_whole(turn), keep, *carried]))
        keep, carried = values[0], values[1 : 1 + len(carried)]
        gathered.append(values[1 + len(carried) :])
        turn += 1
    _finish(
        tracer,
        call,
        scope,
        record,
        [*carried, *_stacked(gathered, turn, len(call.node.output) - len(carried))],
    )
    if not turn:
        inside = _turn(call, scope, record, graph, [_whole(0), keep, *carried])
        yield _unread(tracer, call, "body", graph, inside)


def _turn(call: Call, scope: Scope, record: int, graph: Graph, given: Sequence[Operand]) -> Scope:
    """Return the scope of one turn of a body, with the values that its inputs are given."""
    inside = _inside(call, scope, record, "body")
    inside.names.update(zip([info.name for info in graph.input], given, strict=True))
    return inside


def _most_turns(call: Call) -> int | None:
    """Return how often a loop runs at most, None where that is not known or not bounded."""
    trips = call.value(0).known() if call.has(0) else None
    found = trips.items[0] if trips is not None and len(trips.items) == 1 else None
    return found if isinstance(found, int) else None


def _whole(number: int) -> Operand:
    return Operand((), "int64", scalar(number))


def _condition(*, known: bool) -> Operand:
    return Operand((), "bool", scalar(known))


def _stacked(gathered: Sequence[Sequence[Operand]], turns: int, outputs: int) -> list[Operand]:
    """Return the values of each turn, one behind the other along a new first axis."""
    found = []
    for i in range(max(outputs, 0)):
        values = [values[i] for values in gathered if i < len(values)]
        shapes = [value.shape for value in values]
        same = bool(shapes) and shapes[0] is not None and all(shape == shapes[0] for shape in shapes)
        shape = (turns, *(shapes[0] or ())) if same else None
        reason = "" if same else "the outputs of a loop that never runs have no shape"
        found.append(Operand(shape, values[0].dtype if values else "float32", reason=reason))
    return found


def _body_once(tracer: Tracer, call: Call, scope: Scope, graph: Graph, carried: Sequence[Operand]) -> Job:
    """Note down a loop whose turns depend on data, with the work of one of them."""
    inside = _inside(call, scope, len(tracer.records), "body")
    given = [Operand((), "int64"), Operand((), "bool"), *carried]
    inside.names.update((info.name, value) for info, value in zip(graph.input, given, strict=False))
    for info in graph.input[len(given) :]:
        inside.names[info.name] = Operand(None, reason="it depends on a loop")
    values, found = yield _attempt(tracer, graph, inside)
    _keep(tracer, call, "body", found)
    most = _most_turns(call)
    turns = "how often its body runs depends on data"
    if most is not None and not tracer.budget.affords(most * max(tracer.budget.size(graph.node), 1)):
        turns = f"its body runs up to {most:,} times, more than are followed"
    problem = f"{turns}; once is {_macs(work(found))}"
    outputs = []
    for i in range(len(call.node.output)):
        before = carried[i] if i < len(carried) else None
        after = values[1 + i] if 1 + i < len(values) else None
        stays = before is not None and after is not None and before.shape == after.shape
        reason = "" if stays else f"its input has no shape: {call.path!r} (Loop) above it is unknown"
        dtype = before.dtype if before is not None else "float32"
        outputs.append(Operand(before.shape if stays and before is not None else None, dtype, reason=reason))
    _unknown(tracer, call, scope, problem, outputs)


def scan(tracer: Tracer, call: Call, scope: Scope) -> Job:
    """Scan: the body once for each slice of its inputs; before opset 9, in each row of a batch."""
    graph, count = _graph(call, "body"), call.whole("num_scan_inputs", 1)
    batched = call.opset < 9
    rows, given = _rows(call) if batched else (1, [call.value(i) for i in range(len(call.inputs))])
    states = len(given) - count
    turns, slices = _slices(call, given, max(states, 0))
    size = max(tracer.budget.size(graph.node), 1)
    runs = None if rows is None or turns is None else rows * turns
    many = runs is not None and not tracer.budget.affords(runs * size)
    if rows is None or turns is None or runs is None or many or states < 0 or len(graph.input) != len(given):
        _, found = yield _attempt(tracer, graph, _opened(call, scope, tracer, graph))
        _keep(tracer, call, "body", found)
        often = f"its body runs {runs:,} times, more than are followed" if many else ""
        _unknown(tracer, call, scope, often or "how often its body runs is not known")
        return
    record = _container(tracer, call, scope)
    carried, gathered = given[:states], list[list[Operand]]()
    for run in range(runs):
        if run % turns == 0:
            carried, gathered = given[:states], []
        with tracer.budget.reserve((runs - run - 1) * size):
            values = yield tracer.body(graph, _turn(call, scope, record, graph, [*carried, *slices]))
        carried = values[:states]
        gathered.append(values[states:])
    stacked = _stacked(gathered, turns if runs else 0, len(call.node.output) - states)
    axes = call.wholes("scan_output_axes") or ()
    for value, axis in zip(stacked, axes, strict=False):
        value.shape = _moved(value.shape, axis)
    made = [*carried, *stacked]
    if batched:
        made = [
            Operand(None if v.shape is None else (rows, *v.shape), v.dtype, reason=v.reason) for v in made
        ]
    _finish(tracer, call, scope, record, made)
    if not runs:
        inside = _turn(call, scope, record, graph, [*carried, *slices])
        yield _unread(tracer, call, "body", graph, inside)


def _rows(call: Call) -> tuple[int | None, list[Operand]]:
    """Return the rows of the batch of a Scan before opset 9, and one row of each value.

    Its first input has the length of each row's sequence, where they aren't all as long as the axis.
    """
    values = [call.value(i) for i in range(1, len(call.inputs))]
    rows = {value.shape[0] if value.shape else None for value in values}
    only = rows.pop() if len(rows) == 1 and not call.has(0) else None
    given = [Operand(value.shape[1:] if value.shape else None, value.dtype) for value in values]
    return only if isinstance(only, int) else None, given


def _moved(shape: Shape | None, axis: int) -> Shape | None:
    """Move the first axis of a shape to another place."""
    if shape is None:
        return None
    rest = list(shape[1:])
    rest.insert(axis % len(shape), shape[0])
    return tuple(rest)


def _slices(call: Call, given: Sequence[Operand], states: int) -> tuple[int | None, list[Operand]]:
    """Return how often a Scan's body runs, and the slice of each input that it reads at once."""
    axes = call.wholes("scan_input_axes") or (0,) * (len(given) - states)
    turns: set[Dim] = set()
    slices = []
    for value, axis in zip(given[states:], axes, strict=False):
        shape = value.shape
        if not shape:
            return None, []
        place = call.axis(axis, len(shape))
        turns.add(shape[place])
        slices.append(Operand((*shape[:place], *shape[place + 1 :]), value.dtype))
    only = turns.pop() if len(turns) == 1 else None
    return only if isinstance(only, int) else None, slices


def _opened(call: Call, scope: Scope, tracer: Tracer, graph: Graph) -> Scope:
    inside = _inside(call, scope, len(tracer.records), "body")
    for info in graph.input:
        inside.names[info.name] = Operand(None, reason="it depends on a loop")
    return inside


def called(tracer: Tracer, function: Function, call: Call, scope: Scope) -> Job:
    """A function of the file: its nodes, within the call."""
    record = _container(tracer, call, scope)
    attributes: dict[str, Any] = {each.name: each for each in function.attribute_proto}
    opsets = opsets_of(function.opset_import)
    inside = Scope(
        (scope.key, id(call.node)), {**scope.opsets, **opsets},
        attributes={**attributes, **call.attributes}, parent=record, prefix=f"{call.path}/",
    )  # fmt: skip
    if len(call.inputs) > len(function.input):
        raise call.error(f"has {len(call.inputs)} inputs, the function takes {len(function.input)}")
    for name, value in zip(function.input, call.inputs, strict=False):
        if value is not None:
            inside.names[name] = value
    values = yield tracer.function(function, inside)
    _finish(tracer, call, scope, record, values)


JOBS: Mapping[str, Callable[[Tracer, Call, Scope], Job]] = {"If": branches, "Loop": loop, "Scan": scan}
