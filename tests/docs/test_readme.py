"""What the README shows is what happens: its commands and its Python are run, their output compared.

In a ``console`` block a line after ``$`` is a command, and what follows is its whole output, which
``--overwrite`` renews. A ``python`` block is run as a doctest. Blocks of other languages are not run.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)

BLOCKS = FENCE.findall(README.read_text(encoding="utf-8"))
COMMANDS = [found for language, text in BLOCKS if language == "console" for found in COMMAND.findall(text)]
SESSIONS = [text for language, text in BLOCKS if language == "python"]


def test_the_readme_shows_a_command_and_a_session() -> None:
    assert COMMANDS
    assert SESSIONS


@pytest.mark.parametrize(("command", "output"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_prints_what_the_readme_shows(command: str, output: str, *, overwrite: bool) -> None:
    """The commands are those of this interpreter's environment, and standard output is no terminal."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=README.parent, env=settings, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
    if overwrite:
        text = README.read_text(encoding="utf-8")
        README.write_text(text.replace(f"$ {command}\n{output}", f"$ {command}\n{printed}"), encoding="utf-8")
    else:
        assert printed == output


@pytest.mark.parametrize("session", SESSIONS, ids=range(len(SESSIONS)))
def test_a_python_session_prints_what_the_readme_shows(session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(README.parent)
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", str(README), 0)
    assert test.examples
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert result.failed == 0, "".join(report)
