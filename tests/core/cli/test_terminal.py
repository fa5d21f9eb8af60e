"""On a terminal: the sign of life stays within its line, and the result is written after it is wiped out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable

LENET = str(Path(__file__).parents[3] / "examples" / "lenet.prototxt")
CODE = """
import sys
from flopledger.cli import progress, run
progress.PATIENCE = progress.STEP = 0.01
real = progress._spin
from flopledger.reading import read
slow = read.Readings.read
def slowly(*given):
    import time; time.sleep(0.4)
    return slow(*given)
read.Readings.read = slowly
sys.exit(run(sys.argv[1:]))
"""


def on_terminal(columns: int, *args: str) -> str:
    """Run a command whose stdout and stderr are one terminal, and return all that it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-c", CODE, *args]
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1"}
    environment.pop("COLUMNS", None)
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            written += block
        assert process.wait() == 0
    os.close(ours)
    return written.decode()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_progress_fits_its_line_and_is_gone_before_the_result(columns: int) -> None:
    written = on_terminal(columns, "count", LENET, LENET)
    before, wiped, result = written.rpartition("\r\x1b[K")

    assert wiped
    assert "1 of 2: "[:columns] in before
    lines = [line for frame in before.split("\x1b[K") for line in frame.split("\r") if line.strip()]
    assert lines
    assert max(map(len, lines)) < columns
    assert "MAC" in result
    assert not any(frame in result for frame in ("| reading", "/ reading", "- reading"))


def test_explain_writes_after_its_progress_too() -> None:
    written = on_terminal(80, "explain", LENET, "--all")
    result = written.rpartition("\r\x1b[K")[2]

    assert result.lstrip("\r\n").startswith(LENET[:20])


TABLES = (
    "count lenet.prototxt",
    "count lenet.prototxt resnet.prototxt",
    "count lenet.prototxt resnet.prototxt -c mac -c ops",
    "count lenet.prototxt -c mac -c 2mac -c ops -c netscope -c convnet-burden",
    "count resnet.prototxt --top 9",
    "count resnet.prototxt --by kind",
    "count lenet.prototxt --device h100-sxm",
    "count toy.json",
    "explain lenet.prototxt mac ops",
    "explain lenet.prototxt mac ops --layers",
    "explain lenet.prototxt --all",
    "explain lenet.prototxt 2.3M",
    "explain lenet.prototxt 2.3M 4.6M",
    "compare lenet.prototxt other.prototxt",
    "compare lenet.prototxt other.prototxt --layers -c mac -c ops",
    "check lenet.prototxt --max-macs 3M",
    "check lenet.prototxt other.prototxt --max-macs 1M --max-params 1M",
    "check other.prototxt --against lenet.json",
    "conventions",
    "conventions ops",
    "conventions convnet-burden",
    "frontends",
    "memory lenet.prototxt",
    "scan lenet.prototxt broken.prototxt -o new.db",
    "zoo zoo.db",
    "zoo zoo.db --against old.db",
)
"""Every command that writes a table for people, except llm, which has a test of its own beside its others."""
NARROW = {"The", "change", "cause"}
"""The words of explain --all that are there where the causes have a table of their own."""
BARS = frozenset("▏▎▍▌▋▊▉█")
SEPARATORS = "-/._:=,"


@pytest.fixture
def write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run the command in this process, in a folder of its own, and return what it writes in so many columns,
    None for no limit. Each table is written at four widths, and a process for each would take a minute."""
    monkeypatch.chdir(tmp_path)

    def write(*args: str, columns: int | None = None) -> str:
        monkeypatch.delenv("COLUMNS", raising=False)
        if columns:
            monkeypatch.setenv("COLUMNS", str(columns))
        capfd.readouterr()
        run(args)
        written = capfd.readouterr()
        assert written.out or "-o" in args, written.err
        return written.out

    return write


@pytest.fixture
def networks(tmp_path: Path, toy: Path, write: Callable[..., str]) -> Path:
    """A folder of what :data:`TABLES` read: a larger LeNet is the other network."""
    examples = Path(LENET).parent
    lenet = Path(LENET).read_text()
    (tmp_path / "lenet.prototxt").write_text(lenet)
    (tmp_path / "other.prototxt").write_text(lenet.replace("num_output: 500", "num_output: 600"))
    (tmp_path / "resnet.prototxt").write_bytes((examples / "resnet18.prototxt").read_bytes())
    (tmp_path / "broken.prototxt").write_text("layer {")
    write("count", "lenet.prototxt", "--format", "json", "-o", "lenet.json")
    return toy.parent


@pytest.mark.parametrize("command", TABLES)
def test_tables_fit_the_terminal_and_keep_their_words(
    command: str, networks: Path, write: Callable[..., str]
) -> None:
    """A line is no wider than the terminal, every word is one of those that a table without a limit has, and
    all of these are there but those of columns that the table says it has no room for."""

    if command.startswith("zoo"):
        write("scan", "lenet.prototxt", "other.prototxt", "-c", "mac", "-c", "ops", "-o", "zoo.db")
        (networks / "old.db").write_bytes((networks / "zoo.db").read_bytes())
        (networks / "other.prototxt").write_bytes((networks / "lenet.prototxt").read_bytes())
        write("scan", "other.prototxt", "-c", "mac", "-c", "ops", "-o", "zoo.db")

    def table(columns: int | None, *more: str) -> str:
        for database in networks.glob("new.db*"):
            database.unlink()
        return write(*command.split(), *more, columns=columns)

    wide = table(None)
    known = (
        words(wide)
        | NARROW
        | (words(table(None, "--units", "auto")) if command.startswith("count") else set())
    )
    for columns in (40, 80, 200):
        narrow = table(columns)
        lines = [line for line in narrow.splitlines() if not line.startswith('    "')]  # code is for a file
        assert max(map(len, lines)) <= columns, narrow
        text = " ".join(narrow.split())
        dropped = re.search(
            r"No room for (?!figures)(.*?): choose with --columns, or write to a file\.", text
        )
        short = "No room for figures in full: fewer columns or conventions, or write to a file."
        found = words(text.replace(dropped[0] if dropped else "", "").replace(short, ""))
        whole = {word for word in known if len(word) <= columns - 12}
        broken = {word for word in found - known if word[-1] not in SEPARATORS}
        assert not [word for word in broken if not any(long.endswith(word) for long in known - whole)], narrow
        if not dropped and short not in text:
            assert words(wide) & whole <= found, narrow


def words(text: str) -> set[str]:
    """Return the words of a text, without the colons after labels; bars are no words."""
    return {word.removesuffix(":") for word in text.split() if set(word) - BARS}


def test_many_conventions_fit_a_narrow_terminal(write: Callable[..., str]) -> None:
    names = ("mac", "2mac", "ops", "netscope", "convnet-burden")
    chosen = [word for name in names for word in ("-c", name)]
    table = write("count", LENET, *chosen, columns=80).split("\n\n")[1]

    assert max(map(len, table.splitlines())) <= 80
    assert [line.split() for line in table.splitlines()[:2]] == [
        ["layer", "params", *names],
        ["(MAC)", "(FLOP)", "(FLOP)", "(MAC)", "(MAC)"],
    ]
