"""``python -m pages FOLDER`` writes the reference pages into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pages

pages.write(Path(sys.argv[1]))
