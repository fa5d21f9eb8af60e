"""One door each way: files of others are opened in one place, and text for people is printed in one.

A second place would be one that forgets the check; whoever needs it adds it here, with the reason.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENING = frozenset(
    {"open", "read_text", "read_bytes", "fdopen", "ZipFile", "is_zipfile", "File", "TemporaryFile", "mkstemp"}
)
OPENERS = {
    "core/flopledger/input_files.py": "the door itself",
    "core/flopledger/bounded.py": "archives, of a stream that the door has opened",
    "core/flopledger/cli/output.py": "targets of -o, which it opens for writing",
    "core/flopledger/report/view/page.py": "the parts of a page, which are files of this package",
    "core/flopledger/cli/exits.py": "the null device",
    "core/flopledger/reading/child_process.py": "unnamed files of its own",
    "core/flopledger/reading/fork_server.py": "unnamed files of its own",
    "core/flopledger/reading/server.py": "the null device",
    "core/flopledger/reading/memory.py": "what the kernel says of this process",
    "core/flopledger/reading/worker.py": "the task, by its descriptor",
    "core/flopledger/reading/processes.py": "what the kernel says of processes",
    "core/flopledger/frontend/forked.py": "pipes of its own",
    "frontends/flopledger_keras/files.py": "zipfile, which is asked whether it is an archive",
    "frontends/flopledger_keras/hdf5.py": "HDF5, through a stream that was opened in the checked way",
    "frontends/flopledger_paddle/internals.py": "programs, whose framework opens files itself",
}
PRINTING = frozenset({"print", "echo", "secho", "stderr", "stdout", "print_exception"})
PRINTERS = {
    "core/flopledger/cli/messages.py": "the door to stderr",
    "core/flopledger/cli/output.py": "the door to stdout",
    "core/flopledger/cli/exits.py": "flushes stdout and lets go of it",
    "core/flopledger/cli/count.py": "asks whether stdout is a terminal",
    "core/flopledger/cli/live.py": "asks whether stderr is a terminal",
    "core/flopledger/cli/progress.py": "asks whether stderr is a terminal",
    "core/flopledger/__main__.py": "the last word on an exception, through the door",
    "core/flopledger/report/plain.py": "rich's console, captured",
    "core/flopledger/report/shown.py": "asks whether stdout is a terminal, as IPython's is",
    "core/flopledger/reading/worker.py": "the child, whose prints the parent relays",
    "core/flopledger/testing.py": "a script that a test runs, and its answer",
}
RECORDED = frozenset({"recorder", "self", "listener"})
"""A tracer opens the record of a call, not a file."""


def _calls(path: Path) -> Iterator[str]:
    """Yield the last name of every call, and of every attribute of ``sys``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            yield node.attr
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node.func, ast.Attribute):
            base = node.func.value
            if not (isinstance(base, ast.Name) and base.id in RECORDED | {"input_files"}):
                yield node.func.attr


@pytest.mark.parametrize(
    ("names", "allowed"), [(OPENING, OPENERS), (PRINTING, PRINTERS)], ids=["open", "print"]
)
def test_what_opens_files_or_prints_is_listed_with_its_reason(
    names: frozenset[str], allowed: dict[str, str], root: Path
) -> None:
    modules = [path for folder in ("core", "frontends") for path in (root / folder).rglob("*.py")]
    found = {str(path.relative_to(root)) for path in modules if names.intersection(_calls(path))}
    assert found <= allowed.keys()
