"""The common part of the tests of the documentation: the reference, written again."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def reference(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the generated pages, as ``make docs`` writes them."""
    folder = tmp_path_factory.mktemp("reference")
    command = [sys.executable, "-m", "pages", str(folder)]
    done = subprocess.run(command, cwd=root / "docs", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder
