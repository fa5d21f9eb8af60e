"""A model's code that prints, warns and logs: nothing of it is in a result, and it is there for who asks."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest
from flopledger.reading import noise

if TYPE_CHECKING:
    from conftest import Net

NOISE = """
import atexit, logging, subprocess, warnings
def loud(where):
    print(f"NOISE out {where}")
    print(f"NOISE err {where}", file=sys.stderr)
    os.write(1, b"NOISE one\\n")
    os.write(2, b"NOISE two: This TensorFlow binary is optimized\\n")
    warnings.warn(f"NOISE warning {where}")
    logging.getLogger("torch").warning("NOISE log")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("NOISE traceback")
    subprocess.run(["sh", "-c", "echo NOISE child; echo NOISE child >&2"])
loud("import")
atexit.register(loud, "exit")
def good_one():
    loud("make")
    return good()
def bad_one():
    loud("make")
    raise ValueError("no such variant")
"""
KINDS = ("out", "err", "one", "two", "warning", "log", "traceback", "child")


@pytest.fixture
def source(net: Net) -> str:
    net.file.write_text(net.head + NOISE)
    return f"{net.file}:"


def command(*args: str) -> tuple[list[str], dict[str, str]]:
    """Return a command, and an environment in which it finds the example plugin that is installed here."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "dumb", "NO_COLOR": "1"}
    environment.pop("COLUMNS", None)
    return [sys.executable, "-m", "flopledger", "count", *args], environment


def piped(*args: str) -> subprocess.CompletedProcess[str]:
    given, environment = command(*args)
    return subprocess.run(given, env=environment, capture_output=True, text=True, check=False)


def on_terminal(columns: int, *args: str) -> tuple[int, str]:
    """Run a command on a terminal, and return its exit code and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    given, environment = command(*args)
    written = b""
    with subprocess.Popen(given, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        try:
            while block := os.read(ours, 1 << 16):
                written += block
        except OSError:  # the other end is closed
            pass
        code = process.wait()
    os.close(ours)
    return code, written.decode()


def test_a_result_has_nothing_of_it(source: str) -> None:
    done = piped(f"{source}good_one")

    assert (done.returncode, done.stderr) == (0, "")
    assert "NOISE" not in done.stdout
    assert "own FLOP" in done.stdout


def test_a_failure_is_one_sentence(source: str) -> None:
    done = piped(f"{source}bad_one")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Error: ")
    assert "ValueError: no such variant" in done.stderr
    assert "NOISE" not in done.stderr


@pytest.mark.parametrize(("name", "code"), [("good_one", 0), ("bad_one", 3)])
def test_verbose_passes_all_of_it_on_and_leaves_the_result_alone(source: str, name: str, code: int) -> None:
    done = piped(f"{source}{name}", "--verbose")

    assert done.returncode == code
    assert "NOISE" not in done.stdout
    assert [kind for kind in KINDS if f"NOISE {kind}" not in done.stderr] == []
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_of_any_width_has_nothing_of_it(source: str, columns: int) -> None:
    code, written = on_terminal(columns, f"{source}good_one")
    assert (code, "NOISE" in written, "own FLOP" in written) == (0, False, True)
    code, written = on_terminal(columns, f"{source}bad_one")
    sentence = written.rpartition("\x1b[K")[2].strip()
    assert (code, "NOISE" in written, sentence.count("\n")) == (3, False, 0)
    assert sentence.startswith("Error: ")
    assert "no such variant" in sentence


def test_it_is_kept_back_inside_the_with_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOPLEDGER_TRACEBACK", raising=False)
    assert noise.is_shown()
    with noise.kept_back():
        assert not noise.is_shown()
        noise.show()
        assert noise.is_shown()
    assert noise.is_shown()
