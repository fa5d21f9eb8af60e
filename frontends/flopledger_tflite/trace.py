"""Follows a graph operator by operator: shapes, known elements, weights. Nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    UNKNOWN,
    Constant,
    Operand,
    Passed,
    Record,
    Recording,
    SourceError,
    Weights,
    constants_of,
    inputs_of,
    outputs_of,
    step_of,
)

from flopledger_tflite import control
from flopledger_tflite.flat.tensors import values_of
from flopledger_tflite.names import name_of_activation, name_of_call, root_of, scopes_of
from flopledger_tflite.node import Call
from flopledger_tflite.tables.elements import FUSED
from flopledger_tflite.tables.layers import PLACES, TABLE
from flopledger_tflite.tables.operators import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Array, Row, Step
    from flopledger.frontend import Value as AttrValue

    from flopledger_tflite.flat.buffer import Flat
    from flopledger_tflite.flat.model import Graph, Model, Operator, Tensor

DEEPEST = 20
"""The most graphs in each other; converters write a loop in a loop, and one in a function."""
MOST_CALLS = 15_000
MOST_CALLS_PER_OPERATOR = 4
"""The most calls of a file, and further ones for each of its operators: loops in loops grow without end."""


class Tracer:
    """The calls of one model, in order."""

    def __init__(self, flat: Flat, model: Model, *, overridden: bool) -> None:
        self.flat, self.model, self.overridden = flat, model, overridden
        self.recording = Recording()
        self.records = self.recording.records
        self.uncalled: list[Record] = []
        self.weights = Weights(PLACES)
        self.calls = self.depth = self.lenient = 0
        self.root = root_of(model.graphs[0])
        operators = sum(len(graph.operators) for graph in model.graphs)
        self.most_calls = MOST_CALLS + MOST_CALLS_PER_OPERATOR * operators
        self._constants: dict[tuple[int, int], Operand] = {}

    def affords(self, calls: int) -> bool:
        """Return whether this number of further calls may be followed."""
        return self.calls + calls <= self.most_calls

    def graph(self, index: int) -> Graph:
        """Return one of the file's graphs."""
        if not 0 <= index < len(self.model.graphs):
            raise SourceError(f"an operator names the graph {index}, the file has {len(self.model.graphs)}")
        return self.model.graphs[index]

    def body(
        self, index: int, inputs: Sequence[Operand], parent: int | None = None, prefix: str = ""
    ) -> list[Operand]:
        """Follow a graph; return the values of its outputs."""
        graph = self.graph(index)
        if len(inputs) != len(graph.inputs):
            raise SourceError(f"the graph {index} has {len(graph.inputs)} inputs, {len(inputs)} are given")
        if self.depth >= DEEPEST:
            raise SourceError(f"graphs are more than {DEEPEST} deep in each other")
        self.depth += 1
        values = dict(zip(graph.inputs, inputs, strict=True))
        for number, operator in enumerate(graph.operators):
            self.calls += 1
            if self.calls > self.most_calls:
                raise SourceError(f"it has more than {self.most_calls:,} calls: its loops are too long")
            self._operator(index, number, operator, values, parent, prefix)
        self.depth -= 1
        return [self._read(index, i, values, "an output of the graph") for i in graph.outputs]

    def _operator(  # noqa: PLR0913, PLR0917  (an operator, and where it is)
        self,
        index: int,
        number: int,
        operator: Operator,
        values: dict[int, Operand],
        parent: int | None,
        prefix: str,
    ) -> None:
        graph = self.model.graphs[index]
        type_ = name_of(operator.code, operator.custom)
        name = name_of_call(graph, operator, type_, number, self.root)
        inputs = [
            None if i == -1 else self._read(index, i, values, f"the operator {prefix}{name} ({type_})")
            for i in operator.inputs
        ]
        call = Call(
            self.model, graph, operator, inputs,
            type_=type_, path=f"{prefix}{name}", overridden=self.overridden,
        )  # fmt: skip
        record = Record(
            name, UNKNOWN, type_, {}, [value for value in inputs if value is not None], (),
            key=(index, number), scopes=scopes_of(name), parent=parent, native=_native(call),
        )  # fmt: skip
        held = control.JOBS.get(type_)
        outputs = self._apply(call, record) if held is None else held(self, call, record)
        for i, value in zip(operator.outputs, outputs, strict=False):
            value.dtype = graph.tensors[i].dtype
            values[i] = value

    def _apply(self, call: Call, record: Record) -> Sequence[Operand]:
        """Follow an operator of the table; return its outputs."""
        row = TABLE.get(call.type)
        step = step_of(call, call.type, row, lenient=bool(self.lenient))
        if isinstance(step, Passed):
            return step.values
        self._fill(call, record, step, row)
        self.recording.add(record, step.parts)
        fused = call.whole("fused")
        if fused in FUSED and record.outputs:
            return [self._activation(call, record, fused), *record.outputs[1:]]
        return record.outputs

    def _fill(self, call: Call, record: Record, step: Step, row: Row[Call] | None) -> None:
        """Complete a record by the computation of its operator."""
        carried = step.constant and constants_of(call, row) is not None
        record.kind, record.attrs, record.problem = step.kind, step.attrs, step.problem
        record.inputs = inputs_of(call, step)
        record.parameters = () if carried else self.weights.used(call.type, call.inputs, row)
        stated = dict(enumerate(call.stated))
        record.outputs = outputs_of(call, row, step, len(call.operator.outputs), stated)

    def _activation(self, call: Call, record: Record, fused: int) -> Operand:
        """Record the activation at an operator's end, a call of its own as in the network's source."""
        source, kind = FUSED[fused]
        before = record.outputs[0]
        after = Operand(before.shape, before.dtype, reason=before.reason)
        name = name_of_activation(call.graph, call.operator, fused, record.name, self.root)
        kind, problem = (kind, "") if before.shape is not None else (UNKNOWN, before.reason)
        self.recording.add(
            Record(
                name, kind, source, {}, [before], [after], key=(record.key, source),
                scopes=scopes_of(name), parent=record.parent, problem=problem,
            )
        )  # fmt: skip
        return after

    def _read(self, index: int, number: int, values: dict[int, Operand], reader: str) -> Operand:
        """Return the value of a tensor.

        Raises:
            SourceError: Nothing gives it before it is read.
        """
        found = values.get(number)
        if found is not None:
            return found
        tensor = self.model.graphs[index].tensors[number]
        if tensor.variable:
            found = values[number] = Operand(tensor.shape, tensor.dtype)
            return found
        if tensor.buffer >= 0 and self.model.buffers and self.model.buffers[tensor.buffer] is None:
            raise SourceError(
                f"{reader} reads the tensor {number}, {tensor.name!r}, which no input, constant or earlier "
                "operator gives"
            )
        found = self._constants.get((index, number))
        if found is None:
            found = self._constants[index, number] = self._constant(tensor, number)
        return found

    def _constant(self, tensor: Tensor, number: int) -> Operand:
        """Return a constant; its memory is its buffer, which tied weights share."""
        name, shape = tensor.name or f"tensor {number}", tensor.shape
        span = self.model.buffers[tensor.buffer] if tensor.buffer >= 0 else None

        def elements() -> Array | None:
            within = span is not None and span[0] + span[1] <= self.flat.size
            return values_of(self.flat, tensor.type, shape, span) if span is not None and within else None

        return Operand(
            shape,
            tensor.dtype,
            constants=(Constant(name, shape, tensor.dtype, tensor.buffer),),
            stored=elements,
        )


def _native(call: Call) -> dict[str, AttrValue]:
    """Return an operator's attributes in TFLite's own terms, and the types of its inputs."""
    found: dict[str, AttrValue] = {name: value for name, value in call.options.items() if value is not None}
    found["input_types"] = tuple("" if v is None else v.dtype for v in call.inputs)
    return found
