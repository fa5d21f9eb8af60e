"""Loads a convention by name or file, with the kinds and conventions of the plugins that are installed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.conventions.file import ConventionFile
from flopledger.conventions.names import FOLDER, find
from flopledger.errors import ConventionError
from flopledger.plugins import discovery as plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from flopledger.conventions.convention import Convention
    from flopledger.kinds import Kind
    from flopledger.plugins.registry import Registry


def load(
    name: str | Path,
    switches: Mapping[str, object] | None = None,
    *,
    kinds: Mapping[str, Kind] | None = None,
    extra: Iterable[Path] = (),
) -> Convention:
    """Load a convention by name or file, with its decisions changed by ``switches``.

    Raises:
        ConventionError: It is unknown or malformed; the message names the file and the line.
    """
    if kinds is not None:
        return _read(find(str(name), extra), tuple(extra), kinds).set(switches or {})
    registry = plugins.registry()
    path = find(str(name), registry.conventions)
    if path.parent == FOLDER or path in registry.conventions:
        return _installed(path, registry).set(switches or {})
    return _read(path, tuple(registry.conventions), registry.kinds).set(switches or {})


@functools.cache
def _installed(path: Path, registry: Registry) -> Convention:
    """Read a convention that is installed, once: unlike a user's file it stays as it is."""
    return _read(path, tuple(registry.conventions), registry.kinds)


def _read(path: Path, files: tuple[Path, ...], kinds: Mapping[str, Kind]) -> Convention:
    try:
        return ConventionFile(path, files, kinds).convention()
    except RecursionError:
        raise ConventionError(f"{path}: nested too deeply") from None
