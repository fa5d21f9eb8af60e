"""Paddle models read into graphs. Without Paddle everything here is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.reading.read import read_source

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

pytest.importorskip("flopledger_paddle.framework", reason="Paddle is not installed", exc_type=ImportError)


class Read(Protocol):
    def __call__(self, model: Any, *specs: str, mode: str = "", execute: bool = False) -> Graph: ...


@pytest.fixture
def read() -> Read:
    """Return a function that reads a live model with input specs."""

    def live(model: Any, *specs: str, mode: str = "", execute: bool = False) -> Graph:
        request = Request(
            type(model).__name__,
            inputs=tuple(map(parse_spec, specs)),
            profile={"mode": mode} if mode else {},
            execute=execute,
            frontend="paddle",
        )
        return read_source(model, request)

    return live
