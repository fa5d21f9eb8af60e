"""Writes the four tables as JSON, without loss, and as the bytes that a digest is taken of."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger import printable
from flopledger.dims.arithmetic import text
from flopledger.graph import tables
from flopledger.graph.tables import TensorRef

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Tables, Value


SCHEMA = "flopledger.graph/1"


RECORDS = {
    "inputs": tables.Input,
    "modules": tables.Module,
    "layers": tables.Layer,
    "tensors": tables.Tensor,
    "parameters": tables.Parameter,
}


class _Encoder(json.JSONEncoder):
    """JSON as Python writes it, even where the user's code replaces functions of the module since."""

    encode, iterencode, default = (
        json.JSONEncoder.encode,
        json.JSONEncoder.iterencode,
        json.JSONEncoder.default,
    )


_AS_THEY_ARE = frozenset({bool, int, str, type(None)})
"""Types that JSON has too. Most values of a graph are such, or tuples of such, and need no look inside."""

ENCODER, _READABLE = _Encoder(), _Encoder(ensure_ascii=False)
_fields, _isfinite = dataclasses.fields, math.isfinite


def dump(graph: Tables) -> str:
    """Write a graph as JSON text, one record a line."""
    return "".join(pieces(graph))


def pieces(graph: Tables) -> Iterator[str]:
    """Yield the JSON text of a graph, record by record."""
    yield f'{{\n "schema": {ENCODER.encode(SCHEMA)},\n "reading": {ENCODER.encode(_record(graph.reading))}'
    yield f',\n "outputs": {ENCODER.encode(graph.outputs)}'
    for name in RECORDS:
        yield f',\n "{name}": ['
        records = getattr(graph, name)
        for number, record in enumerate(records):
            yield (",\n  " if number else "\n  ") + printable.in_json(_READABLE.encode(_record(record)))
        yield "\n ]" if records else "]"
    yield "\n}\n"


def canonical(graph: Tables) -> bytes:
    """Return the text whose digest identifies a graph: the tables, not where or when they were read."""
    content: list[object] = [_json(graph.reading.profile), list(graph.outputs)]
    content += [[_record(r) for r in getattr(graph, name)] for name in RECORDS]
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _record(record: DataclassInstance) -> dict[str, object]:
    """Write one record; fields with their default values are omitted."""
    columns, values = _columns(type(record))
    return {
        name: write(value)
        for (name, default, write), value in zip(columns, values(record), strict=True)
        if value != default
    }


_Column: TypeAlias = "tuple[str, object, Callable[[Any], object]]"


@functools.cache
def _columns(record: type[DataclassInstance]) -> tuple[list[_Column], Callable[[object], Iterable[Any]]]:
    """Return the name of each field, its default and how it is written, and a getter of all values."""
    columns: list[_Column] = []
    for field in _fields(record):
        default = field.default if field.default_factory is dataclasses.MISSING else {}
        columns.append((field.name, default, _WRITTEN.get(field.name, _plain)))
    return columns, attrgetter(*(name for name, _, _ in columns))


def _plain(value: Any) -> object:
    return value


def _values(values: Mapping[str, Value]) -> object:
    return {name: value if type(value) in _AS_THEY_ARE else _json(value) for name, value in values.items()}


def _shape(shape: Shape | None) -> object:
    if shape is None or _AS_THEY_ARE.issuperset(map(type, shape)):
        return shape
    return [dim if isinstance(dim, int) else text(dim) for dim in shape]


_WRITTEN: Mapping[str, Callable[[Any], object]] = {
    **dict.fromkeys(("attrs", "native", "profile", "data_sizes", "given_sizes"), _values),
    "shape": _shape,
}


def _json(value: Value) -> object:
    """Write a value; a value for which JSON has no notation becomes an object with one distinctive key."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, tuple):
        return value if _AS_THEY_ARE.issuperset(map(type, value)) else [_json(v) for v in value]
    if isinstance(value, Mapping):
        return {"map": {k: _json(v) for k, v in value.items()}}
    if isinstance(value, TensorRef):
        return {"tensor": value.id}
    if isinstance(value, float):
        return value if _isfinite(value) else {"float": str(value)}
    return {"dim": text(value)}
