"""The messages of ``onnx.proto``, as far as a count needs them.

Names and field numbers are those of the standard (onnx/onnx.proto, IR version 13). Left out are
documentation, training, sharding and annotations of quantisation, which change no figure.

Messages are neither compared nor printed: a dataclass takes most of its time at import to write the methods
for that, and reading a file would start noticeably later with them.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from flopledger.frontend import dataclass

Span: TypeAlias = "tuple[int, int]"
"""Where a field's bytes begin and end in the file; they are not read."""


@dataclass(slots=True, eq=False, repr=False)
class Entry:
    """A key and its value (StringStringEntryProto)."""

    key: str = ""
    value: str = ""


@dataclass(slots=True, eq=False, repr=False)
class Opset:
    """The version of the operators of a domain (OperatorSetIdProto)."""

    domain: str = ""
    version: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Dimension:
    """A size: a number, a name, or neither where it is open."""

    dim_value: int | None = None
    dim_param: str = ""


@dataclass(slots=True, eq=False, repr=False)
class TensorShape:
    """The sizes of a tensor."""

    dim: list[Dimension] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class TensorType:
    """The type of a tensor's elements, and its shape, or None where its rank is open."""

    elem_type: int = 0
    shape: TensorShape | None = None


@dataclass(slots=True, eq=False, repr=False)
class Wrapped:
    """A sequence or optional of a type."""

    elem_type: Type | None = None


@dataclass(slots=True, eq=False, repr=False)
class Type:
    """The type of a value: at most one of these is there (TypeProto)."""

    tensor_type: TensorType | None = None
    sequence_type: Wrapped | None = None
    sparse_tensor_type: TensorType | None = None
    optional_type: Wrapped | None = None


@dataclass(slots=True, eq=False, repr=False)
class ValueInfo:
    """A value's name and type."""

    name: str = ""
    type: Type | None = None


@dataclass(slots=True, eq=False, repr=False)
class Tensor:
    """A constant; of its contents only the place in the file is known (TensorProto)."""

    dims: list[int] = field(default_factory=list)
    data_type: int = 0
    float_data: list[Span] = field(default_factory=list)
    int32_data: list[Span] = field(default_factory=list)
    int64_data: list[Span] = field(default_factory=list)
    name: str = ""
    raw_data: Span | None = None
    double_data: list[Span] = field(default_factory=list)
    uint64_data: list[Span] = field(default_factory=list)
    external_data: list[Entry] = field(default_factory=list)
    data_location: int = 0


@dataclass(slots=True, eq=False, repr=False)
class SparseTensor:
    """A constant of which only the elements other than zero are stored."""

    values: Tensor | None = None
    indices: Tensor | None = None
    dims: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Attribute:
    """An attribute of a node; which field holds its value is its ``type``."""

    name: str = ""
    f: float = 0.0
    i: int = 0
    s: bytes = b""
    t: Tensor | None = None
    g: Graph | None = None
    floats: list[float] = field(default_factory=list)
    ints: list[int] = field(default_factory=list)
    strings: list[bytes] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    graphs: list[Graph] = field(default_factory=list)
    type: int = 0
    ref_attr_name: str = ""
    sparse_tensor: SparseTensor | None = None


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A call of an operator or of a function of the file."""

    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    name: str = ""
    op_type: str = ""
    attribute: list[Attribute] = field(default_factory=list)
    domain: str = ""
    overload: str = ""
    metadata_props: list[Entry] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Graph:
    """Nodes in an order in which they can run, with their inputs and outputs."""

    node: list[Node] = field(default_factory=list)
    name: str = ""
    initializer: list[Tensor] = field(default_factory=list)
    input: list[ValueInfo] = field(default_factory=list)
    output: list[ValueInfo] = field(default_factory=list)
    value_info: list[ValueInfo] = field(default_factory=list)
    sparse_initializer: list[SparseTensor] = field(default_factory=list)
    metadata_props: list[Entry] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Function:
    """A function of the file: nodes that represent one call."""

    name: str = ""
    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    attribute: list[str] = field(default_factory=list)
    node: list[Node] = field(default_factory=list)
    opset_import: list[Opset] = field(default_factory=list)
    domain: str = ""
    attribute_proto: list[Attribute] = field(default_factory=list)
    overload: str = ""


@dataclass(slots=True, eq=False, repr=False)
class Model:
    """A file."""

    ir_version: int = 0
    producer_name: str = ""
    producer_version: str = ""
    domain: str = ""
    model_version: int = 0
    graph: Graph | None = None
    opset_import: list[Opset] = field(default_factory=list)
    metadata_props: list[Entry] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
