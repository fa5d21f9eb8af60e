"""The parts of a model that a count needs. Source: schema.fbs of TensorFlow Lite, version 3."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.frontend import SourceError, bounded, dataclass

from flopledger_tflite.flat.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger_tflite.flat.buffer import Flat, Table

CUSTOM = 32
"""The number of the operator that stands for all that are not built in."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: its shape as stored, and its signature, which has -1 for a size that is open."""

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    type: int
    buffer: int
    variable: bool

    @property
    def dtype(self) -> str:
        """The name of its type."""
        return type_name(self.type)

    @property
    def stated(self) -> tuple[int, ...] | None:
        """Its shape, None where a size is open."""
        return None if any(size < 0 for size in self.signature) else self.shape


@dataclass(frozen=True, slots=True)
class Operator:
    """A call of an operator; an input of -1 is left out.

    ``options`` and ``options2`` are the tables of its attributes with the numbers of their types: later
    operators have theirs in the second.
    """

    code: int
    custom: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[int, Table | None]
    options2: tuple[int, Table | None]


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph of operators over its own tensors."""

    name: str
    tensors: Sequence[Tensor]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: Sequence[Operator]


@dataclass(slots=True)
class Model:
    """A file: its graphs, the first of which is the network, and where the bytes of its constants lie.

    ``names`` are those that a signature gives to the network's inputs, by their tensors; ``states`` the
    variables that an inference fills.
    """

    version: int
    graphs: Sequence[Graph]
    buffers: Sequence[tuple[int, int] | None]
    names: Mapping[int, str] = field(default_factory=dict)
    states: frozenset[str] = frozenset()


def model_of(flat: Flat) -> Model:
    """Read a model.

    Raises:
        SourceError: The bytes are none.
    """
    if flat.data[4:8] != b"TFL3":
        raise SourceError("it is no TFLite model: its bytes 5 to 8 are not TFL3")
    root = flat.root()
    codes = [_code(each) for each in root.tables(1)]
    buffers = [_buffer(each) for each in root.tables(4)]
    graphs = [_graph(each, codes, len(buffers)) for each in root.tables(2)]
    return Model(root.whole(0, "I"), graphs, buffers, _names(root))


def _code(table: Table) -> tuple[int, str]:
    """Return an operator's number and, of one that is not built in, its name.

    Numbers above 127 are in a second field; older files have the first alone.
    """
    return max(table.whole(0, "b"), table.whole(3, "i")), table.text(1)


def _buffer(table: Table) -> tuple[int, int] | None:
    """Return where a constant's bytes begin and how many there are; those of large files lie behind it."""
    span = table.span(0)
    if span is not None and span[1]:
        return span
    offset, size = table.whole(1, "Q"), table.whole(2, "Q")
    return (offset, size) if offset > 1 and size else None


def _graph(table: Table, codes: Sequence[tuple[int, str]], buffers: int) -> Graph:
    tensors = [_tensor(each, buffers) for each in table.tables(0)]
    operators = [_operator(each, codes, len(tensors)) for each in table.tables(3)]
    inputs, outputs = (table.numbers(field, "i") or () for field in (1, 2))
    _check(inputs, len(tensors), "an input of the graph")
    _check(outputs, len(tensors), "an output of the graph")
    return Graph(table.text(4), tensors, inputs, outputs, operators)


def _tensor(table: Table, buffers: int) -> Tensor:
    name, shape = table.text(3), table.numbers(0, "i") or ()
    signature = table.numbers(7, "i") or shape
    bounded.check_axes(len(shape), f"the tensor {name!r}")
    if any(size < 0 for size in shape) or len(signature) != len(shape):
        raise SourceError(f"the tensor {name!r} has the shape {shape} and the signature {signature}")
    buffer = table.whole(2, "I")
    if buffer >= max(buffers, 1):
        raise SourceError(f"the tensor {name!r} names the buffer {buffer}, there are {buffers}")
    # A constant of the external kind has its bytes in another file; a number of its own identifies it.
    external = table.whole(10, "I")
    return Tensor(name, shape, signature, table.whole(1, "b"), -external or buffer, bool(table.whole(5, "?")))


def _operator(table: Table, codes: Sequence[tuple[int, str]], tensors: int) -> Operator:
    index = table.whole(0, "I")
    if index >= len(codes):
        raise SourceError(f"an operator has the code {index}, the file lists {len(codes)}")
    code, custom = codes[index]
    inputs, outputs = (table.numbers(field, "i") or () for field in (1, 2))
    _check([i for i in inputs if i != -1], tensors, "an operator's input")
    _check(outputs, tensors, "an operator's output")
    options, later = (table.whole(3, "B"), table.table(4)), (table.whole(11, "B"), table.table(12))
    return Operator(code, custom if code == CUSTOM else "", inputs, outputs, options, later)


def _check(numbers: Sequence[int], tensors: int, what: str) -> None:
    for number in numbers:
        if not 0 <= number < tensors:
            raise SourceError(f"{what} is the tensor {number}, the graph has {tensors}")


def _names(root: Table) -> dict[int, str]:
    """Return the names of the first graph's inputs in the first signature that has it."""
    for signature in root.tables(7):
        if signature.whole(4, "I") == 0:
            return {entry.whole(1, "I"): entry.text(0) for entry in signature.tables(0)}
    return {}
