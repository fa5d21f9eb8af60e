"""The modules of the exporter's source that contain a node, where its name has them between slashes.

The older PyTorch exporter, tf2onnx and TensorFlow's own converter write names such as ``/layer1/conv1/Conv``.
"""

from __future__ import annotations

import functools

Scopes = tuple[tuple[str, str], ...]
DEEPEST = 40
"""The most scopes in each other that are kept; deeper ones are not modules of a real model."""
LONGEST = 4_096
"""Converters join names, ``a;b;c``, into long ones; no scope is as long."""


def leaf_of(node_name: str) -> str:
    """Return the name of a node within its innermost scope."""
    first = node_name.partition(";")[0].rstrip("/")
    return first.rpartition("/")[2] or node_name


def split_name(name: str, scope: str) -> Scopes:
    """Return the modules around a node, outermost first: path and class, which is ``scope`` for each."""
    return _split(name.partition(";")[0], scope) if "/" in name and len(name) <= LONGEST else ()


@functools.lru_cache(maxsize=1024)
def _split(name: str, scope: str) -> Scopes:
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
        scopes.append((path, scope))
        before = part
    return tuple(scopes)
