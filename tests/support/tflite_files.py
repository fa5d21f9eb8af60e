"""Writes small TFLite models: flat buffers by hand, so that a test shows the contents of a file."""

from __future__ import annotations

import math
import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOAT, HALF, INT32, UINT8, INT64, BOOL, INT8, RESOURCE = 0, 1, 2, 3, 4, 6, 9, 13
_CODES = {FLOAT: "f", HALF: "e", INT32: "i", UINT8: "B", INT64: "q", BOOL: "?", INT8: "b"}
_WIDTHS = {"b": 1, "B": 1, "?": 1, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}
Field: TypeAlias = "tuple[str, object]"


class Table(dict[int, Field]):
    """A table: by the number of a field its type (a letter of ``struct``, ``[i]`` a vector) and its value."""


def encode(root: Table) -> bytes:
    """Lay tables out one behind the other, each behind its vtable and before what it names."""
    out = bytearray(b"\0\0\0\0TFL3")
    waiting: deque[tuple[int, object, str]] = deque([(0, root, "table")])
    while waiting:
        slot, value, form = waiting.popleft()
        out += b"\0" * (-len(out) % 8)
        if isinstance(value, Table):
            at, inner = _table(out, value)
        else:
            at, inner = _vector(out, value, form)
        struct.pack_into("<I", out, slot, at - slot)
        waiting += inner
    return bytes(out)


def _table(out: bytearray, table: Table) -> tuple[int, list[tuple[int, object, str]]]:
    count = max(table, default=-1) + 1
    offsets, body, at = [0] * count, bytearray(4), 4
    for number, (form, value) in sorted(table.items()):
        width = _WIDTHS.get(form, 4)
        body += b"\0" * (-len(body) % width)
        offsets[number] = len(body)
        body += struct.pack(f"<{form}", value) if form in _WIDTHS else b"\0\0\0\0"
    vtable = len(out)
    out += struct.pack(f"<HH{count}H", 4 + 2 * count, len(body), *offsets)
    out += b"\0" * (-len(out) % 8)
    at = len(out)
    struct.pack_into("<i", body, 0, at - vtable)
    out += body
    return at, [
        (at + offsets[number], value, form) for number, (form, value) in table.items() if form not in _WIDTHS
    ]


def _vector(out: bytearray, value: object, form: str) -> tuple[int, list[tuple[int, object, str]]]:
    if isinstance(value, str):
        at, data = len(out), value.encode()
        out += struct.pack("<I", len(data)) + data + b"\0"
        return at, []
    assert isinstance(value, (list, tuple, bytes))
    if form == "[table]":
        at = len(out)
        out += struct.pack("<I", len(value)) + bytes(4 * len(value))
        return at, [(at + 4 + 4 * i, each, "table") for i, each in enumerate(value)]
    code = form.strip("[]")
    out += b"\0" * ((4 - len(out)) % 8)  # so that the entries lie at a multiple of eight
    at = len(out)
    out += struct.pack(f"<I{len(value)}{code}", len(value), *value)
    return at, []


class Tensor(NamedTuple):
    """A tensor; with ``values`` a constant, with ``weight`` one whose bytes are not in the file."""

    name: str
    shape: Sequence[int]
    dtype: int = FLOAT
    values: Sequence[float] | None = None
    weight: bool = False
    signature: Sequence[int] | None = None
    variable: bool = False


def weight(name: str, *shape: int, dtype: int = FLOAT) -> Tensor:
    return Tensor(name, shape, dtype, weight=True)


def numbers(name: str, *values: int, shape: Sequence[int] | None = None) -> Tensor:
    return Tensor(name, (len(values),) if shape is None else shape, INT32, values)


class Op(NamedTuple):
    """An operator by its number, over tensors by their names; ``options`` as :func:`options` reads them."""

    code: int
    inputs: Sequence[str]
    outputs: Sequence[str]
    type: int = 0
    options: str = ""
    later: bool = False
    custom: str = ""


def options(text: str) -> Table:
    """Read attributes in the order of their numbers: ``b1 i2 [i]1,2 -`` is 1, 2, a vector, one left out."""
    table = Table()
    for number, each in enumerate(text.split()):
        if each == "-":
            continue
        if each.startswith("["):
            form, _, rest = each.partition("]")
            table[number] = (f"{form}]", [int(one) for one in rest.split(",") if one])
        elif each.startswith("s:"):
            table[number] = ("text", each[2:])
        else:
            table[number] = (each[0], float(each[1:]) if each[0] == "f" else int(each[1:]))
    return table


class Graph(NamedTuple):
    """A graph: all its tensors, and the names of those that go in and out."""

    tensors: Sequence[Tensor]
    operators: Sequence[Op]
    inputs: Sequence[str]
    outputs: Sequence[str]


def model(*graphs: Graph, names: dict[str, str] | None = None) -> bytes:
    """A file of graphs; ``names`` are those of a signature, by the input tensors' own."""
    codes = sorted({(op.code, op.custom) for graph in graphs for op in graph.operators})
    buffers = [Table()]
    tables = [_graph(graph, codes, buffers) for graph in graphs]
    root = Table({
        0: ("I", 3),
        1: ("[table]", [_code(code, custom) for code, custom in codes]),
        2: ("[table]", tables),
        4: ("[table]", buffers),
    })  # fmt: skip
    if names:
        places = {tensor.name: i for i, tensor in enumerate(graphs[0].tensors)}
        maps = [Table({0: ("text", name), 1: ("I", places[tensor])}) for tensor, name in names.items()]
        root[7] = ("[table]", [Table({0: ("[table]", maps), 2: ("text", "serving_default"), 4: ("I", 0)})])
    return encode(root)


def _code(code: int, custom: str) -> Table:
    table = Table({0: ("b", min(code, 127)), 2: ("i", 1), 3: ("i", code)})
    if custom:
        table[1] = ("text", custom)
    return table


def _graph(graph: Graph, codes: Sequence[tuple[int, str]], buffers: list[Table]) -> Table:
    places = {tensor.name: i for i, tensor in enumerate(graph.tensors)}
    return Table({
        0: ("[table]", [_tensor(tensor, buffers) for tensor in graph.tensors]),
        1: ("[i]", [places[name] for name in graph.inputs]),
        2: ("[i]", [places[name] for name in graph.outputs]),
        3: ("[table]", [_operator(op, codes, places) for op in graph.operators]),
    })  # fmt: skip


def _tensor(tensor: Tensor, buffers: list[Table]) -> Table:
    number = 0
    if tensor.values is not None:
        code = _CODES[tensor.dtype]
        data = struct.pack(f"<{len(tensor.values)}{code}", *tensor.values)
        number = len(buffers)
        buffers.append(Table({0: ("[B]", data)}))
    elif tensor.weight:
        size = math.prod(tensor.shape) * struct.calcsize(_CODES[tensor.dtype])
        number = len(buffers)
        buffers.append(Table({1: ("Q", 1 << 40), 2: ("Q", size)}))
    table = Table(
        {0: ("[i]", list(tensor.shape)), 1: ("b", tensor.dtype), 2: ("I", number), 3: ("text", tensor.name)}
    )
    if tensor.signature is not None:
        table[7] = ("[i]", list(tensor.signature))
    if tensor.variable:
        table[5] = ("?", True)
    return table


def _operator(op: Op, codes: Sequence[tuple[int, str]], places: dict[str, int]) -> Table:
    table = Table({
        0: ("I", codes.index((op.code, op.custom))),
        1: ("[i]", [places[name] if name else -1 for name in op.inputs]),
        2: ("[i]", [places[name] for name in op.outputs]),
    })  # fmt: skip
    if op.type:
        kind, place = (11, 12) if op.later else (3, 4)
        table |= {kind: ("B", op.type), place: ("table", options(op.options))}
    return Table(table)


def one(  # noqa: PLR0913  (what an operator has)
    code: int, inputs: Sequence[Tensor | None], outputs: Sequence[Sequence[int]], type_: int = 0,
    text: str = "", *, later: bool = False, custom: str = "", dtype: int = FLOAT,
) -> bytes:  # fmt: skip
    """A model of one operator; what of its inputs is no constant is an input of the network."""
    given = [each for each in inputs if each is not None]
    made = [Tensor(f"y{i}", shape, dtype) for i, shape in enumerate(outputs)]
    free = [t.name for t in given if t.values is None and not t.weight and not t.variable]
    op = Op(
        code, ["" if each is None else each.name for each in inputs], [each.name for each in made],
        type_, text, later, custom,
    )  # fmt: skip
    return model(Graph([*given, *made], [op], free, [each.name for each in made]))
