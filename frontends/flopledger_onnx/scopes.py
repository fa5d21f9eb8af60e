"""The modules of the exporter's source that contain a node.

The newer PyTorch exporter records them (``pkg.torch.onnx.name_scopes`` and ``class_hierarchy``); the
older one and tf2onnx put them into the node's name, between slashes.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from flopledger.frontend import split_name

if TYPE_CHECKING:
    from flopledger.frontend import Scopes

    from flopledger_onnx.wire.messages import Node

NAMES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
SCOPE = "onnx.Scope"
"""The type of a scope whose class the file does not state."""

_LONGEST, _DEEPEST = 4_096, 40
"""The most characters and the most entries of the lists that are read: those of a real model are shorter."""
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")


def scopes_of(node: Node) -> Scopes:
    """Return the modules around a node, outermost first: path and class."""
    for entry in node.metadata_props:
        if entry.key == NAMES and len(entry.value) <= _LONGEST:
            classes = next((e.value for e in node.metadata_props if e.key == CLASSES), "")
            return _written(entry.value, classes[:_LONGEST])
    return split_name(node.name, SCOPE)


@functools.lru_cache(maxsize=1024)
def _written(names: str, classes: str) -> Scopes:
    """Return the scopes of a pair of lists; the first entry is the network, the last the call itself."""
    paths, types = _entries(names), _entries(classes)
    if len(types) != len(paths):
        types = [SCOPE] * len(paths)
    pairs = list(zip(paths, types, strict=True))[1:-1]
    return tuple((path, cls) for path, cls in pairs if path)[:_DEEPEST]


def _entries(text: str) -> list[str]:
    return [a or b for a, b in _QUOTED.findall(text)]
