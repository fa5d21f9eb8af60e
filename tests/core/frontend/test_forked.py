"""A reading in a forked child process: its graph, its errors, its end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.forked import read_in_fork
from flopledger.graph.graph import Graph
from flopledger.graph.tables import Reading

if TYPE_CHECKING:
    from typing import NoReturn

GRAPH = Graph(Reading("net", "toy", "toy", "1", {}, ("a note",)), (), (), (), (), (), ())


def _children() -> set[str]:
    """Return the processes that this one has started, those that ended and were not waited for among them."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_the_graph_comes_back_and_nothing_else() -> None:
    kept: list[int] = []

    def read() -> Graph:
        kept.append(os.getpid())
        return GRAPH

    assert read_in_fork("net", read) == GRAPH
    assert kept == []


@pytest.mark.parametrize("cls", [SourceError, UsageError])
def test_an_error_is_one_of_this_process(cls: type[Exception]) -> None:
    def read() -> NoReturn:
        raise cls("net: no more")

    with pytest.raises(cls, match=r"\Anet: no more\Z"):
        read_in_fork("net", read)


def test_a_child_that_dies_or_hangs_is_an_error() -> None:
    def die() -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def leave() -> NoReturn:
        os._exit(7)

    before = _children()

    def hang() -> NoReturn:
        time.sleep(60)
        raise AssertionError

    with pytest.raises(SourceError, match="was killed by signal 9"):
        read_in_fork("net", die)
    with pytest.raises(SourceError, match="ended with exit code 7"):
        read_in_fork("net", leave)
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"longer than 0.1 seconds"):
        read_in_fork("net", hang, timeout=0.1)
    assert time.monotonic() - start < 20
    assert _children() == before
