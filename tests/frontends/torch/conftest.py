"""How the tests of the PyTorch frontend ask it."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer

pytest.importorskip("torch", reason="PyTorch is not installed")
with warnings.catch_warnings(action="ignore"):
    # torch imports these when it first needs them, and swaps torch.manual_seed as it does: before our tests
    for part in ("torch._dynamo", "torch._inductor", "torch.onnx"):
        importlib.import_module(part)
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def layer() -> Callable[[Graph, str], Layer]:
    """Find a call of a graph by its path."""

    def find(graph: Graph, path: str) -> Layer:
        (found,) = [layer for layer in graph.layers if layer.path == path]
        return found

    return find


@pytest.fixture
def net_file(tmp_path: Path) -> Callable[[str], str]:
    """Write a Python file that defines models, and return its path."""

    def write(body: str) -> str:
        path = tmp_path / "net.py"
        path.write_text(f"import torch\nfrom torch import nn\n\n{body}\n", encoding="utf-8")
        return str(path)

    return write


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """torch's own imports warn of what is no concern of ours."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"))
