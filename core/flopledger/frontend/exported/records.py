"""A trace's records of calls, before they are written into a graph."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER, UNKNOWN
from flopledger.kinds import Call, builtin
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from flopledger.dims.types import Dim, Shape
    from flopledger.frontend.exported.operands import Operand
    from flopledger.graph.tables import Level, Value


@dataclass(slots=True)
class Record:
    """One call.

    Attributes:
        name: Its name, without the enclosing scopes and calls.
        source: The operator, with its domain.
        scopes: The modules of the exporter's source around it, outermost first: path and class.
        key: The identity of the node; a node that runs again is a module that is called again.
        parent: The record around it.
        parameters: The names and ids of the weights that it reads.
    """

    name: str
    kind: str
    source: str
    attrs: Mapping[str, Value]
    inputs: Sequence[Operand]
    outputs: Sequence[Operand]
    key: Hashable = None
    scopes: tuple[tuple[str, str], ...] = ()
    parent: int | None = None
    level: Level = "layer"
    parameters: tuple[tuple[str, int], ...] = ()
    native: Mapping[str, Value] = field(default_factory=dict)
    problem: str = ""


def shapes_by_rule(
    kind: str, attrs: Mapping[str, Value], inputs: Sequence[Shape], where: str
) -> tuple[Shape, ...]:
    """Return the output shapes by a kind's shape rule.

    Raises:
        ShapeError: The inputs fit neither the attributes nor each other.
    """
    record = builtin()[kind]
    record.check(attrs, where)
    call = Call(record, attrs, tuple(inputs), where=where)
    found = record.shapes(call)
    if any(isinstance(size, int) and size < 0 for shape in found for size in shape):
        raise call.impossible(f"the output would have a negative size: {found}")
    return found


def work(records: Sequence[Record]) -> dict[str, Dim] | None:
    """Return the operations of calls by name, ``macs`` among them, or None where one has no formula."""
    found: dict[str, Dim] = {"macs": 0}
    for record in records:
        if record.kind == CONTAINER:
            continue
        kind = builtin().get(record.kind)
        if record.kind == UNKNOWN or kind is None or kind.parts is None:
            return None
        shapes = [
            [v.shape for v in values if v.shape is not None] for values in (record.inputs, record.outputs)
        ]
        call = Call(kind, record.attrs, tuple(shapes[0]), tuple(shapes[1]), where=record.name)
        for name, count in {**kind.parts(call), "macs": kind.facts(call).get("macs", 0)}.items():
            found[name] = found.get(name, 0) + count
    return found
