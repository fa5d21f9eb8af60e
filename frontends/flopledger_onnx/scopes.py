"""The modules of the exporter's source that contain a node.

The newer PyTorch exporter writes them down (``pkg.torch.onnx.name_scopes`` and ``class_hierarchy``); the
older one and tf2onnx put them into the node's name, between slashes.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flopledger_onnx.wire.messages import Node

NAMES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
SCOPE = "onnx.Scope"
"""The type of a scope whose class the file does not state."""
DEEPEST = 40
"""The most scopes in each other that are kept; deeper ones are not modules of a real model."""
LONGEST = 4_096
"""Names that tf2onnx joins of many, ``a;b;c``, are long; no scope is."""

_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
Scopes = tuple[tuple[str, str], ...]


def scopes_of(node: Node) -> Scopes:
    """Return the modules around a node, outermost first: path and class."""
    for entry in node.metadata_props:
        if entry.key == NAMES and len(entry.value) <= LONGEST:
            classes = next((e.value for e in node.metadata_props if e.key == CLASSES), "")
            return _written(entry.value, classes[:LONGEST])
    name = node.name
    return _split(name.partition(";")[0]) if "/" in name and len(name) <= LONGEST else ()


def leaf_of(node_name: str) -> str:
    """Return the name of a node within its innermost scope."""
    first = node_name.partition(";")[0].rstrip("/")
    return first.rpartition("/")[2] or node_name


@functools.lru_cache(maxsize=1024)
def _written(names: str, classes: str) -> Scopes:
    """Return the scopes of a pair of lists; the first entry is the network, the last the call itself."""
    paths, types = _entries(names), _entries(classes)
    if len(types) != len(paths):
        types = [SCOPE] * len(paths)
    pairs = list(zip(paths, types, strict=True))[1:-1]
    return tuple((path, cls) for path, cls in pairs if path)[:DEEPEST]


def _entries(text: str) -> list[str]:
    return [a or b for a, b in _QUOTED.findall(text)]


@functools.lru_cache(maxsize=1024)
def _split(name: str) -> Scopes:
    """Return the scopes of ``/layer1/layer1.0/conv1/Conv``: layer1, layer1.0, layer1.0.conv1.

    The older PyTorch exporter writes an entry of a Sequential with its owner's name before it, and all
    others without.
    """
    parts = name.strip("/").split("/")[:-1][:DEEPEST]
    scopes: list[tuple[str, str]] = []
    before = ""
    for part in parts:
        path = scopes[-1][0] if scopes else ""
        if before and part.startswith(f"{before}."):
            path += part[len(before) :]
        else:
            path += f".{part}" if path else part
        scopes.append((path, SCOPE))
        before = part
    return tuple(scopes)
