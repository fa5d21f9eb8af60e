"""Writes the reference pages from flopledger itself: kinds, conventions, names, hooks, commands, schemas.

``conf.py`` does so before each build, into ``reference/generated``, which git does not keep. By hand::

    cd docs && python -m pages FOLDER
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages import commands, conventions, expressions, hooks, kinds, library, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WRITERS = (kinds, conventions, expressions, hooks, commands, schemas, library)
"""The modules of this package that hold pages: each has a function ``pages``."""


def every_page() -> Mapping[str, str]:
    """Return the text of each page by its path below the folder, without ``.md``."""
    return {name: text for writer in WRITERS for name, text in writer.pages().items()}


def write(folder: Path) -> None:
    """Write all pages, leave those alone that have not changed, and remove those that are gone."""
    pages = {folder / f"{name}.md": text for name, text in every_page().items()}
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.rglob("*.md"):
        if path not in pages:
            path.unlink()
