"""The installed distributions, as far as flopledger asks: whose entry points there are, and its own version.

``importlib.metadata`` answers the same and takes longer than the count of a small network: it imports parsers
of mail, CSV and archives, and parses the entry points of every distribution. Here the folders of metadata are
read directly, in the form that the packaging specifications give them. Where distributions may be in other
places, in an archive or behind an importer that lists its own, the library is asked.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from flopledger import input_files
from flopledger.lazy import attribute

LARGEST_FILE = 1_000_000
"""The part of a file of metadata that is read, in bytes; descriptions behind the headers may be long."""
UNKNOWN = "an unknown distribution"


class EntryPoint(NamedTuple):
    """A name that a distribution gives to a module, or to something in it (``package.module:attribute``)."""

    name: str
    value: str
    distribution: str

    def load(self) -> object:
        """Import the object that it names."""
        module, _, inner = self.value.partition("[")[0].replace(" ", "").partition(":")
        found: object = attribute(module)
        return attrgetter(inner)(found) if inner else found


def entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group; of distributions with one name, those of the first on the path."""
    if _are_elsewhere():
        from importlib import metadata  # noqa: PLC0415  (slow to import)

        found = metadata.entry_points(group=group)
        return [EntryPoint(one.name, one.value, one.dist.name if one.dist else UNKNOWN) for one in found]
    points: list[EntryPoint] = []
    for folder in _folders().values():
        listed = _listed(_start(f"{folder}/entry_points.txt"), group)
        distribution = _header(folder, "Name") if listed else ""
        points += [EntryPoint(name, value, distribution) for name, value in listed]
    return points


def version(distribution: str) -> str:
    """Return the version of a distribution that is installed."""
    folder = None if _are_elsewhere() else _folders().get(_normal(distribution))
    if folder is None:
        from importlib import metadata  # noqa: PLC0415  (slow to import)

        return metadata.version(distribution)
    return _header(folder, "Version")


def _are_elsewhere() -> bool:
    """Return whether distributions may be in other places than in the folders of the search path."""
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_distributions"))
    archives = (place for place in sys.path if place.endswith(".egg") or Path(place).is_file())
    return any(finder is not PathFinder for finder in finders) or any(archives)


def _folders() -> dict[str, str]:
    """Return the folder of metadata of each distribution, by its name; the first on the search path."""
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            with os.scandir(place or ".") as entries:
                folders = [entry for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for folder in folders:
            found.setdefault(_normal(folder.name.rpartition(".")[0].partition("-")[0]), folder.path)
    return found


def _normal(name: str) -> str:
    """Return a distribution's name as the names of folders of metadata are compared."""
    return name.lower().replace("-", "_").replace(".", "_")


def _start(path: str) -> str:
    return input_files.head(path, LARGEST_FILE).decode("utf-8", "replace")


def _header(folder: str, name: str) -> str:
    """Return a header of a distribution's metadata; they end at the first empty line."""
    text = _start(f"{folder}/METADATA") or _start(f"{folder}/PKG-INFO")
    headers = text.partition("\n\n")[0].splitlines()
    values = (line.partition(":")[2].strip() for line in headers if line.startswith(f"{name}:"))
    return next(values, UNKNOWN)


def _listed(text: str, group: str) -> list[tuple[str, str]]:
    """Return the names and values of a group in a file of entry points."""
    found: list[tuple[str, str]] = []
    section = ""
    for line in map(str.strip, text.splitlines() if group in text else ()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == group and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.append((name.strip(), value.strip()))
    return found
