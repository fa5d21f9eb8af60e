"""Writes headers of safetensors files by hand; no weights follow."""

from __future__ import annotations

import json


def written(**tensors: tuple[str, list[int], int]) -> bytes:
    """A header of tensors by name (a double underscore is a dot): type, shape and bytes; no weights."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, size) in tensors.items():
        header[name.replace("__", ".")] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text
