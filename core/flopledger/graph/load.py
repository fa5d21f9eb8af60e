"""Saved graphs: the four tables as JSON, in and out without loss.

A saved graph is untrusted data: reading one checks every field, and expressions in it go
through the safe evaluator.
"""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from flopledger.bounded import MOST_AXES, values_in
from flopledger.dims.arithmetic import is_dim, symbol
from flopledger.dims.types import SYMBOL
from flopledger.errors import ExpressionError, GraphError, nearest, shown
from flopledger.expressions.compiler import compile_expression
from flopledger.graph import tables
from flopledger.graph.checks import check
from flopledger.graph.tables import TensorRef
from flopledger.graph.write import RECORDS, SCHEMA
from flopledger.meter import metered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Tables, Value

LARGEST_FILE = 128 * 2**20
"""The largest saved graph that is read, in bytes; one of 100,000 layers takes half of it."""
MOST_VALUES = 1 << 23
"""The most JSON values of a saved graph; one of 100,000 layers has 5 million, and each becomes an object."""
LARGEST_SIZE = 2**63
"""The first size that is refused."""
LARGEST_NUMBER = 2**128
"""The first whole number among attributes that is refused."""
DEEPEST_VALUE = 40
"""The deepest nesting of an attribute's value that is read."""


def load(written: str, where: str = "graph") -> Tables:
    """Read a saved graph.

    Raises:
        GraphError: It is not one, a field is wrong, or the tables don't fit together.
    """
    if len(written) > LARGEST_FILE:
        raise GraphError(f"{where}: larger than {LARGEST_FILE} bytes, which no saved graph is")
    if values_in(written) > MOST_VALUES:
        raise GraphError(f"{where}: it holds more than {MOST_VALUES} values, which no saved graph does")
    try:
        content = json.loads(written, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise GraphError(f"{where}: not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise GraphError(f"{where}: not a saved graph: expected the schema {SCHEMA!r}, found {shown(found)}")
    with metered(len(content)):
        return _Loader(where).graph(content)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Loader:
    """Turns JSON into records, checking each field."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.dims: dict[str, Dim] = {}

    def graph(self, content: Mapping[str, object]) -> Tables:
        """Read the tables and check that they fit together."""
        known = {"schema", "reading", "outputs", *RECORDS}
        for name in content:
            if name not in known:
                raise self.wrong("the graph", f"the key {shown(name)} is not known{nearest(name, known)}")
        found = {name: self.table(name, content.get(name, [])) for name in RECORDS}
        reading = self.record(tables.Reading, content.get("reading"), "reading")
        outputs = self.ids(content.get("outputs", []), "outputs")
        graph = tables.Tables(reading=reading, outputs=outputs, **found)
        check(graph, self.where)
        return graph

    def wrong(self, place: str, reason: str) -> GraphError:
        """Return the error for one place."""
        return GraphError(f"{self.where}: {place}: {reason}")

    def table(self, name: str, items: object) -> tuple[Any, ...]:
        """Read one table."""
        if not isinstance(items, list):
            raise self.wrong(name, f"expected a list, found {type(items).__name__}")
        return tuple(self.record(RECORDS[name], item, f"{name}[{i}]") for i, item in enumerate(items))

    def record(self, record: type, item: object, place: str) -> Any:
        """Read one record of a table."""
        if not isinstance(item, dict):
            raise self.wrong(place, f"expected an object, found {type(item).__name__}")
        fields = {field.name: field for field in dataclasses.fields(record)}
        for name in item:
            if name not in fields:
                raise self.wrong(place, f"the field {shown(name)} is not known{nearest(name, fields)}")
        for name, field in fields.items():
            if name not in item and field.default is field.default_factory is dataclasses.MISSING:
                raise self.wrong(place, f"the field {name!r} is missing")
        readers = _FIELDS[record]
        return record(**{k: readers[k](self, v, f"{place}.{k}") for k, v in item.items()})

    def id(self, value: object, place: str) -> int:
        """Read an id."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        raise self.wrong(place, f"expected an id, found {shown(value)}")

    def maybe_id(self, value: object, place: str) -> int | None:
        """Read an id or nothing."""
        return None if value is None else self.id(value, place)

    def word(self, value: object, place: str) -> str:
        """Read a text."""
        if isinstance(value, str):
            return value
        raise self.wrong(place, f"expected a text, found {shown(value)}")

    def flag(self, value: object, place: str) -> bool:
        """Read a truth value."""
        if isinstance(value, bool):
            return value
        raise self.wrong(place, f"expected true or false, found {shown(value)}")

    def items(self, value: object, place: str) -> list[object]:
        """Read a list."""
        if isinstance(value, list):
            return value
        raise self.wrong(place, f"expected a list, found {shown(value)}")

    def ids(self, value: object, place: str) -> tuple[int, ...]:
        """Read a list of ids."""
        return tuple(self.id(v, place) for v in self.items(value, place))

    def words(self, value: object, place: str) -> tuple[str, ...]:
        """Read a list of texts."""
        return tuple(self.word(v, place) for v in self.items(value, place))

    def pairs(self, value: object, place: str) -> tuple[tuple[str, int], ...]:
        """Read a module's own parameters: pairs of a local name and an id."""
        found = [self.items(v, place) for v in self.items(value, place)]
        if any(len(pair) != 2 for pair in found):
            raise self.wrong(place, "expected pairs of a name and an id")
        return tuple((self.word(name, place), self.id(i, place)) for name, i in found)

    def level(self, value: object, place: str) -> str:
        """Read a level."""
        if value in tables.LEVELS:
            return str(value)
        raise self.wrong(place, f"expected one of {', '.join(tables.LEVELS)}, found {shown(value)}")

    def shape(self, value: object, place: str) -> tuple[Dim, ...] | None:
        """Read a shape: whole numbers and expressions, or nothing."""
        if value is None:
            return None
        sizes = self.items(value, place)
        if len(sizes) > MOST_AXES:
            raise self.wrong(place, f"a shape of {len(sizes)} axes; at most {MOST_AXES} are read")
        return tuple(self.dim(v, place) for v in sizes)

    def known_shape(self, value: object, place: str) -> tuple[Dim, ...]:
        """Read the shape of a weight, which is always known."""
        found = self.shape(value, place)
        if found is None:
            raise self.wrong(place, "expected the sizes of a weight as a list, found null")
        return found

    def dim(self, value: object, place: str) -> Dim:
        """Read a dimension."""
        if isinstance(value, str):
            return self.expression(value, place)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_SIZE:
            return value
        raise self.wrong(place, f"expected a size, found {shown(value)}")

    def expression(self, value: str, place: str) -> Dim:
        """Read an expression over symbols."""
        if value not in self.dims:
            try:
                found = compile_expression(value)(_symbols)
            except ExpressionError as error:
                raise self.wrong(place, str(error)) from None
            if not is_dim(found):
                raise self.wrong(place, f"expected a size, found {shown(value)}")
            self.dims[value] = found
        return self.dims[value]

    def values(self, value: object, place: str) -> dict[str, Value]:
        """Read attributes."""
        if not isinstance(value, dict):
            raise self.wrong(place, f"expected an object, found {shown(value)}")
        return {name: self.value(v, f"{place}.{name}", 0) for name, v in value.items()}

    def value(self, value: object, place: str, depth: int) -> Value:
        """Read one attribute's value."""
        if depth > DEEPEST_VALUE:
            raise self.wrong(place, f"nested more than {DEEPEST_VALUE} levels deep")
        if isinstance(value, list):
            return tuple(self.value(v, place, depth + 1) for v in value)
        if isinstance(value, dict):
            return self.tagged(value, place, depth)
        if isinstance(value, int) and not -LARGEST_NUMBER < value < LARGEST_NUMBER:
            raise self.wrong(place, f"the number {shown(value)} is out of range")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(place, 'a number that is not finite is written as {"float": "inf"}')
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise self.wrong(place, f"found {shown(value)}")

    def tagged(self, value: Mapping[str, object], place: str, depth: int) -> Value:
        """Read the values for which JSON has no notation: an object with one telling key."""
        match value:
            case {"tensor": int(tensor)} if len(value) == 1:
                return TensorRef(self.id(tensor, place))
            case {"dim": str(written)} if len(value) == 1:
                return self.expression(written, place)
            case {"float": "inf" | "-inf" | "nan" as written} if len(value) == 1:
                return float(written)
            case {"map": dict(inner)} if len(value) == 1:
                return {name: self.value(v, place, depth + 1) for name, v in inner.items()}
        raise self.wrong(place, "expected an object with one of the keys tensor, dim, float, map")


def _symbols(name: str) -> Dim:
    if SYMBOL.match(name):
        return symbol(name)
    raise KeyError(name)


_Reader: TypeAlias = "Callable[[_Loader, object, str], object]"

_FIELDS: Mapping[type, Mapping[str, _Reader]] = {
    tables.Reading: {
        **dict.fromkeys(("source", "frontend", "framework", "framework_version"), _Loader.word),
        **dict.fromkeys(("profile", "data_sizes", "given_sizes"), _Loader.values),
        "notes": _Loader.words,
    },
    tables.Input: {"name": _Loader.word, "tensor": _Loader.id, "positional": _Loader.flag},
    tables.Module: {
        "id": _Loader.id,
        "paths": _Loader.words,
        "type": _Loader.word,
        "bases": _Loader.words,
        "children": _Loader.ids,
        "parameters": _Loader.pairs,
        "training": _Loader.flag,
        "native": _Loader.values,
    },
    tables.Layer: {
        **dict.fromkeys(("id", "index"), _Loader.id),
        **dict.fromkeys(("path", "kind", "source", "problem"), _Loader.word),
        "level": _Loader.level,
        **dict.fromkeys(("parent", "module"), _Loader.maybe_id),
        **dict.fromkeys(("inputs", "outputs"), _Loader.ids),
        **dict.fromkeys(("attrs", "native"), _Loader.values),
        "composite": _Loader.flag,
    },
    tables.Tensor: {
        "id": _Loader.id,
        "shape": _Loader.shape,
        "dtype": _Loader.word,
        **dict.fromkeys(("alias_of", "parameter"), _Loader.maybe_id),
    },
    tables.Parameter: {
        **dict.fromkeys(("id", "object", "storage"), _Loader.id),
        "names": _Loader.words,
        "shape": _Loader.known_shape,
        **dict.fromkeys(("dtype", "role"), _Loader.word),
        "trainable": _Loader.flag,
    },
}
"""How each field of each record is read; one that is optional in one table may be required in another."""
