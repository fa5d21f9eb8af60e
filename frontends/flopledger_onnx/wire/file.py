"""Opens a model's file as a memory map."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flopledger.frontend import bounded

from flopledger_onnx.wire.parse import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Parser]:
    """Map a file into memory and give a parser of it.

    Raises:
        SourceError: The file is missing, empty, or can't be read.
    """
    with bounded.mapped(path, "an ONNX model") as data:
        yield Parser(data)
