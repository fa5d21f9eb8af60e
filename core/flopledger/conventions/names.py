"""The available conventions, and the file of each."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger import input_files
from flopledger.errors import ConventionError, near_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


FOLDER = Path(__file__).parent
LARGEST_FILE = 200_000
"""The largest convention file that is read, in bytes."""
UNITS = {"flops": "2mac", "flop": "2mac", "macs": "mac"}
"""Units that name a convention, as most people call it."""
MEANT = FOLDER / "meant.json"
"""What people call a quantity, a framework or a maker of tools, in lower case without hyphens, and the
conventions that they mean; none for a viewer that counts nothing."""
MOST_NAMED = 3
"""How many conventions a message about an unknown one names."""
ABOUT = ("title", "tool", "description", "frameworks", "source")
"""Keys of a convention's file whose texts are searched for an unknown name."""


@functools.cache
def shipped() -> Mapping[str, Path]:
    """Return flopledger's own conventions by name."""
    return {path.stem: path for path in FOLDER.glob("*.toml")}


def known(extra: Iterable[Path] = ()) -> tuple[str, ...]:
    """Return the names of the conventions that can be named: ours, and those of plugins."""
    return tuple(sorted((*shipped(), *(path.stem for path in extra))))


def known_as(name: str, extra: Iterable[Path] = ()) -> str | None:
    """Return the convention that a name means: its own, in any case, or a unit's; None if there is none."""
    names = known(extra)
    spelled = {own.lower(): own for own in names}
    lower = name.lower()
    return name if name in names else spelled.get(UNITS.get(lower, lower))


def find(name: str, extra: Iterable[Path] = ()) -> Path:
    """Return the file of a convention: a name, or the path of a file.

    Raises:
        ConventionError: There is none; the message names the nearest.
    """
    if name.endswith(".toml") or "/" in name or "\\" in name:
        return Path(name)
    files = {**shipped(), **{path.stem: path for path in extra}}
    found = known_as(name, extra)
    if found is None:
        message = f"there is no convention {name!r}{_suggested(name, files)}"
        raise ConventionError(f"{message} (`flopledger conventions` lists them; a file is named by its path)")
    return files[found]


def _suggested(name: str, files: Mapping[str, Path]) -> str:
    """Return ``"; did you mean ...?"`` for the conventions with a similar name, or that are about it."""
    meant = json.loads(input_files.read_text(MEANT, LARGEST_FILE)).get(re.sub(r"[^a-z0-9]", "", name.lower()))
    if meant is not None:
        return f"; did you mean {_either(meant)}?" if meant else f": {name} gives no figures"
    about = [other for other, path in sorted(files.items()) if _is_about(name, path)]
    near = [UNITS.get(other, other) for other in near_names(name, [*files, *UNITS])]
    named = list(dict.fromkeys([*about[:MOST_NAMED], *near]))
    return f"; did you mean {_either(named)}?" if named else ""


def _either(names: Sequence[str]) -> str:
    """Return names as alternatives."""
    *others, last = map(repr, names)
    return f"{', '.join(others)} or {last}" if others else last


def _is_about(name: str, path: Path) -> bool:
    """Return whether a convention's own description has a name as a word, in any case."""
    try:
        content = tomllib.loads(input_files.read_text(path, LARGEST_FILE))
    except (OSError, ValueError):  # a plugin's file may be broken: it is reported where it is asked for
        return False
    about = " ".join(str(content.get(key, "")) for key in ABOUT).lower()
    return re.search(rf"(?<![a-z0-9]){re.escape(name.lower())}(?![a-z0-9])", about) is not None
