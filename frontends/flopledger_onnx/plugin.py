"""The hooks of the ONNX frontend; it reads a model's file, no framework and no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, hookimpl, input_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flopledger.frontend import Graph, Request


_HEAD = 1 << 12
_MOST_FIELDS = 64
_BYTES = 2
_VERSION, _GRAPH = b"\x08", b"\x3a"
_BEFORE = b"\x12\x1a\x22\x28\x32\x42\x72"
"""The tags of producer, its version, domain, model_version, doc_string, opset_import and metadata_props."""
_IN_GRAPH = b"\x0a\x12\x2a\x52\x5a\x62\x6a\x72\x7a"
"""The tags of a graph's fields, each a message or a text."""


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    return Frontend(
        name="onnx",
        framework="onnx",
        in_place=True,
        preload=("flopledger_onnx.read",),
        reads="ONNX models (.onnx)",
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    """Return whether a file is called a model, or begins as one does."""
    return path.suffix.lower() == ".onnx" or _begins_as_model(input_files.head(path, _HEAD))


def _begins_as_model(head: bytes) -> bool:
    """Return whether bytes are a ModelProto up to its graph (field 7), and that a GraphProto in its turn.

    They begin with a version (field 1). Who wrote the model and versions of operators may stand before the
    graph; other messages of protobuf, such as Core ML's, have no such fields or none of these types.
    """
    at = 0
    for expected in (_VERSION, *[_BEFORE] * _MOST_FIELDS):
        tag = head[at : at + 1]
        if tag == _GRAPH and at:
            _, at = _varint(head, at + 1)
            return head[at : at + 1] in _IN_GRAPH and at < len(head)
        if not tag or tag not in expected:
            return False
        number, at = _varint(head, at + 1)
        if tag[0] & 7 == _BYTES:
            at += number
    return False


def _varint(head: bytes, at: int) -> tuple[int, int]:
    """Return a number of protobuf, and the place behind it."""
    number = shift = 0
    while at < len(head):
        number |= (head[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if head[at - 1] < 128:
            break
    return number, at


@hookimpl
def recognises_object(obj: object) -> bool:  # noqa: ARG001  (a model is a file)
    """Recognise none."""
    return False


@hookimpl
def sources() -> Iterable[str]:
    """Return the names of its operators."""
    from flopledger_onnx.tables.layers import CONTROL, TABLE  # noqa: PLC0415  (few rules need it)

    return (*TABLE, *CONTROL)


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a file.

    Raises:
        SourceError: It is missing, malformed, or no model.
        UsageError: A requested input does not exist, or does not fit.
    """
    from flopledger_onnx.read import read_file  # noqa: PLC0415  (the table is loaded when it is needed)

    return read_file(source, request)
