"""Plugins that tests install for their own length, without pip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from flopledger.errors import SourceError
from flopledger.frontend.request import Request
from flopledger.plugins import discovery as plugins
from flopledger.reading.read import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flopledger.graph.graph import Graph


class Install(Protocol):
    def __call__(self, distribution: str, name: str, code: str) -> Path: ...


@pytest.fixture
def fresh_registry() -> Iterator[None]:
    """Forget which plugins there are, before and after."""
    plugins.registry.cache_clear()
    yield
    plugins.registry.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_registry: None) -> Install:  # noqa: ARG001
    """Install a module with hooks as a distribution; returns the module's file."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(distribution: str, name: str, code: str) -> Path:
        module = f"{distribution.replace('-', '_')}_{name}_{tmp_path.name}".replace("-", "_")
        file = site / f"{module}.py"
        file.write_text(code)
        _describe(site, distribution, name, module)
        return file

    return install


@pytest.fixture
def toy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_registry: None) -> None:  # noqa: ARG001
    """The example plugin, installed."""
    site = tmp_path / "toy-site"
    site.mkdir()
    _describe(site, "flopledger-toy", "toy", "flopledger_toy.plugin")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.syspath_prepend(str(root / "tests" / "example_plugin"))


def _describe(site: Path, distribution: str, name: str, module: str) -> None:
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[flopledger.frontends]\n{name} = {module}\n")


class Net:
    """Writes Python code to ``net.py`` and reads an attribute of it, in a child process."""

    head = """
import os, signal, sys, threading, time
from flopledger_toy.model import ToyModel
TEXT = "input x 1x3x8x8\\nconv c1 x out=4 kernel=3\\n"
def good():
    return ToyModel(TEXT)
"""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(
        self,
        code: str,
        name: str = "make",
        *,
        timeout: float | None = None,
        memory_limit: int | None = None,
        **how: object,
    ) -> Graph:
        self.file.write_text(self.head + code)
        source = f"{self.file}:{name}"
        limits = {"timeout": timeout, "memory_limit": memory_limit}
        return read_source(source, Request(source, **limits, **how))  # type: ignore[arg-type]

    def fails(self, code: str, name: str = "make", **how: object) -> str:
        """Return the message of the error that reading gives."""
        with pytest.raises(SourceError) as caught:
            self(code, name, **how)  # type: ignore[arg-type]
        assert "Traceback" not in str(caught.value)
        assert "net.py:" in str(caught.value)
        return str(caught.value)


@pytest.fixture
def net(tmp_path: Path, toy: None) -> Net:  # noqa: ARG001
    """A file of the user's, beside the installed example plugin."""
    return Net(tmp_path / "net.py")
