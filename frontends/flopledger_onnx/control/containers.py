"""Operators that hold graphs: the call around a graph's calls, and graphs that may not run."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from flopledger.frontend import CONTAINER, UNKNOWN, Operand, Record, ShapeError, unlisted, with_weights

from flopledger_onnx.names import Scope, opsets_of
from flopledger_onnx.scopes import scopes_of
from flopledger_onnx.spelling import spelled
from flopledger_onnx.tables.layers import source_name

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from flopledger.frontend import Recording, Shape

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


def container(tracer: Tracer, call: Call, scope: Scope) -> int:
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


def scope_inside(call: Call, scope: Scope, parent: int, name: str) -> Scope:
    """Return the scope of a graph in a node."""
    return Scope(
        (scope.key, id(call.node), name), scope.opsets, scope, attributes=scope.attributes, parent=parent,
        prefix=f"{call.path}/",
    )  # fmt: skip


def finish(tracer: Tracer, call: Call, scope: Scope, record: int, values: Sequence[Operand]) -> None:
    """Set the outputs of a call whose graph is followed, and name them."""
    tracer.records[record].outputs = unlisted(values[: len(call.node.output)])
    tracer.bind(call, scope, values)


def graph_of(call: Call, name: str) -> Graph:
    """Return a graph that a node holds, by the name of its attribute."""
    found = call.attributes.get(name)
    if found is None or found.g is None:
        raise call.error(f"lacks the graph {name!r}")
    return found.g


def called(tracer: Tracer, function: Function, call: Call, scope: Scope) -> Job:
    """A function of the file: its nodes, within the call."""
    record = container(tracer, call, scope)
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
    finish(tracer, call, scope, record, values)


def attempt(tracer: Tracer, graph: Graph, inside: Scope, *, keep: bool = False) -> Job:
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


def keep_unread(tracer: Tracer, call: Call, name: str, graph: Graph, inside: Scope) -> Job:
    """Keep the weights of a graph that does not run: its modules are never called.

    Once is enough: in a loop around it each turn would read the same nodes again.
    """
    if inside.key in tracer.unread:
        return
    tracer.unread.add(inside.key)
    _, found = yield attempt(tracer, graph, inside)
    keep_weights(tracer, call, name, found)


def keep_weights(tracer: Tracer, call: Call, name: str, found: Sequence[Record]) -> None:
    """Keep of calls that are not made those that hold weights, under the name of their graph."""
    tracer.uncalled += with_weights(found, f"{call.path}/{name}")


def note_unknown(
    tracer: Tracer, call: Call, scope: Scope, problem: str, values: Sequence[Operand] | None = None
) -> None:
    """Note a call down whose work depends on data."""
    make_unknown(tracer, call, scope, container(tracer, call, scope), problem, values)


def make_unknown(  # noqa: PLR0913, PLR0917  (the parts of an unknown call)
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
    finish(tracer, call, scope, record, values)
