"""Compares changed conventions with recorded answers, for one framework, in a process of its own.

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

from flopledger.conventions import loader
from flopledger.errors import FlopledgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DIFFERENTIAL = Path(__file__).resolve().parents[1] / "differential"


def noticed(framework: str, changes: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return the names of the changes that a comparison with recorded answers notices."""
    sys.path[:0] = [str(DIFFERENTIAL), str(DIFFERENTIAL.parent / "support")]
    probes: Any = importlib.import_module(f"count_{framework}_probes")
    folder = Path(tempfile.mkdtemp(prefix="prove-"))
    waiting: dict[str, tuple[str, object]] = {}
    found = []
    for number, (name, convention, text) in enumerate(changes):
        file = folder / str(number) / f"{convention}.toml"
        file.parent.mkdir()
        file.write_text(text)
        try:
            waiting[name] = (convention, loader.load(str(file)))
        except FlopledgerError:  # such as a definition that its own names can no longer be
            found.append(name)
    for probe in probes.names():
        figures = probes.figures(probe, {convention for convention, _ in waiting.values()})
        recorded = {convention: _answer(figure, convention) for convention, figure in figures.items()}
        for name, (convention, changed) in list(waiting.items()):
            if convention in figures and _answer(figures[convention], changed) != recorded[convention]:
                found.append(name)
                del waiting[name]
    return found


def _answer(figure: Callable[[object], Any], convention: object) -> object:
    """Return a figure, or the name of the error that a changed convention may raise in its place."""
    try:
        return figure(convention)
    except FlopledgerError as error:
        return type(error).__name__


if __name__ == "__main__":
    json.dump(noticed(sys.argv[1], json.load(sys.stdin)), sys.stdout)
