"""The messages of ``onnx.proto``, as far as a count needs them.

Names and field numbers are those of the standard (onnx/onnx.proto, IR version 13). Left out are
documentation, training, sharding and annotations of quantisation, which change no figure.

A message has the attributes that its bytes have; all others are the defaults of its class. Dataclasses take
a fifth of the time that loading this reader takes, and set each attribute of each object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Span: TypeAlias = "tuple[int, int]"
"""Where a field's bytes begin and end in the file; they are not read."""


class Entry:
    """A key and its value (StringStringEntryProto)."""

    key: str = ""
    value: str = ""


class Opset:
    """The version of the operators of a domain (OperatorSetIdProto)."""

    domain: str = ""
    version: int = 0


class Dimension:
    """A size: a number, a name, or neither where it is open."""

    dim_value: int | None = None
    dim_param: str = ""


class TensorShape:
    """The sizes of a tensor."""

    dim: Sequence[Dimension] = ()


class TensorType:
    """The type of a tensor's elements, and its shape, or None where its rank is open."""

    elem_type: int = 0
    shape: TensorShape | None = None


class Wrapped:
    """A sequence or optional of a type."""

    elem_type: Type | None = None


class Type:
    """The type of a value: at most one of these is there (TypeProto)."""

    tensor_type: TensorType | None = None
    sequence_type: Wrapped | None = None
    sparse_tensor_type: TensorType | None = None
    optional_type: Wrapped | None = None


class ValueInfo:
    """A value's name and type."""

    name: str = ""
    type: Type | None = None


class Tensor:
    """A constant; of its contents only the place in the file is known (TensorProto)."""

    dims: Sequence[int] = ()
    data_type: int = 0
    float_data: Sequence[Span] = ()
    int32_data: Sequence[Span] = ()
    int64_data: Sequence[Span] = ()
    name: str = ""
    raw_data: Span | None = None
    double_data: Sequence[Span] = ()
    uint64_data: Sequence[Span] = ()
    external_data: Sequence[Entry] = ()
    data_location: int = 0


class SparseTensor:
    """A constant of which only the elements other than zero are stored."""

    values: Tensor | None = None
    indices: Tensor | None = None
    dims: Sequence[int] = ()


class Attribute:
    """An attribute of a node; which field holds its value is its ``type``."""

    name: str = ""
    f: float = 0.0
    i: int = 0
    s: bytes = b""
    t: Tensor | None = None
    g: Graph | None = None
    floats: Sequence[float] = ()
    ints: Sequence[int] = ()
    strings: Sequence[bytes] = ()
    tensors: Sequence[Tensor] = ()
    graphs: Sequence[Graph] = ()
    type: int = 0
    ref_attr_name: str = ""
    sparse_tensor: SparseTensor | None = None


class Node:
    """A call of an operator or of a function of the file."""

    input: Sequence[str] = ()
    output: Sequence[str] = ()
    name: str = ""
    op_type: str = ""
    attribute: Sequence[Attribute] = ()
    domain: str = ""
    overload: str = ""
    metadata_props: Sequence[Entry] = ()


class Graph:
    """Nodes in an order in which they can run, with their inputs and outputs."""

    node: Sequence[Node] = ()
    name: str = ""
    initializer: Sequence[Tensor] = ()
    input: Sequence[ValueInfo] = ()
    output: Sequence[ValueInfo] = ()
    value_info: Sequence[ValueInfo] = ()
    sparse_initializer: Sequence[SparseTensor] = ()
    metadata_props: Sequence[Entry] = ()


class Function:
    """A function of the file: nodes that represent one call."""

    name: str = ""
    input: Sequence[str] = ()
    output: Sequence[str] = ()
    attribute: Sequence[str] = ()
    node: Sequence[Node] = ()
    opset_import: Sequence[Opset] = ()
    domain: str = ""
    attribute_proto: Sequence[Attribute] = ()
    overload: str = ""


class Model:
    """A file."""

    ir_version: int = 0
    producer_name: str = ""
    producer_version: str = ""
    domain: str = ""
    model_version: int = 0
    graph: Graph | None = None
    opset_import: Sequence[Opset] = ()
    metadata_props: Sequence[Entry] = ()
    functions: Sequence[Function] = ()
