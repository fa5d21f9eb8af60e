"""The available conventions, and the file of each."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.errors import ConventionError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


FOLDER = Path(__file__).parent


@functools.cache
def shipped() -> Mapping[str, Path]:
    """Return flopledger's own conventions by name."""
    return {path.stem: path for path in FOLDER.glob("*.toml")}


def known(extra: Iterable[Path] = ()) -> tuple[str, ...]:
    """Return the names of the conventions that can be named: ours, and those of plugins."""
    return tuple(sorted((*shipped(), *(path.stem for path in extra))))


def find(name: str, extra: Iterable[Path] = ()) -> Path:
    """Return the file of a convention: a name, or the path of a file.

    Raises:
        ConventionError: There is none; the message names the nearest.
    """
    if name.endswith(".toml") or "/" in name or "\\" in name:
        return Path(name)
    files = {**shipped(), **{path.stem: path for path in extra}}
    if name not in files:
        message = f"there is no convention {name!r}{nearest(name, files)}"
        raise ConventionError(f"{message} (`flopledger conventions` lists them; a file is named by its path)")
    return files[name]
