"""The files that hold one network's weights: a file, those that an index names, or those of a folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.frontend import SourceError, bounded, input_files

from flopledger_safetensors import ENDING, INDEX
from flopledger_safetensors.header import stored_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flopledger_safetensors.header import Stored

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*\.safetensors")
"""The names of files that an index may lead to: none with a slash, so that they lie beside it."""
_WHOLE = ("model.safetensors", "diffusion_pytorch_model.safetensors", "adapter_model.safetensors")
"""The names that libraries give a network's weights in one file; files beside it are other forms of them."""


def tensors_of(path: Path) -> list[Stored]:
    """Return the tensors of a file, of an index or of a folder, each once.

    Raises:
        SourceError: A file is missing or malformed, or it is not clear which files belong together.
    """
    if input_files.is_folder(path):
        return _of_folder(path)
    return _of_index(path) if path.name.lower().endswith(INDEX) else stored_in(path)


def _of_folder(path: Path) -> list[Stored]:
    """Return the tensors in a folder: those of its index, of the one whole file, else of all its parts.

    A repository of a model may hold the same weights in several forms, as Mistral's have a
    ``consolidated.safetensors`` beside the parts; taken together they would be counted twice.
    """
    names = [name for name in input_files.names_in(path) if not input_files.is_folder(path / name)]
    indices = [name for name in names if name.lower().endswith(INDEX)]
    if len(indices) > 1:
        raise SourceError(f"{path}: it holds {', '.join(indices)}: name one of them")
    whole = next((name for name in _WHOLE if name in names), None)
    if indices or whole:
        return tensors_of(path / (indices[0] if indices else whole or ""))
    files = [name for name in names if name.lower().endswith(ENDING)]
    if not files:
        raise SourceError(f"{path}: no {ENDING} file is in it, and no index of several ({INDEX})")
    return _together(path, files)


def _together(path: Path, files: Sequence[str]) -> list[Stored]:
    """Return the tensors of files that are not listed by an index."""
    found: dict[str, Stored] = {}
    home: dict[str, str] = {}
    for file in files:
        for stored in stored_in(path / file):
            if stored.name in found:
                raise SourceError(
                    f"{path}: {home[stored.name]} and {file} both hold the tensor {stored.name!r}: name one "
                    "of these files, or the index of those that belong together"
                )
            found[stored.name], home[stored.name] = stored, file
    return list(found.values())


def _of_index(path: Path) -> list[Stored]:
    """Return the tensors that an index lists, each from the file beside it that the index names.

    Raises:
        SourceError: It names a file elsewhere, or one that is not there or lacks a tensor.
    """
    listed = bounded.json_of(bounded.text_of(path), str(path))
    places = listed.get("weight_map") if isinstance(listed, dict) else None
    if not isinstance(places, dict):
        raise SourceError(f"{path}: it has no weight_map, which names the file of each tensor")
    names = sorted({str(name) for name in places.values()})
    for name in names:
        if not _NAME.fullmatch(name):
            raise SourceError(f"{path}: it names the file {name!r}, expected one beside it ({ENDING})")
    missing = [name for name in names if input_files.kind(path.parent / name) == "nothing"]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SourceError(f"{path}: it names {missing[0]}{more}, not found beside it")
    held = {name: {each.name: each for each in stored_in(path.parent / name)} for name in names}
    absent = next((tensor for tensor, name in places.items() if tensor not in held[str(name)]), None)
    if absent is not None:
        raise SourceError(f"{path}: it lists the tensor {absent!r} of {places[absent]}, which has none")
    return [held[str(name)][tensor] for tensor, name in places.items()]
