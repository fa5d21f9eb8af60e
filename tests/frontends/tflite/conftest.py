"""Models written in a test, read into graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger_tflite.read import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.graph.graph import Graph


class Read(Protocol):
    def __call__(self, content: bytes, *specs: str, mode: str = "") -> Graph: ...


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a model's bytes, with input specs and a mode."""

    def from_bytes(content: bytes, *specs: str, mode: str = "") -> Graph:
        path = tmp_path / "net.tflite"
        path.write_bytes(content)
        request = Request(
            "net.tflite", inputs=tuple(map(parse_spec, specs)), profile={"mode": mode} if mode else {}
        )
        return read_file(path, request)

    return from_bytes
