"""Compares changed conventions with what the tools answered, for one framework, in a process of its own.

python recorded.py torch|keras|paddle < CHANGES

Reads a JSON list of ``[name, convention, text]``; prints the names of the changes under which some figure of
a probe differs from the recorded one. Each probe is read once.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

DIFFERENTIAL = Path(__file__).resolve().parents[1] / "differential"


def noticed(framework: str, changes: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return the names of the changes that a comparison with recorded answers notices."""
    sys.path[:0] = [str(DIFFERENTIAL), str(DIFFERENTIAL.parent / "support")]
    probes: Any = importlib.import_module(f"count_{framework}_probes")
    folder = Path(tempfile.mkdtemp(prefix="prove-"))
    waiting: dict[str, tuple[str, str]] = {}
    for number, (name, convention, text) in enumerate(changes):
        file = folder / str(number) / f"{convention}.toml"
        file.parent.mkdir()
        file.write_text(text)
        waiting[name] = (convention, str(file))
    found = []
    for probe in probes.names():
        figures = probes.figures(probe, {convention for convention, _ in waiting.values()})
        for name, (convention, file) in list(waiting.items()):
            if convention in figures and figures[convention](convention) != figures[convention](file):
                found.append(name)
                del waiting[name]
    return found


if __name__ == "__main__":
    json.dump(noticed(sys.argv[1], json.load(sys.stdin)), sys.stdout)
