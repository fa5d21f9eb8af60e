"""The JSON documents in a .pt2 archive: the program, and the place of each weight.

``torch.export.load`` unpickles the sample inputs, custom objects and some constants and weights, evaluates
the program's conditions on its inputs as Python code and its sizes with ``sympify``. None of its loaders is
used here: two JSON documents contain all that a reading needs, and nothing else of the archive is opened.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Any

from flopledger.frontend import SourceError, bounded, dataclass, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_BYTES = 1 << 28
"""The most bytes of a program's JSON; one node takes some 2,000, mostly for the lines that it came from."""
MOST_VALUES = 1 << 22
"""The most values in it; one node takes some 80."""

_OLDER = "serialized_exported_program.json"
"""The program in an archive of torch 2.5 to 2.7."""
_PROGRAM = re.compile(r"(?:[^/]+/)?models/([^/]+)\.json")
_MAJOR = (7, 8)
"""The versions of the format that are read: 8 is that of torch 2.5 and newer."""


@dataclass(slots=True)
class Documents:
    """The parts of an archive that describe a program.

    Attributes:
        program: The program: its graph, signature and ranges of sizes.
        weights: The place of each weight, by its name; nothing in archives of torch up to 2.7.
    """

    program: dict[str, Any]
    weights: Mapping[str, Any] = field(default_factory=dict)


def documents(path: Path) -> Documents:
    """Return the documents of an archive.

    Raises:
        SourceError: It is no archive of an exported program, or one of several programs.
    """
    names = bounded.names_in(path)
    if _OLDER in names:
        return Documents(_program(path, _OLDER))
    found = {match[1]: match[0] for name in names if (match := _PROGRAM.fullmatch(name))}
    if not found:
        raise SourceError(
            f"{path}: it can't be read as an exported program: there is neither a models/NAME.json in it nor "
            f"a {_OLDER}. It is made by torch.export.save"
        )
    if len(found) > 1 and "model" not in found:
        listed = ", ".join(shown(name) for name in sorted(found)[:9])
        raise SourceError(f"{path}: it holds several programs: {listed}; save one of them by itself")
    name = "model" if "model" in found else next(iter(found))
    root = found[name].removesuffix(f"models/{name}.json")
    weights = f"{root}data/weights/{name}_weights_config.json"
    config = _json(path, weights).get("config") if weights in names else {}
    return Documents(_program(path, found[name]), config if isinstance(config, dict) else {})


def _program(path: Path, name: str) -> dict[str, Any]:
    found = _json(path, name)
    version = found.get("schema_version")
    major = version.get("major") if isinstance(version, dict) else None
    if major not in _MAJOR:
        raise SourceError(
            f"{path}: its program has version {shown(major)} of the format, expected {_MAJOR[-1]}: "
            "save it with torch 2.6 or newer"
        )
    return found


def _json(path: Path, name: str) -> dict[str, Any]:
    content = bounded.member_of(path, name, MOST_BYTES)
    where = f"{path}: its {name}"
    try:
        found = bounded.json_of(content.decode(), where, most=MOST_VALUES)
    except UnicodeDecodeError as error:
        raise SourceError(f"{where} is no text: {error}") from None
    if not isinstance(found, dict):
        raise SourceError(f"{where} is no JSON object")
    return found


def malformed(what: str, found: object = None) -> SourceError:
    """Return the error that a program is not as the format has it."""
    tail = "" if found is None else f", found {shown(found)}"
    return SourceError(f"the exported program is malformed: {what}{tail}")


def union(value: object, what: str) -> tuple[str, Any]:
    """Return which of several things a value of the format is, and that."""
    if isinstance(value, dict) and len(value) == 1:
        return next(iter(value.items()))
    raise malformed(f"expected {what} of one key", value)


def text(value: object, what: str) -> str:
    """Return a value that has to be a text."""
    if isinstance(value, str):
        return value
    raise malformed(f"expected {what} to be a text", value)


def listed(value: object, what: str) -> list[Any]:
    """Return a value that has to be a list."""
    if isinstance(value, list):
        return value
    raise malformed(f"expected {what} to be a list", value)


def mapping(value: object, what: str) -> dict[str, Any]:
    """Return a value that has to be an object."""
    if isinstance(value, dict):
        return value
    raise malformed(f"expected {what} to be an object", value)


def whole(value: object, what: str) -> int:
    """Return a value that has to be a whole number that fits into 64 bits."""
    if type(value) is int and -(1 << 63) <= value < 1 << 63:
        return value
    raise malformed(f"expected {what} to be a whole number", value)
