"""The field numbers of each message, and how a field is read; a field that is not here is skipped."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flopledger_onnx.wire import messages as m

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INT, FLOAT, TEXT, BYTES, SPAN, MESSAGE = range(6)
"""How a field is read; of a SPAN only the place in the file is kept."""


class Field(NamedTuple):
    """One field: the attribute that it is stored in, how it is read, and of which message it is.

    A ``flat`` message holds no graph, node, attribute or type, the only ones that can be nested in each
    other.
    """

    name: str
    form: int
    many: bool = False
    message: Callable[[], object] = object
    flat: bool = False


_FLAT = frozenset(
    {m.Entry, m.Opset, m.Dimension, m.TensorShape, m.TensorType, m.Tensor, m.SparseTensor},
)


Fields: TypeAlias = "Mapping[int, Field]"


def _one(name: str, form: int) -> Field:
    return Field(name, form)


def _many(name: str, form: int) -> Field:
    return Field(name, form, many=True)


def _message(name: str, message: Callable[[], object]) -> Field:
    return Field(name, MESSAGE, message=message, flat=message in _FLAT)


def _messages(name: str, message: Callable[[], object]) -> Field:
    return Field(name, MESSAGE, many=True, message=message, flat=message in _FLAT)


_TENSOR_TYPE: Fields = {1: _one("elem_type", INT), 2: _message("shape", m.TensorShape)}

FIELDS: Mapping[type, Fields] = MappingProxyType(
    {
        m.Model: {
            1: _one("ir_version", INT),
            2: _one("producer_name", TEXT),
            3: _one("producer_version", TEXT),
            4: _one("domain", TEXT),
            5: _one("model_version", INT),
            7: _message("graph", m.Graph),
            8: _messages("opset_import", m.Opset),
            14: _messages("metadata_props", m.Entry),
            25: _messages("functions", m.Function),
        },
        m.Entry: {1: _one("key", TEXT), 2: _one("value", TEXT)},
        m.Opset: {1: _one("domain", TEXT), 2: _one("version", INT)},
        m.Graph: {
            1: _messages("node", m.Node),
            2: _one("name", TEXT),
            5: _messages("initializer", m.Tensor),
            11: _messages("input", m.ValueInfo),
            12: _messages("output", m.ValueInfo),
            13: _messages("value_info", m.ValueInfo),
            15: _messages("sparse_initializer", m.SparseTensor),
            16: _messages("metadata_props", m.Entry),
        },
        m.Node: {
            1: _many("input", TEXT),
            2: _many("output", TEXT),
            3: _one("name", TEXT),
            4: _one("op_type", TEXT),
            5: _messages("attribute", m.Attribute),
            7: _one("domain", TEXT),
            8: _one("overload", TEXT),
            9: _messages("metadata_props", m.Entry),
        },
        m.Attribute: {
            1: _one("name", TEXT),
            2: _one("f", FLOAT),
            3: _one("i", INT),
            4: _one("s", BYTES),
            5: _message("t", m.Tensor),
            6: _message("g", m.Graph),
            7: _many("floats", FLOAT),
            8: _many("ints", INT),
            9: _many("strings", BYTES),
            10: _messages("tensors", m.Tensor),
            11: _messages("graphs", m.Graph),
            20: _one("type", INT),
            21: _one("ref_attr_name", TEXT),
            22: _message("sparse_tensor", m.SparseTensor),
        },
        m.Tensor: {
            1: _many("dims", INT),
            2: _one("data_type", INT),
            4: _many("float_data", SPAN),
            5: _many("int32_data", SPAN),
            7: _many("int64_data", SPAN),
            8: _one("name", TEXT),
            9: _one("raw_data", SPAN),
            10: _many("double_data", SPAN),
            11: _many("uint64_data", SPAN),
            13: _messages("external_data", m.Entry),
            14: _one("data_location", INT),
        },
        m.SparseTensor: {
            1: _message("values", m.Tensor),
            2: _message("indices", m.Tensor),
            3: _many("dims", INT),
        },
        m.ValueInfo: {1: _one("name", TEXT), 2: _message("type", m.Type)},
        m.Type: {
            1: _message("tensor_type", m.TensorType),
            4: _message("sequence_type", m.Wrapped),
            8: _message("sparse_tensor_type", m.TensorType),
            9: _message("optional_type", m.Wrapped),
        },
        m.Wrapped: {1: _message("elem_type", m.Type)},
        m.TensorType: _TENSOR_TYPE,
        m.TensorShape: {1: _messages("dim", m.Dimension)},
        m.Dimension: {1: _one("dim_value", INT), 2: _one("dim_param", TEXT)},
        m.Function: {
            1: _one("name", TEXT),
            4: _many("input", TEXT),
            5: _many("output", TEXT),
            6: _many("attribute", TEXT),
            7: _messages("node", m.Node),
            9: _messages("opset_import", m.Opset),
            10: _one("domain", TEXT),
            11: _messages("attribute_proto", m.Attribute),
            13: _one("overload", TEXT),
        },
    }
)
