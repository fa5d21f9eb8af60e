"""The hooks of the ONNX frontend; it reads a model's file, no framework and no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, hookimpl

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Graph, Request


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
    """Return whether a file is called a model: its bytes begin as those of any protobuf message do."""
    return path.suffix.lower() == ".onnx"


@hookimpl
def recognises_object(obj: object) -> bool:  # noqa: ARG001  (a model is a file)
    """Recognise none."""
    return False


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a file.

    Raises:
        SourceError: It is missing, malformed, or no model.
        UsageError: A requested input does not exist, or does not fit.
    """
    from flopledger_onnx.read import read_file  # noqa: PLC0415  (the table is loaded when it is needed)

    return read_file(source, request)
