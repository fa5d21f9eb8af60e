"""If: the branch that a known condition takes, else one of both if they do the same work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Operand, list_of, same_work, shown_work, work

from flopledger_onnx.control.containers import (
    attempt,
    container,
    finish,
    graph_of,
    keep_unread,
    keep_weights,
    make_unknown,
    scope_inside,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger_onnx.control.containers import Tracer
    from flopledger_onnx.names import Job, Scope
    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Graph


def branches(tracer: Tracer, call: Call, scope: Scope) -> Job:
    """If: the branch that a known condition takes, else one of both if they do the same work."""
    condition = call.value(0).known()
    known = condition is not None and len(condition.items) == 1 and condition.items[0] is not None
    graphs = {name: graph_of(call, name) for name in ("then_branch", "else_branch")}
    if condition is None or not known:
        yield _either(tracer, call, scope, graphs)
        return
    taken = "then_branch" if condition.items[0] else "else_branch"
    record = container(tracer, call, scope)
    values = yield tracer.body(graphs[taken], scope_inside(call, scope, record, taken))
    finish(tracer, call, scope, record, values)
    other = "else_branch" if taken == "then_branch" else "then_branch"
    yield keep_unread(tracer, call, other, graphs[other], scope_inside(call, scope, record, other))


def _either(tracer: Tracer, call: Call, scope: Scope, graphs: Mapping[str, Graph]) -> Job:
    """Read both branches, and keep the first if both do the same work.

    Each is read once, so that branches in branches take no longer than the file is long.
    """
    before, record = tracer.recording.unknown.copy(), container(tracer, call, scope)
    mark, trials = len(tracer.records), {}
    for name, graph in graphs.items():
        inside = scope_inside(call, scope, record, name)
        trials[name] = yield attempt(tracer, graph, inside, keep=name == "then_branch")
    works = {name: work(found) for name, (_, found) in trials.items()}
    first, second = works["then_branch"], works["else_branch"]
    values = _agreed([values for values, _ in trials.values()], len(call.node.output))
    keep_weights(tracer, call, "else_branch", trials["else_branch"][1])
    if first is not None and second is not None and same_work(first, second):
        finish(tracer, call, scope, record, values)
        return
    del tracer.records[mark:]
    tracer.recording.unknown = before
    keep_weights(tracer, call, "then_branch", trials["then_branch"][1])
    shown = [f"{name.partition('_')[0]} {shown_work(works[name])}" for name in works]
    problem = f"which branch runs depends on data: {', '.join(shown)}"
    make_unknown(tracer, call, scope, record, problem, values)


def _agreed(both: Sequence[Sequence[Operand]], outputs: int) -> list[Operand]:
    """Return the outputs of two branches, a list by its members."""
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
