"""Follows a graph node by node: shapes, known elements, weights. Nothing is run, and nothing recurses.

Graphs in nodes and functions of the file are read by jobs, generators that hand over the job that they
wait for, so that how deep a file nests them costs no stack; see :meth:`Tracer.run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    FlopledgerError,
    Operand,
    Passed,
    Record,
    Recording,
    SourceError,
    Weights,
    constants_of,
    inputs_of,
    list_of,
    nearest,
    outputs_of,
    step_of,
)

from flopledger_onnx import control
from flopledger_onnx.budget import DEEPEST, Budget
from flopledger_onnx.node import Call
from flopledger_onnx.placeholders import Placeholders
from flopledger_onnx.scopes import scopes_of
from flopledger_onnx.spelling import Readers, spelled
from flopledger_onnx.tables import classical
from flopledger_onnx.tables.layers import CLASSICAL, CONTROL, PLACES, STANDARD, TABLE, source_name
from flopledger_onnx.values import constant, sparse_constant

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from flopledger.frontend import Dim, Row, Shape, Step

    from flopledger_onnx.names import Job, Scope
    from flopledger_onnx.wire.messages import Attribute, Function, Graph, Model, Node
    from flopledger_onnx.wire.parse import Parser


class Tracer:
    """The calls of one model, in order."""

    def __init__(self, parser: Parser, model: Model, *, overridden: bool = False) -> None:
        self.parser, self.model, self.overridden = parser, model, overridden
        self.recording = Recording()
        self.records = self.recording.records
        self.uncalled: list[Record] = []
        self.unread: set[Hashable] = set()
        self.weights, self.placeholders = Weights(PLACES), Placeholders()
        self.readers = Readers()
        self.lenient = 0
        self.budget = Budget(model)
        self.functions = {(f.domain, f.name, f.overload): f for f in model.functions}
        self.symbols: dict[str, Dim] = {}

    def run(self, job: Job) -> Any:
        """Run a job and all jobs that it waits for, and return its result.

        The errors of one are raised in the one that waits for it.
        """
        waiting: list[Job] = [job]
        result: object = None
        error: Exception | None = None
        while waiting:
            try:
                below = waiting[-1].send(result) if error is None else waiting[-1].throw(error)
            except StopIteration as done:
                waiting.pop()
                result, error = done.value, None
            except FlopledgerError as raised:
                waiting.pop()
                result, error = None, raised
            else:
                if len(waiting) >= DEEPEST:
                    raise SourceError(f"graphs and functions are nested more than {DEEPEST} deep")
                waiting.append(below)
                result, error = None, None
        if error is not None:
            raise error
        return result

    def body(self, graph: Graph, scope: Scope) -> Job:
        """Follow a graph; return the values of its outputs."""
        self.constants(graph, scope)
        yield from self._nodes(graph.node, scope)
        return [self.read(output.name, scope, "the graph's output") for output in graph.output]

    def constants(self, graph: Graph, scope: Scope) -> None:
        """Make a graph's initializers known."""
        for tensor in graph.initializer:
            scope.names[tensor.name] = constant(self.parser, tensor, tensor.name)
        for sparse in graph.sparse_initializer:
            if sparse.values is not None:
                scope.names[sparse.values.name] = sparse_constant(self.parser, sparse, sparse.values.name)
        scope.declared = control.declared(graph)

    def function(self, called: Function, scope: Scope) -> Job:
        """Follow a function; return the values of its outputs."""
        yield from self._nodes(called.node, scope)
        return [self.read(name, scope, f"the function {called.name!r}'s output") for name in called.output]

    def _nodes(self, nodes: Sequence[Node], scope: Scope) -> Job:
        to_come = self.budget.size(nodes)
        for number, node in enumerate(nodes):
            self.budget.take()
            to_come -= 1 + self.budget.inside(node)
            name = node.name or next(filter(None, node.output), "") or f"{node.op_type}_{number}"
            call = self._call(node, scope, name)
            domain = "" if node.domain in STANDARD else node.domain
            called = self.functions.get((node.domain, node.op_type, node.overload)) if node.domain else None
            if node.op_type in CONTROL and not domain:
                # Its graphs stay reserved: one of them may be read a last time when a loop has run too long.
                with self.budget.reserve(to_come + self.budget.inside(node)):
                    yield control.JOBS[node.op_type](self, call, scope)
            elif called is not None and domain:
                with self.budget.reserve(to_come):
                    yield control.called(self, called, call, scope)
            else:
                self.apply(call, scope)

    def _call(self, node: Node, scope: Scope, name: str) -> Call:
        path = f"{scope.prefix}{name}"
        domain = "" if node.domain in STANDARD else node.domain
        attributes = {}
        for attribute in node.attribute:
            found: Attribute | None = attribute
            if attribute.ref_attr_name:
                found = scope.attributes.get(attribute.ref_attr_name)
            if found is not None:
                attributes[attribute.name] = found
        inputs = [
            self.read(each, scope, f"the node {path!r} ({node.op_type})") if each else None
            for each in node.input
        ]
        if domain == CLASSICAL:
            inputs += classical.stored(node.op_type, attributes, path)
        opset = scope.opsets.get(domain, 1)
        return Call(node, attributes, inputs, opset=opset, path=path, parser=self.parser)

    def read(self, name: str, scope: Scope, reader: str) -> Operand:
        """Return the value of a name.

        Raises:
            SourceError: Nothing gives it before it is read.
        """
        value = scope.find(name)
        if value is None:
            raise SourceError(
                f"{reader} reads {name!r}, which no input, constant or earlier node gives"
                f"{nearest(name, scope.names)}"
            )
        return value

    def apply(self, call: Call, scope: Scope) -> None:
        """Follow a node of an operator."""
        source = source_name(call.node.domain, call.type)
        row = TABLE.get(source)
        step = step_of(call, source, row, lenient=bool(self.lenient))
        if isinstance(step, Passed):
            self.bind(call, scope, step.values)
            return
        carried = step.constant and constants_of(call, row) is not None
        used = row if carried else self.placeholders.row(call, source, row)
        parameters = () if carried else self.weights.used(call.type, call.inputs, used)
        self._note(call, scope, source, row, step, parameters)

    def _note(  # noqa: PLR0913, PLR0917  (the parts of a call)
        self,
        call: Call,
        scope: Scope,
        source: str,
        row: Row[Call] | None,
        step: Step,
        parameters: tuple[tuple[str, int], ...],
    ) -> None:
        """Note a call down and make its outputs known."""
        stated = {i: self.declared(name, scope) for i, name in enumerate(call.node.output)}
        outputs = outputs_of(call, row, step, len(call.node.output), stated)
        inputs = inputs_of(call, step)
        native = {**spelled(call), **self.readers.read(call, source)}
        if scope.parent is not None:
            native["nested"] = True
        record = Record(
            _own_name(call, scope), step.kind, source, step.attrs, inputs, outputs,
            key=(scope.key, id(call.node)), scopes=scopes_of(call.node), parent=scope.parent,
            parameters=parameters, native=native, problem=step.problem,
        )  # fmt: skip
        self.recording.add(record, step.parts)
        self.bind(call, scope, [list_of(outputs)] if step.listed else outputs)

    def declared(self, name: str, scope: Scope) -> Shape | None:
        """Return the shape that the file states of a value, if other input sizes leave it as it is."""
        sizes = scope.declared.get(name)
        if sizes is None or self.overridden:
            return None
        known = [size if isinstance(size, int) else self.symbols.get(size) for size in sizes]
        found = tuple(size for size in known if size is not None)
        return found if len(found) == len(sizes) else None

    def bind(self, call: Call, scope: Scope, values: Sequence[Operand]) -> None:
        """Give a node's outputs their names."""
        self.readers.made(call, values)
        for name, value in zip(call.node.output, values, strict=False):
            if name:
                scope.names[name] = value


def _own_name(call: Call, scope: Scope) -> str:
    return call.path[len(scope.prefix) :]
