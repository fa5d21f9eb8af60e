"""Follows a graph node by node: shapes, known elements, weights. Nothing is run, and nothing recurses.

Graphs in nodes and functions of the file are read by jobs, generators that hand over the job that they
wait for, so that how deep a file nests them costs no stack; see :meth:`Tracer.run`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    CONTAINER,
    UNKNOWN,
    FlopledgerError,
    ShapeError,
    SourceError,
    is_symbolic,
    nearest,
)

from flopledger_onnx import control
from flopledger_onnx.node import Call, Unshaped
from flopledger_onnx.records import Record, shapes_by_rule
from flopledger_onnx.scopes import scopes_of
from flopledger_onnx.spelling import Readers, spelled
from flopledger_onnx.tables.layers import CONTROL, STANDARD, TABLE, source_name
from flopledger_onnx.tables.row import Passed, Step
from flopledger_onnx.values import Value, constant, sparse_constant
from flopledger_onnx.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Dim, Shape

    from flopledger_onnx.names import Job, Scope
    from flopledger_onnx.tables.row import Part, Row
    from flopledger_onnx.wire.messages import Attribute, Function, Graph, Model, Node
    from flopledger_onnx.wire.parse import Parser

DEEPEST = 100
"""The maximum nesting of graphs and functions; files of exporters have at most about ten."""
MOST_CALLS = 15_000
MOST_CALLS_PER_NODE = 4
"""The maximum number of calls of a file, plus this number for each of its nodes: functions that call each
other twice, and loops in loops, grow without end. A block of a language model is a function that is called
some dozens of times."""


class Tracer:
    """The calls of one model, in order."""

    def __init__(self, parser: Parser, model: Model, *, overridden: bool = False) -> None:
        self.parser, self.model, self.overridden = parser, model, overridden
        self.records: list[Record] = []
        self.uncalled: list[Record] = []
        self.weights = Weights()
        self.readers = Readers()
        self.notes: list[str] = []
        self.unknown: Counter[str] = Counter()
        self.lenient = 0
        self.calls = 0
        self.most_calls = MOST_CALLS + MOST_CALLS_PER_NODE * _nodes(model)
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
                    raise SourceError(f"graphs and functions lie more than {DEEPEST} deep in each other")
                waiting.append(below)
                result, error = None, None
        if error is not None:
            raise error
        return result

    def affords(self, calls: int) -> bool:
        """Return whether this number of further calls may be followed."""
        return self.calls + calls <= self.most_calls

    def body(self, graph: Graph, scope: Scope) -> Job:
        """Follow a graph; return the values of its outputs."""
        self.constants(graph, scope)
        yield from self._nodes(graph.node, scope)
        return [self.read(output.name, scope, "the graph's output") for output in graph.output]

    def constants(self, graph: Graph, scope: Scope) -> None:
        """Make a graph's initializers known."""
        for tensor in graph.initializer:
            scope.names[tensor.name] = constant(self.parser, tensor, tensor.name, scope.key)
        for sparse in graph.sparse_initializer:
            if sparse.values is not None:
                scope.names[sparse.values.name] = sparse_constant(sparse, sparse.values.name, scope.key)
        scope.declared = control.declared(graph)

    def function(self, called: Function, scope: Scope) -> Job:
        """Follow a function; return the values of its outputs."""
        yield from self._nodes(called.node, scope)
        return [self.read(name, scope, f"the function {called.name!r}'s output") for name in called.output]

    def _nodes(self, nodes: Sequence[Node], scope: Scope) -> Job:
        for number, node in enumerate(nodes):
            self.calls += 1
            if self.calls > self.most_calls:
                raise SourceError(
                    f"it stands for more than {self.most_calls:,} calls: its functions or loops are too many"
                )
            name = node.name or next(filter(None, node.output), "") or f"{node.op_type}_{number}"
            call = self._call(node, scope, name)
            domain = "" if node.domain in STANDARD else node.domain
            called = self.functions.get((node.domain, node.op_type, node.overload)) if node.domain else None
            if node.op_type in CONTROL and not domain:
                yield control.JOBS[node.op_type](self, call, scope)
            elif called is not None and domain:
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
        opset = scope.opsets.get(domain, 1)
        return Call(node, attributes, inputs, opset=opset, path=path, scope=scope.key, parser=self.parser)

    def read(self, name: str, scope: Scope, reader: str) -> Value:
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
        try:
            step = self._step(call, source, row)
        except ShapeError as error:
            if not self.lenient and not _has_symbols(call):
                raise
            step = _unknown(call, str(error))
        except Unshaped as error:
            step = _unknown(call, str(error))
        if isinstance(step, Passed):
            self.bind(call, scope, step.values)
            return
        carried = step.constant and _constants(call, row) is not None
        parameters = () if carried else self.weights.used(call, row)
        self._note(call, scope, source, row, step, parameters)

    def _step(self, call: Call, source: str, row: Row | None) -> Step | Passed:
        if row is None:
            return _unknown(call, f"no formula for {source}")
        step = row.rule(call)
        if isinstance(step, Passed) or step.kind in (CONTAINER, UNKNOWN) or step.shapes is not None:
            return step
        operands = _operand_shapes(call, step)
        shapes = shapes_by_rule(step.kind, step.attrs, operands, f"the node {call.path!r} ({call.type})")
        return _with_shapes(step, shapes)

    def _note(  # noqa: PLR0913, PLR0917  (what a call is)
        self,
        call: Call,
        scope: Scope,
        source: str,
        row: Row | None,
        step: Step,
        parameters: tuple[tuple[str, int], ...],
    ) -> None:
        """Note a call down and make its outputs known."""
        outputs = self._outputs(call, scope, row, step)
        inputs = self._inputs(call, step)
        native = spelled(call)
        constants = self.readers.read(call, source)
        if constants:
            native["constants"] = constants
        if scope.parent is not None:
            native["nested"] = True
        record = Record(
            _own_name(call, scope), step.kind, source, step.attrs, inputs, outputs,
            key=(scope.key, id(call.node)), scopes=scopes_of(call.node), parent=scope.parent,
            parameters=parameters, native=native, problem=step.problem,
        )  # fmt: skip
        if step.kind == UNKNOWN:
            self.unknown[source] += 1
        number = len(self.records)
        self.records.append(record)
        if step.parts:
            self._parts(number, record, step.parts)
        self.bind(call, scope, outputs)

    def _inputs(self, call: Call, step: Step) -> list[Value]:
        if step.operands is None:
            return [value for value in call.inputs if value is not None]
        inputs: list[Value] = []
        for operand in step.operands:
            if isinstance(operand, int):
                inputs.append(call.value(operand))
            else:
                first = call.value(0)
                inputs.append(Value(operand, first.dtype, owner=first))
        return inputs

    def _outputs(self, call: Call, scope: Scope, row: Row | None, step: Step) -> list[Value]:
        shapes = list(step.shapes or ())
        first = next((value for value in call.inputs if value is not None), None)
        default = "float32" if first is None else first.dtype
        made = _constants(call, row) or ()
        outputs: list[Value] = []
        for i in range(len(call.node.output)):
            shape = shapes[i] if i < len(shapes) else None
            reason = "" if shape is not None else _reason(call, step)
            if shape is None and step.kind == UNKNOWN:
                shape = self.declared(call.node.output[i], scope)
            outputs.append(
                Value(
                    shape,
                    step.dtypes[i] if i < len(step.dtypes) else default,
                    step.arrays[i] if i < len(step.arrays) else None,
                    made,
                    owner=first if step.alias and i == 0 else None,
                    reason=reason,
                    items=None if step.members is None else tuple(step.members),
                )
            )
        return outputs

    def declared(self, name: str, scope: Scope) -> Shape | None:
        """Return the shape that the file states of a value, if other input sizes leave it as it is."""
        sizes = scope.declared.get(name)
        if sizes is None or self.overridden:
            return None
        known = [size if isinstance(size, int) else self.symbols.get(size) for size in sizes]
        found = tuple(size for size in known if size is not None)
        return found if len(found) == len(sizes) else None

    def _parts(self, parent: int, container: Record, parts: Sequence[Part]) -> None:
        """Record the computations of an operator that does several, each with its own inputs."""
        before = [value for value in container.inputs if value.shape is not None]
        for part in parts:
            inputs = []
            for shape in part.inputs:
                fitting = next((v for v in reversed(before) if v.shape == shape and v not in inputs), None)
                inputs.append(fitting or Value(shape, owner=before[0] if before else None))
            made = part.outputs or shapes_by_rule(part.kind, part.attrs, part.inputs, container.name)
            outputs = [Value(shape) for shape in made]
            before += outputs
            record = Record(
                part.name, part.kind, container.source, part.attrs, inputs, outputs,
                key=container.key, parent=parent, level="function",
            )  # fmt: skip
            self.records.append(record)
        if container.outputs and outputs and container.outputs[0].shape is not None:
            container.outputs[0].owner = outputs[0]

    def bind(self, call: Call, scope: Scope, values: Sequence[Value]) -> None:
        """Give a node's outputs their names."""
        for name, value in zip(call.node.output, values, strict=False):
            if name:
                scope.names[name] = value


def _own_name(call: Call, scope: Scope) -> str:
    return call.path[len(scope.prefix) :]


def _unknown(call: Call, problem: str) -> Step:
    return Step(UNKNOWN, shapes=[None] * max(call.outputs, 1), problem=problem)


def _reason(call: Call, step: Step) -> str:
    above = next((v.reason for v in call.inputs if v is not None and v.reason), "")
    return above or f"its input has no shape: {call.path!r} ({call.type}) above it is unknown" * bool(
        step.problem
    )


def _has_symbols(call: Call) -> bool:
    shapes = (value.shape for value in call.inputs if value is not None and value.shape is not None)
    return any(is_symbolic(size) for shape in shapes for size in shape)


def _constants(call: Call, row: Row | None) -> tuple[Any, ...] | None:
    """Return the constants that are a node's only data, or None where it reads anything else."""
    arguments = row.arguments if row is not None else frozenset()
    data = [v for i, v in enumerate(call.inputs) if v is not None and i not in arguments]
    if not data or not all(value.constants for value in data):
        return None
    return tuple(dict.fromkeys(constant for value in data for constant in value.constants))


def _operand_shapes(call: Call, step: Step) -> list[Shape]:
    if step.operands is None:
        return call.shapes()
    return [call.shape(o) if isinstance(o, int) else o for o in step.operands]


def _with_shapes(step: Step, shapes: Sequence[Shape]) -> Step:
    return Step(
        step.kind, step.attrs, step.operands, [*shapes, *step.more], (), step.dtypes, step.arrays,
        step.alias, step.parts, step.constant, step.members, step.problem,
    )  # fmt: skip


def _nodes(model: Model) -> int:
    """Return how many nodes a file has, those of graphs in nodes and of functions included."""
    graphs: list[Sequence[Node]] = [function.node for function in model.functions]
    if model.graph is not None:
        graphs.append(model.graph.node)
    count = 0
    while graphs:
        nodes = graphs.pop()
        count += len(nodes)
        for node in nodes:
            for attribute in node.attribute:
                graphs += (graph.node for graph in (attribute.g, *attribute.graphs) if graph is not None)
    return count
