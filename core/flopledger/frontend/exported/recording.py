"""Records calls of operators: their inputs, outputs and parts, with shapes by the kinds' rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from flopledger.dims.arithmetic import is_symbolic
from flopledger.errors import ShapeError
from flopledger.frontend.exported.operands import Operand
from flopledger.frontend.exported.records import Record, shapes_by_rule
from flopledger.frontend.exported.steps import Passed, Step, Unshaped
from flopledger.graph.tables import CONTAINER, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.dims.types import Shape
    from flopledger.frontend.exported.call import OperatorCall
    from flopledger.frontend.exported.operands import Constant
    from flopledger.frontend.exported.steps import Part, Row

C = TypeVar("C", bound="OperatorCall")


class Recording:
    """The calls of one model so far, in order, and how many of each operator have no formula."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.unknown: Counter[str] = Counter()

    def add(self, record: Record, parts: Sequence[Part] = ()) -> None:
        """Add a call, and the computations of an operator that does several."""
        if record.kind == UNKNOWN:
            self.unknown[record.source] += 1
        number = len(self.records)
        self.records.append(record)
        if parts:
            self._parts(number, record, parts)

    def _parts(self, parent: int, container: Record, parts: Sequence[Part]) -> None:
        """Record computations, each with its own inputs."""
        before = [value for value in container.inputs if value.shape is not None]
        for part in parts:
            inputs = []
            for shape in part.inputs:
                fitting = next((v for v in reversed(before) if v.shape == shape and v not in inputs), None)
                inputs.append(fitting or Operand(shape, owner=before[0] if before else None))
            made = part.outputs or shapes_by_rule(part.kind, part.attrs, part.inputs, container.name)
            outputs = [Operand(shape) for shape in made]
            before += outputs
            record = Record(
                part.name, part.kind, container.source, part.attrs, inputs, outputs,
                key=container.key, parent=parent, level="function",
            )  # fmt: skip
            self.records.append(record)
        if container.outputs and outputs and container.outputs[0].shape is not None:
            container.outputs[0].owner = outputs[0]


def step_of(call: C, source: str, row: Row[C] | None, *, lenient: bool = False) -> Step | Passed:
    """Return the computation of a node, the shapes of its outputs by the kind's rule where they aren't given.

    One whose shapes depend on data is unknown. So is one whose inputs don't fit where that may be no fault of
    the file: with symbols, of which a rule may want to know which is larger, and where it is read leniently.

    Args:
        call: The node.
        source: The operator's name.
        row: Its row of the table, if it has one.
        lenient: Whether the node may not be run at all, such as one in the branch that is not taken.

    Raises:
        ShapeError: The inputs fit neither the attributes nor each other.
    """
    try:
        return _step(call, source, row)
    except ShapeError as error:
        if not lenient and not _has_symbols(call):
            raise
        return unknown(call, str(error))
    except Unshaped as error:
        return unknown(call, str(error))


def _has_symbols(call: OperatorCall) -> bool:
    shapes = (value.shape for value in call.inputs if value is not None and value.shape is not None)
    return any(is_symbolic(size) for shape in shapes for size in shape)


def _step(call: C, source: str, row: Row[C] | None) -> Step | Passed:
    """Return the computation of a node, with shapes.

    Raises:
        ShapeError: The inputs fit neither the attributes nor each other.
        Unshaped: The shapes depend on data.
    """
    if row is None:
        return unknown(call, f"no formula for {source}")
    step = row.rule(call)
    if isinstance(step, Passed) or step.kind in (CONTAINER, UNKNOWN) or step.shapes is not None:
        return step
    operands = (
        call.shapes()
        if step.operands is None
        else [call.shape(o) if isinstance(o, int) else o for o in step.operands]
    )
    shapes = shapes_by_rule(step.kind, step.attrs, operands, call.where)
    return replace(step, shapes=[*shapes, *step.more], more=())


def unknown(call: OperatorCall, problem: str) -> Step:
    """Return the step of a call without a formula."""
    return Step(UNKNOWN, shapes=[None] * max(call.outputs, 1), problem=problem)


def inputs_of(call: OperatorCall, step: Step) -> list[Operand]:
    """Return the values that a call reads, each in the shape that its kind needs."""
    if step.operands is None:
        return [value for value in call.inputs if value is not None]
    inputs: list[Operand] = []
    for operand in step.operands:
        if isinstance(operand, int):
            inputs.append(call.value(operand))
        else:
            first = call.value(0)
            inputs.append(Operand(operand, first.dtype, owner=first))
    return inputs


def outputs_of(
    call: C, row: Row[C] | None, step: Step, count: int, stated: Mapping[int, Shape | None]
) -> list[Operand]:
    """Return the values that a call makes.

    Args:
        call: The call.
        row: Its operator.
        step: Its computation.
        count: How many outputs it has, unless they are the members of a list.
        stated: The shapes that the file states of outputs of a call without a formula, by their number.
    """
    shapes = list(step.shapes or ())
    first = next((value for value in call.inputs if value is not None), None)
    default = "float32" if first is None else first.dtype
    made = constants_of(call, row) or ()
    outputs: list[Operand] = []
    for i in range(len(shapes) if step.listed else count):
        shape = shapes[i] if i < len(shapes) else None
        reason = "" if shape is not None else _reason(call, step)
        if shape is None and step.kind == UNKNOWN:
            shape = stated.get(i)
        outputs.append(
            Operand(
                shape,
                step.dtypes[i] if i < len(step.dtypes) else default,
                step.arrays[i] if i < len(step.arrays) else None,
                made,
                owner=first if step.alias and i == 0 else None,
                reason=reason,
            )
        )
    return outputs


def constants_of(call: C, row: Row[C] | None) -> tuple[Constant, ...] | None:
    """Return the constants that are a node's only data, or None where it reads anything else."""
    arguments = row.arguments if row is not None else frozenset()
    data = [v for i, v in enumerate(call.inputs) if v is not None and i not in arguments]
    if not data or not all(value.constants for value in data):
        return None
    return tuple(dict.fromkeys(constant for value in data for constant in value.constants))


def _reason(call: OperatorCall, step: Step) -> str:
    above = next((v.reason for v in call.inputs if v is not None and v.reason), "")
    return above or f"its input has no shape: {call.path!r} ({call.type}) above it is unknown" * bool(
        step.problem
    )
