"""The hooks of the safetensors frontend; it reads the header of a file of weights, and no weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, SourceError, hookimpl, input_files

from flopledger_safetensors import ENDING, INDEX

if TYPE_CHECKING:
    from flopledger.frontend import Graph, Request


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    reads = f"parameters alone, by name and shape ({ENDING}, {INDEX}, a folder of them)"
    return Frontend(name="safetensors", framework="safetensors", in_place=True, reads=reads)


@hookimpl
def recognises_file(path: Path) -> bool:
    """Return whether a file is called one of weights, or the index of several, or a folder holds such.

    A folder with a ``config.json`` has more than weights: its network can be made.
    """
    if input_files.is_folder(path):
        names = [name.lower() for name in input_files.names_in(path)]
        return "config.json" not in names and any(name.endswith((ENDING, INDEX)) for name in names)
    return path.name.lower().endswith((ENDING, INDEX))


@hookimpl
def recognises_object(obj: object) -> bool:  # noqa: ARG001  (weights are read from a file)
    """Recognise none."""
    return False


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a file.

    Raises:
        SourceError: It is missing or malformed.
        UsageError: Inputs are given: there is no network that takes them.
    """
    from flopledger_safetensors.read import read_file  # noqa: PLC0415  (loaded when it is needed)

    if not isinstance(source, (str, Path)):
        raise SourceError(f"weights are read from a file, found {type(source).__name__}")
    return read_file(Path(source), request)
