"""The documents show real output: their commands and their Python are run, block by block.

In a ``console`` block a line after ``$`` is a command, and the lines behind it are all that a terminal would
show of it; ``--overwrite`` renews it. A ``python`` block with ``>>>`` is run as a doctest. A block with
a caption is a file, which is there from then on. Blocks of other languages are not run. A block after
``<!-- needs: torch keras -->`` is run where these can be imported, or are programs, apart from the others.
After ``<!-- shows: 1-9 -->`` a block shows these lines of each output, after ``<!-- shows: ^total -->`` those
that match, and ``...`` for each run of others: a reader pastes the command, without a filter behind it.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITH_PLUGIN = "docs/how-to/write-a-frontend.md"
"""The document whose commands have the example plugin installed."""
NEEDS = {
    "docs/how-to/count-a-paddle-model.md": "paddle",
    "docs/how-to/count-a-pytorch-model.md": "torch",
}
"""The frameworks that whole documents need, by their import names."""

FENCE = re.compile(
    r"^(?:<!-- needs: (?P<needs>[\w ]+) -->\n)?(?:^<!-- shows: (?P<shows>[^\n]+) -->\n)?"
    r"^(?P<fence>```+)(?P<language>\w+|\{code-block\} \w+)\n"
    r"(?::caption: (?P<file>\S+)\n\n)?(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def written() -> list[Path]:
    """Return the documents that are written by hand and have something to run."""
    found = [ROOT / "README.md", ROOT / "frontends" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    made = (ROOT / "docs" / "reference" / "generated", ROOT / "docs" / "_build")
    return [path for path in found if not any(path.is_relative_to(folder) for folder in made)]


DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path
    for path in written()
    if re.search(r"^(```console|>>> )", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def needs(name: str, block: re.Match[str]) -> str:
    """Return the packages that a block of a document needs, by import names."""
    return block["needs"] or NEEDS.get(name, "")


def is_run(block: re.Match[str]) -> bool:
    """Return whether a block is a command or a session, and not a file or something to look at."""
    return block["language"] == "console" or (block["language"] == "python" and ">>> " in block["text"])


QUICK = ("", "jq")
"""Packages that take no seconds to import."""
PARTS = [
    (name, part)
    for name, path in DOCUMENTS.items()
    for part in sorted({needs(name, b) for b in FENCE.finditer(path.read_text("utf-8")) if is_run(b)})
]
"""Blocks of a document that are run together, since they need the same packages."""


def environment(site: Path) -> dict[str, str]:
    """Return the settings of a command: this interpreter's environment first, and no terminal."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    settings = {"PATH": path, "PYTHONPATH": found, "PYTHONUTF8": "1", "NO_COLOR": "1"}
    kept = {name: value for name, value in os.environ.items() if name != "COLUMNS"}  # nothing is wrapped
    return {**kept, **settings}


def install_plugin(site: Path) -> None:
    """Put the example plugin where Python finds it, with the entry points that it declares."""
    plugin = ROOT / "tests" / "example_plugin"
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(plugin / "flopledger_toy", site / "flopledger_toy")
    info = site / f"flopledger_toy-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\n")
    lines = [f"[{group}]\n{name} = {module}\n" for group, name, module in entry_points(project)]
    (info / "entry_points.txt").write_text("".join(lines))


def entry_points(project: dict[str, dict[str, dict[str, str]]]) -> list[tuple[str, str, str]]:
    groups = project["entry-points"]
    return [(group, name, module) for group, names in groups.items() for name, module in names.items()]


def run(command: str, folder: Path, settings: dict[str, str]) -> tuple[int, str]:
    """Run a command; return the output of both channels as a terminal shows it."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def shown(output: str, part: str | None) -> str:
    """Return the lines of an output that a document shows, and ``...`` for each run of others."""
    if part is None or not output:
        return output
    numbers = re.fullmatch(r"(\d+)-(\d+)", part)
    lines = output.splitlines()
    kept = [
        int(numbers[1]) <= number <= int(numbers[2]) if numbers else re.search(part, line) is not None
        for number, line in enumerate(lines, start=1)
    ]
    assert any(kept), f"nothing of the output is shown: {part}"
    parts = itertools.groupby(zip(lines, kept, strict=True), key=lambda pair: pair[1])
    text = (f"{line}\n" for keep, run in parts for line in ([line for line, _ in run] if keep else ["..."]))
    return "".join(text)


class Reader:
    """Runs the blocks of a document, in a folder of its own that has the example networks."""

    def __init__(self, document: Path, folder: Path, *, overwrite: bool) -> None:
        self.document, self.folder, self.overwrite = document, folder, overwrite
        self.text = document.read_text(encoding="utf-8")
        shutil.copytree(ROOT / "examples", folder / "examples")
        site = folder / "site"
        site.mkdir()
        if document == ROOT / WITH_PLUGIN:
            install_plugin(site)
        self.settings = environment(site)

    def read(self, part: str) -> int:
        """Do all that needs what the part does, and return how many commands and sessions were run."""
        name, done = self.document.relative_to(ROOT).as_posix(), 0
        for block in FENCE.finditer(self.text):
            if block["file"]:
                file = self.folder / block["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block["text"], encoding="utf-8")
            elif is_run(block) and needs(name, block) == part:
                done += self.block(block)
        return done

    def block(self, block: re.Match[str]) -> int:
        if block["language"] == "console":
            return sum(self.command(*found, block["shows"]) for found in COMMAND.findall(block["text"]))
        return self.session(block["text"])

    def command(self, command: str, output: str, part: str | None) -> bool:
        """Run a command. It fails if the document shows an error, and only then."""
        code, printed = run(command, self.folder, self.settings)
        assert "Traceback" not in printed, printed
        printed = shown(printed, part)
        assert str(ROOT) not in printed, "a document does not show where this repository lies"
        if self.overwrite and printed != output:
            text = self.document.read_text(encoding="utf-8")
            renewed = text.replace(f"$ {command}\n{output}", f"$ {command}\n{printed}")
            self.document.write_text(renewed, encoding="utf-8")
            output = printed
        assert printed == output, command
        refused = any(line.startswith("Error: ") for line in output.splitlines())
        answers_no = code == 1 and re.match(r"flopledger (check|compare) ", command) is not None
        assert (code != 0) == (refused or answers_no), command
        return True

    def session(self, session: str) -> bool:
        (self.folder / "session.txt").write_text(session, encoding="utf-8")
        code, printed = run("python -m doctest session.txt", self.folder, self.settings)
        assert (code, printed) == (0, "")
        return True


@pytest.mark.parametrize(
    ("name", "part"),
    [
        pytest.param(
            name, part, id=f"{name} {part}".strip(), marks=[pytest.mark.slow] if part not in QUICK else []
        )
        for name, part in PARTS
    ],
)
def test_a_document_shows_what_happens(name: str, part: str, tmp_path: Path, *, overwrite: bool) -> None:
    missing = [
        name for name in part.split() if importlib.util.find_spec(name) is None and shutil.which(name) is None
    ]
    if missing:
        pytest.skip(f"what {name} shows needs {', '.join(missing)}, which is not installed")
    assert Reader(DOCUMENTS[name], tmp_path, overwrite=overwrite).read(part) > 0


def test_the_documents_that_show_something_are_known() -> None:
    needed = {"README.md", "docs/tutorial/first-count.md", "docs/how-to/price-my-own-op.md", WITH_PLUGIN}
    assert needed <= DOCUMENTS.keys()


def test_what_documents_need_is_a_framework_and_not_a_slip_of_the_pen() -> None:
    needed = {module for _, part in PARTS for module in part.split()}
    assert needed <= {"torch", "keras", "tensorflow", "paddle", "transformers", "jq"}


def test_no_block_that_is_to_be_run_is_indented() -> None:
    for path in written():
        assert re.findall(r"^ +```(?:console|python)", path.read_text(encoding="utf-8"), re.MULTILINE) == []


def test_python_that_is_shown_but_not_run_is_python_all_the_same() -> None:
    for path in written():
        for block in FENCE.finditer(path.read_text(encoding="utf-8")):
            if block["language"].endswith("python") and ">>> " not in block["text"]:
                compile(block["text"], str(path), "exec")


def test_no_command_needs_a_filter_behind_it() -> None:
    """A reader pastes the command alone; a program would use jq."""
    for path in written():
        for block in FENCE.finditer(path.read_text(encoding="utf-8")):
            if block["language"] == "console":
                commands = [command for command, _ in COMMAND.findall(block["text"])]
                found = [one for one in commands if re.search(r"(^|\| *)(sed|grep|cut|head|tail|awk) ", one)]
                assert found == [], path
