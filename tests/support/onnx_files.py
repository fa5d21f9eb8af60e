"""Writes small ONNX models: the protobuf of onnx.proto by hand, to show the contents of a file."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16 = 1, 2, 3, 6, 7, 9, 10
_CODES = {FLOAT: "f", UINT8: "B", INT8: "b", INT32: "i", INT64: "q", BOOL: "?", FLOAT16: "e"}
Dims = Sequence["int | str | None"]


def varint(value: int) -> bytes:
    value %= 1 << 64
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def entry(key: str, value: str) -> bytes:
    return block(1, key) + block(2, value)


class Graph(NamedTuple):
    """A graph as an attribute of a node."""

    content: bytes


class Tensor(NamedTuple):
    """A tensor as an attribute of a node."""

    content: bytes


def tensor(
    name: str, dims: Sequence[int], values: Sequence[float] | None = None, dtype: int = FLOAT
) -> bytes:
    """A tensor with its values, or one whose values lie in another file, which is not there."""
    out = b"".join(number(1, size) for size in dims) + number(2, dtype) + block(8, name)
    if values is None:
        count = 1
        for size in dims:
            count *= size
        length = count * struct.calcsize(_CODES[dtype])
        places = (("location", "absent.bin"), ("offset", name), ("length", str(length)))
        return out + b"".join(block(13, entry(key, text)) for key, text in places) + number(14, 1)
    return out + block(9, struct.pack(f"<{len(values)}{_CODES[dtype]}", *values))


def attribute(name: str, value: object) -> bytes:  # noqa: PLR0911  (a form for each type)
    out = block(1, name)
    match value:
        case bool() | int():
            return out + number(3, int(value)) + number(20, 2)
        case float():
            return out + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
        case str():
            return out + block(4, value) + number(20, 3)
        case Graph():
            return out + block(6, value.content) + number(20, 5)
        case Tensor():
            return out + block(5, value.content) + number(20, 4)
        case [float(), *_]:
            return out + block(7, struct.pack(f"<{len(value)}f", *value)) + number(20, 6)
        case [str(), *_]:
            return out + b"".join(block(9, text) for text in value) + number(20, 8)
        case list() | tuple():
            return out + block(8, b"".join(map(varint, value))) + number(20, 7)
    raise TypeError(value)


def node(  # noqa: PLR0913  (what a node has)
    op: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    name: str = "",
    domain: str = "",
    meta: Mapping[str, str] | None = None,
    refs: Mapping[str, str] | None = None,
    **attributes: Any,
) -> bytes:
    out = b"".join(block(1, text) for text in inputs) + b"".join(block(2, text) for text in outputs)
    out += block(3, name) * bool(name) + block(4, op)
    out += b"".join(block(5, attribute(key, value)) for key, value in attributes.items())
    out += b"".join(block(5, block(1, key) + block(21, ref)) for key, ref in (refs or {}).items())
    out += block(7, domain) * bool(domain)
    return out + b"".join(block(9, entry(key, value)) for key, value in (meta or {}).items())


def value(name: str, dims: Dims | None, dtype: int = FLOAT) -> bytes:
    """A value's name and type; a size is a number, a name, or None where it is open."""
    shape = b""
    if dims is not None:
        sizes = (
            number(1, size) if isinstance(size, int) else block(2, size) if size else b"" for size in dims
        )
        shape = block(2, b"".join(block(1, size) for size in sizes))
    return block(1, name) + block(2, block(1, number(1, dtype) + shape))


def graph(  # noqa: PLR0913, PLR0917  (what a graph has)
    nodes: Sequence[bytes],
    inputs: Sequence[bytes] = (),
    outputs: Sequence[str] = (),
    constants: Sequence[bytes] = (),
    infos: Sequence[bytes] = (),
    gives: int = FLOAT,
) -> bytes:
    out = b"".join(block(1, each) for each in nodes) + block(2, "g")
    out += b"".join(block(5, each) for each in constants)
    out += b"".join(block(11, each) for each in inputs)
    out += b"".join(block(12, value(name, None, gives)) for name in outputs)
    return out + b"".join(block(13, each) for each in infos)


def function(  # noqa: PLR0913, PLR0917  (likewise)
    name: str, domain: str, inputs: Sequence[str], outputs: Sequence[str], nodes: Sequence[bytes],
    attributes: Sequence[str] = (),
) -> bytes:  # fmt: skip
    out = block(1, name) + b"".join(block(4, text) for text in inputs)
    out += b"".join(block(5, text) for text in outputs) + b"".join(block(6, text) for text in attributes)
    out += b"".join(block(7, each) for each in nodes) + block(9, block(1, "") + number(2, 17))
    return out + block(10, domain)


def model(content: bytes, *, opset: int = 17, functions: Sequence[bytes] = (), **opsets: int) -> bytes:
    out = number(1, 8) + block(2, "tests") + block(7, content) + block(8, block(1, "") + number(2, opset))
    out += b"".join(block(8, block(1, d.replace("_", ".")) + number(2, v)) for d, v in opsets.items())
    return out + b"".join(block(25, each) for each in functions)


def one(  # noqa: PLR0913  (likewise)
    op: str, *shapes: Dims, constants: Sequence[bytes | None] = (), outputs: int = 1, opset: int = 17,
    dtype: int = FLOAT, gives: int = FLOAT, domain: str = "", **attributes: Any,
) -> bytes:  # fmt: skip
    """A model of one node: inputs x0, x1 .., then constants (named by themselves), outputs y0, y1 ..."""
    names = [f"x{i}" for i in range(len(shapes))]
    given = [names_of(each) if each is not None else "" for each in constants]
    made = [f"y{i}" for i in range(outputs)]
    content = graph(
        [node(op, [*names, *given], made, name="n", domain=domain, **attributes)],
        [value(name, dims, dtype) for name, dims in zip(names, shapes, strict=True)],
        made,
        [each for each in constants if each is not None],
        gives=gives,
    )
    return model(content, opset=opset, **({domain.replace(".", "_"): 1} if domain else {}))


def names_of(content: bytes) -> str:
    """Return the name of a tensor that :func:`tensor` wrote."""
    at = 0
    while content[at] != 8 << 3 | 2:
        while content[at + 1] > 127:
            at += 1
        at += 2
    return content[at + 2 : at + 2 + content[at + 1]].decode()
