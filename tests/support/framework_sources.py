"""The sources that a framework's networks may have, as its frontend lists them in ``sources.txt``."""

from __future__ import annotations

import textwrap
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WIDTH = 110


def public(module: object, keep: Callable[[object], bool] = callable) -> list[str]:
    """Return the names of a module that its users see and that ``keep`` accepts."""
    return sorted(name for name in dir(module) if name[0] != "_" and keep(getattr(module, name, None)))


def check(package: str, version: str, found: Mapping[str, list[str]], *, overwrite: bool) -> None:
    """Compare a framework's names with a frontend's list, which is of one version, or renew that."""
    path = Path(str(resources.files(package))) / "sources.txt"
    if not overwrite and not path.read_text().startswith(f"# {version}\n"):
        pytest.skip(f"the list is of another version than {version}")
    lines = [
        textwrap.wrap(" ".join(names), WIDTH, initial_indent=f"{space}: ", subsequent_indent=f"{space}: ",
                      break_long_words=False, break_on_hyphens=False)
        for space, names in found.items()
    ]  # fmt: skip
    written = f"# {version}\n" + "".join(f"{line}\n" for each in lines for line in each)
    if overwrite:
        path.write_text(written)
    assert path.read_text() == written, "run again with --overwrite"
