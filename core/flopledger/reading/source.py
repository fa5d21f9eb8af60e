"""The meaning of the text that names a source: a file, or an attribute of a module or of a Python file."""

from __future__ import annotations

import itertools
import os
from pathlib import Path, PurePath
from typing import TypeAlias

from flopledger import input_files
from flopledger.errors import MOST_NAMES, SourceError, near_names
from flopledger.records import dataclass

_EXPECTED = "Expected a file, package.module:attribute, file.py:attribute or a model such as timm:resnet50"
LIKE_A_FILE = 0.6
"""How alike names of files are; half of its letters makes keras_seeds.py like the model bert-base-uncased."""
_READABLE = ("", "a directory")
"""The forms of a source: a regular file; or a directory, which a frontend of somebody else's may read."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, dotted if it is nested, of a module or of a Python file."""

    module: str | Path
    name: str

    @property
    def folder(self) -> Path:
        """The first entry of the search path while it is imported."""
        return self.module.resolve().parent if isinstance(self.module, Path) else Path.cwd()


Target: TypeAlias = "Path | Attribute"


def locate(source: str) -> Target:
    """Parse the text of a source: an existing file, or an attribute of a module or file.

    Raises:
        SourceError: It is neither, or a pipe, a device or a socket, which could keep us waiting for ever.
    """
    if os.path.exists(source):  # noqa: PTH110  (pathlib raises for names that no file can have)
        found = input_files.kind(source)
        if found not in _READABLE:
            raise SourceError(f"{source}: it is {found}, expected a regular file")
        return Path(source)
    head, colon, name = source.rpartition(":")
    if not colon:
        raise SourceError(f"{source!r} is no file{_suggested(source)}{_EXPECTED}")
    if not all(part.isidentifier() for part in name.split(".")):
        raise SourceError(f"{source!r}: no such file, and {name!r} is no attribute's name. {_EXPECTED}")
    if head.endswith(".py"):
        found = input_files.kind(head)
        if found:
            suggestion = _suggested(head).rstrip(". ") if found == "nothing" else ""
            raise SourceError(f"{source!r}: there is {_no_file(found)} {head!r}{suggestion}")
        return Attribute(Path(head), name)
    if not all(part.isidentifier() for part in head.split(".")):
        raise SourceError(f"{source!r}: {head!r} is neither a module's name nor a Python file. {_EXPECTED}")
    return Attribute(head, name)


def _suggested(path: str) -> str:
    """Return the end of a sentence: the file that is spelled most like a path, if there is one."""
    near = _near_file(Path(path))
    return f"; did you mean {str(near)!r}? " if near else ". "


def _near_file(path: Path) -> Path | None:
    """Return the file whose path is spelled most like another, folder by folder."""
    found, *parts = Path(path.anchor), *path.parts[len(Path(path.anchor).parts) :]
    for part in parts:
        try:
            with os.scandir(found) as entries:
                names = [entry.name for entry in itertools.islice(entries, MOST_NAMES)]
        except (OSError, ValueError):
            return None
        name = part if part in {"..", *names} else _near_name(part, names)
        if name is None:
            return None
        found /= name
    return found if found.is_file() else None


def _near_name(name: str, names: list[str]) -> str | None:
    """Return the nearest of a folder's names: of its kind, or with another ending."""
    asked = PurePath(name)
    alike = {PurePath(other).stem: other for other in names if other.endswith(asked.suffix)}
    near = near_names(asked.stem, alike, LIKE_A_FILE)
    others = [other for other in names if PurePath(other).stem == asked.stem]
    return alike[near[0]] if near else min(others, default=None)


def _no_file(kind: str) -> str:
    return "no file" if kind == "nothing" else f"{kind}, expected a file of Python code:"
