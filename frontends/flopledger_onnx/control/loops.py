"""Loop and Scan: a body as often as a known count, and its inputs each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Operand, scalar, shown_work, work

from flopledger_onnx.control.containers import (
    attempt,
    container,
    finish,
    graph_of,
    keep_unread,
    keep_weights,
    note_unknown,
    scope_inside,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Dim, Shape

    from flopledger_onnx.control.containers import Tracer
    from flopledger_onnx.names import Job, Scope
    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Graph


def loop(tracer: Tracer, call: Call, scope: Scope) -> Job:
    """Loop: the body as often as its count and condition determine, where both are known."""
    graph, carried = graph_of(call, "body"), [call.value(i) for i in range(2, len(call.inputs))]
    most = _most_turns(call)
    size = max(tracer.budget.size(graph.node), 1)
    fits = most is None or tracer.budget.affords(most * size)
    if (call.has(0) and most is None) or len(graph.input) != 2 + len(carried) or not fits:
        yield _body_once(tracer, call, scope, graph, carried)
        return
    keep = call.value(1) if call.has(1) else _condition(known=True)
    mark, record = len(tracer.records), container(tracer, call, scope)
    before, turn = tracer.recording.unknown.copy(), 0
    gathered: list[list[Operand]] = []
    while most is None or turn < most:
        array = keep.known()
        goes_on = array.items[0] if array is not None and len(array.items) == 1 else None
        if goes_on is None or not tracer.budget.affords(size):
            tracer.recording.unknown = before
            found = tracer.records[mark:]
            del tracer.records[mark:]
            keep_weights(tracer, call, "body", found if turn else [])
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
    finish(
        tracer,
        call,
        scope,
        record,
        [*carried, *_stacked(gathered, turn, len(call.node.output) - len(carried))],
    )
    if not turn:
        inside = _turn(call, scope, record, graph, [_whole(0), keep, *carried])
        yield keep_unread(tracer, call, "body", graph, inside)


def _turn(call: Call, scope: Scope, record: int, graph: Graph, given: Sequence[Operand]) -> Scope:
    """Return the scope of one turn of a body, with the values that its inputs are given."""
    inside = scope_inside(call, scope, record, "body")
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
    inside = scope_inside(call, scope, len(tracer.records), "body")
    given = [Operand((), "int64"), Operand((), "bool"), *carried]
    inside.names.update((info.name, value) for info, value in zip(graph.input, given, strict=False))
    for info in graph.input[len(given) :]:
        inside.names[info.name] = Operand(None, reason="it depends on a loop")
    values, found = yield attempt(tracer, graph, inside)
    keep_weights(tracer, call, "body", found)
    most = _most_turns(call)
    turns = "how often its body runs depends on data"
    if most is not None and not tracer.budget.affords(most * max(tracer.budget.size(graph.node), 1)):
        turns = f"its body runs up to {most:,} times, more than are followed"
    problem = f"{turns}; once is {shown_work(work(found))}"
    outputs = []
    for i in range(len(call.node.output)):
        before = carried[i] if i < len(carried) else None
        after = values[1 + i] if 1 + i < len(values) else None
        stays = before is not None and after is not None and before.shape == after.shape
        reason = "" if stays else f"its input has no shape: {call.path!r} (Loop) above it is unknown"
        dtype = before.dtype if before is not None else "float32"
        outputs.append(Operand(before.shape if stays and before is not None else None, dtype, reason=reason))
    note_unknown(tracer, call, scope, problem, outputs)


def scan(tracer: Tracer, call: Call, scope: Scope) -> Job:
    """Scan: the body once for each slice of its inputs; before opset 9, in each row of a batch."""
    graph, count = graph_of(call, "body"), call.whole("num_scan_inputs", 1)
    batched = call.opset < 9
    rows, given = _rows(call) if batched else (1, [call.value(i) for i in range(len(call.inputs))])
    states = len(given) - count
    turns, slices = _slices(call, given, max(states, 0))
    size = max(tracer.budget.size(graph.node), 1)
    runs = None if rows is None or turns is None else rows * turns
    many = runs is not None and not tracer.budget.affords(runs * size)
    if rows is None or turns is None or runs is None or many or states < 0 or len(graph.input) != len(given):
        _, found = yield attempt(tracer, graph, _opened(call, scope, tracer, graph))
        keep_weights(tracer, call, "body", found)
        often = f"its body runs {runs:,} times, more than are followed" if many else ""
        note_unknown(tracer, call, scope, often or "how often its body runs is not known")
        return
    record = container(tracer, call, scope)
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
    finish(tracer, call, scope, record, made)
    if not runs:
        inside = _turn(call, scope, record, graph, [*carried, *slices])
        yield keep_unread(tracer, call, "body", graph, inside)


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
    inside = scope_inside(call, scope, len(tracer.records), "body")
    for info in graph.input:
        inside.names[info.name] = Operand(None, reason="it depends on a loop")
    return inside
