"""On a terminal: the sign of life stays within its line, and the result is written after it is wiped out."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize(
    "command",
    [
        ["count", LENET, "-c", "mac", "-c", "ops"],
        ["explain", LENET, "mac", "ops"],
        ["explain", LENET, "--all"],
        ["explain", LENET, "2.3M"],
        ["check", LENET, "--max-macs", "3M"],
        ["conventions"],
        ["conventions", "ops"],
        ["frontends"],
    ],
    ids=" ".join,
)
def test_no_line_is_wider_than_the_terminal_and_no_word_is_broken(
    command: list[str], flopledger: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "lenet.prototxt").write_bytes(Path(LENET).read_bytes())
    given = ["lenet.prototxt" if word == LENET else word for word in command]
    narrow = flopledger(*given, env={"COLUMNS": "80"}).stdout
    wide = flopledger(*given).stdout

    words = {word for word in wide.split() if set(word) - set("▏▎▍▌▋▊▉█")}
    file_names = (line for line in narrow.splitlines() if "/" not in line)
    assert max(map(len, file_names)) <= 80
    assert words <= set(narrow.split())


def test_many_conventions_fit_a_narrow_terminal(
    flopledger: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    names = ("mac", "2mac", "ops", "netscope", "convnet-burden")
    chosen = [word for name in names for word in ("-c", name)]
    table = flopledger("count", LENET, *chosen, env={"COLUMNS": "80"}).stdout.split("\n\n")[1]

    assert max(map(len, table.splitlines())) <= 80
    assert [line.split() for line in table.splitlines()[:2]] == [
        ["layer", "params", *names],
        ["(MAC)", "(FLOP)", "(FLOP)", "(MAC)", "(MAC)"],
    ]
