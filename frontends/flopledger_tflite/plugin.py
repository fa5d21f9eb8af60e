"""The hooks of the TFLite frontend; it reads a model's file, no framework and no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, hookimpl, input_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flopledger.frontend import Graph, Request

_MARK = b"TFL3"
"""The four bytes at the fifth place of a file, which name the schema."""


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    return Frontend(
        name="tflite",
        framework="tflite",
        in_place=True,
        preload=("flopledger_tflite.read",),
        reads="TFLite (LiteRT) models (.tflite)",
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    """Return whether a file is called a model, or marked as one."""
    return path.suffix.lower() in (".tflite", ".lite") or input_files.head(path, 8)[4:] == _MARK


@hookimpl
def recognises_object(obj: object) -> bool:  # noqa: ARG001  (a model is a file)
    """Recognise none."""
    return False


@hookimpl
def sources() -> Iterable[str]:
    """Return the names of its operators."""
    from flopledger_tflite.tables.operators import NAMES  # noqa: PLC0415  (few rules need it)

    return NAMES


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a file.

    Raises:
        SourceError: It is missing, malformed, or no model.
        UsageError: A requested input does not exist, or does not fit.
    """
    from flopledger_tflite.read import read_file  # noqa: PLC0415  (the table is loaded when it is needed)

    return read_file(source, request)
