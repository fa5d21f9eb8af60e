"""The inputs of a network: declared sizes, symbols for open ones, and sizes that the user gives instead."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.frontend import OpenSizes, Operand, SourceError, assigned, dataclass, given, writable

from flopledger_onnx.control import sizes_of
from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Dim, InputSpec

    from flopledger_onnx.wire.messages import Graph, ValueInfo

LARGEST = 2**63


@dataclass(slots=True)
class Inputs:
    """The inputs of a graph, in order, and the notes about them."""

    values: list[tuple[str, Operand]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    symbols: dict[str, Dim] = field(default_factory=dict)
    overridden: bool = False


def inputs_of(graph: Graph, specs: Sequence[InputSpec]) -> Inputs:
    """Return the inputs at the sizes that are given, or else declared.

    Raises:
        UsageError: A spec names no input, has another number of axes, or is one too many.
        SourceError: An input has no shape and none is given.
    """
    stored = {tensor.name for tensor in graph.initializer}
    stored |= {sparse.values.name for sparse in graph.sparse_initializer if sparse.values is not None}
    # Until IR version 3 each initializer had to be listed as an input, too; those are no inputs.
    infos = [info for info in graph.input if info.name not in stored]
    specified = assigned([info.name for info in infos], specs)
    names = (size for info in infos for size in sizes_of(info) or () if isinstance(size, str))
    sizes = OpenSizes(specs, "NCHW", names)
    found = Inputs(symbols=sizes.symbols, overridden=bool(specified))
    pasts = _pasts(graph)
    for info in infos:
        value = _value(info, specified.get(info.name), sizes, past=info.name in pasts)
        found.values.append((info.name, value))
    found.notes += filter(None, [sizes.note(found.values)])
    return found


_PASTS: Mapping[str, frozenset[int]] = {
    "GroupQueryAttention": frozenset({3, 4}),
    "MultiHeadAttention": frozenset({6, 7}),
    "Attention": frozenset({4, 5}),
}
"""The inputs of attention that hold past keys and values, by their place."""


def _pasts(graph: Graph) -> frozenset[str]:
    """Return the names that attention reads as past keys and values.

    A size of 0 is an open one wherever older exporters write it, since no tensor of a network is empty; a
    past alone may be, and an export of a first step declares it so.
    """
    return frozenset(
        name
        for node in graph.node
        for place, name in enumerate(node.input)
        if place in _PASTS.get(node.op_type, ())
    )


def _value(info: ValueInfo, spec: InputSpec | None, open_sizes: OpenSizes, *, past: bool) -> Operand:
    """Return the value of one input: as it is given, else of the sizes that the file states.

    Raises:
        SourceError: The file states no shape and none is given, or a size is impossible.
    """
    tensor = None if info.type is None else info.type.tensor_type or info.type.sparse_tensor_type
    dtype = type_name(tensor.elem_type) if tensor is not None else "float32"
    sizes = sizes_of(info)
    found = None if spec is None else given(info.name, spec, sizes, dtype)
    if found is not None:
        return found
    if sizes is None:
        if info.type is not None and tensor is None:
            return Operand(None, dtype, reason=f"the input {info.name!r} is no tensor")
        raise SourceError(
            f"the file does not state the shape of the input {info.name!r}; give it, with your sizes: "
            f"-i {writable(info.name)}=1x3x224x224"
        )
    if any(isinstance(size, int) and size >= LARGEST for size in sizes):
        raise SourceError(f"the input {info.name!r} has a size of {max(map(str, sizes))}, none is so large")
    if past and tensor is not None and tensor.shape is not None:
        sizes = [0 if d.dim_value == 0 else size for d, size in zip(tensor.shape.dim, sizes, strict=True)]
    return Operand(open_sizes.shape(info.name, sizes), dtype)
