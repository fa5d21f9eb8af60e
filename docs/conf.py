"""How Sphinx builds the documentation; the reference is written from flopledger itself before each build."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
PROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
release = version = PROJECT["version"]

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]
smartquotes = False
"""They make a dash of the two hyphens of an option that a text names."""

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_copyright = False

man_pages = [
    ("reference/generated/commands", project, PROJECT["description"], [PROJECT["authors"][0]["name"]], 1)
]
"""The manual page, ``sphinx-build -b man``: the page of the commands, which is written from their help."""


def write_reference(_: Sphinx) -> None:
    """Write the generated pages of the reference."""
    sys.path.insert(0, str(DOCS))
    import pages  # noqa: PLC0415  (it lies in this folder, which is not on the search path)

    pages.write(DOCS / "reference" / "generated")


def setup(app: Sphinx) -> None:
    """Let the reference be written before the sources are read."""
    app.connect("builder-inited", write_reference)
