"""Opens a model's file as a memory map."""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import TYPE_CHECKING

from flopledger.frontend import SourceError, input_files

from flopledger_onnx.wire.parse import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Parser]:
    """Map a file into memory and give a parser of it.

    Pages that are not read, those of the weights, are never loaded.

    Raises:
        SourceError: The file is missing, empty, or can't be read.
    """
    try:
        with input_files.open_regular(path) as file:
            if not os.fstat(file.fileno()).st_size:
                raise SourceError(f"{path}: it is empty, expected an ONNX model")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror or error}") from None
    with mapped:
        yield Parser(mapped)
