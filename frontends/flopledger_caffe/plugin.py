"""The hooks of the Caffe frontend; it reads a network's text, no framework and no weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, SourceError, hookimpl, input_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.frontend import Graph, Request

_HEAD = 65536
_LAYER = re.compile(rb"(?:^|[\s}])layers?\s*:?\s*\{")
_TEXTS = (".pbtxt", ".txt", ".pt", ".net", ".proto")
"""Names under which networks are published beside ``.prototxt``: ``.pt`` is that of Faster R-CNN's files.

PyTorch's weights are called so too; they are zip archives or pickles, which hold a zero byte at their start.
"""


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    return Frontend(
        name="caffe",
        framework="caffe",
        in_place=True,
        preload=("flopledger_caffe.read",),
        reads="Caffe networks (.prototxt), both generations",
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    """Recognise a network's text by its name, or by a layer near its start if the name is a common one.

    Weight files are claimed too, so that the error on reading one can name the right file.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if ".prototxt" in suffixes or suffixes[-1:] == [".caffemodel"]:
        return True
    if suffixes[-1:] != [] and suffixes[-1] not in _TEXTS:
        return False
    head = input_files.head(path, _HEAD)
    return b"\0" not in head and bool(_LAYER.search(head))


@hookimpl
def recognises_object(obj: object) -> bool:  # noqa: ARG001  (Caffe's networks are files)
    """Recognise none."""
    return False


@hookimpl
def sources() -> Iterable[str]:
    """Return the names of its operators."""
    from flopledger_caffe.tables.layers import TABLE  # noqa: PLC0415  (few rules need it)

    return TABLE


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a file.

    Raises:
        SourceError: It is missing, malformed, or no network.
        UsageError: A requested input or phase does not exist.
    """
    from flopledger_caffe.read import read_file  # noqa: PLC0415  (the table is loaded when it is needed)

    if not isinstance(source, (str, Path)):
        raise SourceError(f"a Caffe network is a file, found {type(source).__name__}")
    return read_file(Path(source), request)
