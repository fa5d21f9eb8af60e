"""The user's own layers and functions, from a Python file that the user names."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from flopledger.frontend import SourceError, input_files


def defined(named: str) -> dict[str, Any]:
    """Run a Python file, and return the classes and functions that it defines, by name.

    Raises:
        SourceError: There is no such file.
    """
    path = Path(named)
    if input_files.kind(path):
        raise SourceError(f"custom_objects={named}: there is no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise SourceError(f"custom_objects={named}: Python can't import it")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if callable(value) and name[0] != "_"}
