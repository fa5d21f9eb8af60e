"""Networks written in a test, read into graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger_caffe.read import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.graph.graph import Graph


class Read(Protocol):
    def __call__(self, text: str | bytes, *specs: str, mode: str = "", **options: object) -> Graph: ...


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a network's text, with input specs, a mode and options."""

    def from_text(text: str | bytes, *specs: str, mode: str = "", **options: object) -> Graph:
        path = tmp_path / "net.prototxt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        request = Request(
            "net.prototxt",
            inputs=tuple(map(parse_spec, specs)),
            profile={"mode": mode} if mode else {},
            options=options,
        )
        return read_file(path, request)

    return from_text
