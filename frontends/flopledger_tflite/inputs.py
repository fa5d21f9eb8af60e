"""The inputs of a network: stated sizes, symbols for open ones, and sizes that the user gives instead."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.frontend import OpenSizes, Operand, assigned, dataclass, given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import InputSpec

    from flopledger_tflite.flat.model import Model


@dataclass(slots=True)
class Inputs:
    """The inputs of a graph, in order, and a note about their open sizes."""

    values: list[tuple[str, Operand]] = field(default_factory=list)
    note: str = ""
    overridden: bool = False


def inputs_of(model: Model, specs: Sequence[InputSpec]) -> Inputs:
    """Return the inputs of the first graph at the sizes that are given, or else stated.

    The signature has -1 for an open size, where the shape has the 1 that the converter put there.

    Raises:
        UsageError: A spec names no input, has another number of axes, or is one too many.
    """
    graph = model.graphs[0]
    names = [model.names.get(i) or graph.tensors[i].name or f"input_{i}" for i in graph.inputs]
    specified = assigned(names, specs)
    sizes = OpenSizes(specs, "NHWC")
    found = Inputs(overridden=bool(specified))
    for name, number in zip(names, graph.inputs, strict=True):
        tensor, spec = graph.tensors[number], specified.get(name)
        stated = ["" if size < 0 else size for size in tensor.signature]
        value = None if spec is None else given(name, spec, stated, tensor.dtype)
        found.values.append((name, value or Operand(sizes.shape(name, stated), tensor.dtype)))
    found.note = sizes.note(found.values)
    return found
