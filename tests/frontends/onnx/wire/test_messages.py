"""Our reader against the package ``onnx``, field by field, on every file at hand."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flopledger_onnx.wire.fields import FIELDS, SPAN
from flopledger_onnx.wire.file import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger_onnx.wire.parse import Parser

onnx = pytest.importorskip("onnx", reason="the package onnx, the referee of this test, is not installed")

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT.parent / "shared" / "golden" / "onnx"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
FILES = sorted([*GOLDEN.glob("*.onnx"), *LIGHT.glob("*.onnx"), *(ROOT / "examples").glob("*.onnx")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_field_is_what_the_package_reads(file: Path) -> None:
    theirs = onnx.load_model(file, load_external_data=False)
    with opened(file) as parser:
        ours = parser.model()
        compared = sum(1 for _ in pairs(parser, ours, theirs))
    assert compared > 10


def pairs(parser: Parser, ours: Any, theirs: Any) -> Iterator[None]:
    """Walk both side by side; a difference fails."""
    pending = [(ours, theirs)]
    while pending:
        own, their = pending.pop()
        fields = {field.name: field for field in FIELDS[type(own)].values()}
        assert fields.keys() == vars(type(own))["__annotations__"].keys()
        for name, field in fields.items():
            mine, other = getattr(own, name), getattr(their, name)
            yield None
            if field.form == SPAN:
                assert stored(parser, name, mine) == other_bytes(name, other), name
            elif field.message is not object:
                mine, other = (mine, other) if field.many else ([mine], [other])
                other = [each for each in other if field.many or their.HasField(name)]
                mine = [each for each in mine if each is not None]
                assert len(mine) == len(other), name
                pending += zip(mine, other, strict=True)
            elif field.many:
                assert list(mine) == list(other), name
            elif name == "dim_value":
                assert mine == (other if their.HasField("dim_value") else None)
            else:
                assert mine == other, name


def stored(parser: Parser, name: str, spans: Any) -> bytes | list[int]:
    if name in ("int32_data", "int64_data", "uint64_data"):
        return [value % 2**64 for value in parser.varints(spans)]
    spans = [spans] if name == "raw_data" and spans is not None else spans or []
    return b"".join(parser.data[start:end] for start, end in spans)


def other_bytes(name: str, values: Any) -> bytes | list[int]:
    if name in ("int32_data", "int64_data", "uint64_data"):
        return [value % 2**64 for value in values]
    if name == "raw_data":
        return bytes(values)
    return struct.pack(f"<{len(values)}{'f' if name == 'float_data' else 'd'}", *values)
