from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, TypeAlias

import pytest
from flopledger.__main__ import main
from flopledger.cli import COMMANDS, run
from flopledger.errors import (
    ConventionError,
    ExpressionError,
    FlopledgerError,
    GraphError,
    OutputError,
    PluginError,
    ProfileMismatch,
    ShapeError,
    SourceError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Run: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"
Start: TypeAlias = "Callable[..., subprocess.Popen[bytes]]"


def test_a_count_ends_with_0_and_writes_one_json_document(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy, "--format", "json")
    assert done.returncode == 0
    (ledger,) = json.loads(done.stdout)["ledgers"]
    assert ledger["total"]["count"] == 3888
    assert done.stderr == "Warning: toy.prototxt, mac: 1 call without a formula, not in the total: Python\n"


def test_a_table_says_what_is_unknown_and_stderr_stays_empty(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy)
    assert (done.returncode, done.stderr) == (0, "")
    assert "at least 3,888 MAC (1 call unknown) = 3.888 kMAC (mac)" in done.stdout
    assert "\x1b" not in done.stdout


def test_strict_prints_the_result_and_ends_with_4(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy, "--strict")
    assert done.returncode == 4
    assert "at least 3,888 MAC (1 call unknown) = 3.888 kMAC (mac)" in done.stdout
    assert done.stderr == "Error: --strict: some calls have no formula\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_examples_and_version_a_number(command: str, flopledger: Run) -> None:
    done = flopledger(*command.split(), "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"flopledger {command}".strip() in done.stdout


def test_version(flopledger: Run) -> None:
    done = flopledger("--version")
    assert done.returncode == 0
    name, number = done.stdout.split()
    assert name == "flopledger"
    assert number[0].isdigit()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Usage: flopledger"),
        (("cuont",), "No such command 'cuont'"),
        (("count",), "Usage: flopledger count"),
        (("count", "--depth", "1"), "Missing argument 'SOURCE...'"),
        (("count", "TOY", "--fromat", "json"), "--format"),
        (("count", "TOY", "--format", "xml"), "'xml' is not one of 'table', 'json'"),
        (("count", "TOY", "--depth", "0"), "--depth"),
        (("count", "TOY", "--top", "many"), "'many' is not a valid integer"),
        (("count", "TOY", "--sort", "size"), "'size' is not one of 'count'"),
        (("count", "TOY", "-i", "1x3xx8"), "the input spec '1x3xx8' can't be read"),
        (("count", "TOY", "-i", "1x3x8x8"), "saved graph"),
        (("count", "TOY", "-i", "1x3", "--inputs", "a.py:f"), "-i and --inputs are both given"),
        (("count", "TOY", "--arg", "depth"), "--arg 'depth' can't be read; expected KEY=VALUE"),
        (("count", "TOY", "--arg", "d=1", "--arg", "d=2"), "--arg d is given twice, as '1' and '2'"),
        (("count", "TOY", "--set", "=1"), "--set '=1' can't be read"),
        (("count", "TOY", "--set", "baas=add"), "no switch 'baas' (it has: bias"),
        (
            ("count", "TOY", "--set", "bias=ad"),
            "bias = 'ad' is not one of none, add, mac; did you mean 'add'?",
        ),
        (("count", "TOY", "-c", "mcas"), "no convention 'mcas'; did you mean 'mac'?"),
        (("count", "TOY", "-c", "./none.toml"), "none.toml can't be read: No such file or directory"),
        (("count", "TOY", "--format", "tool"), "'mac' has no [print] part"),
        (("count", "TOY", "--mode", "test"), "'test' is not one of 'eval', 'train'"),
        (("count", "TOY", "--phase", "deploy"), "'deploy' is not one of 'test', 'train'"),
        (("count", "TOY", "--timeout", "0"), "0.0 is not in the range x>0"),
        (("count", "TOY", "--memory-limit", "4X"), "'4X' is not a size"),
        (("count", "TOY", "--memory-limit", "0"), "the memory limit is 0 bytes"),
        (("count", "TOY", "--frontend", "cafe"), "no frontend 'cafe'; did you mean 'caffe'?"),
        (("read", "TOY", "--for", "mca"), "no convention 'mca'"),
        (("conventions", "opps"), "no convention 'opps'; did you mean 'ops'?"),
        (("conventions", "mac", "ops"), "Got unexpected extra argument (ops)"),
        (("frontends", "all"), "Got unexpected extra argument (all)"),
    ],
)
def test_a_wrong_option_ends_with_2_and_says_what_is_wrong(
    args: tuple[str, ...], message: str, toy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([str(toy) if arg == "TOY" else arg for arg in args]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in " ".join(err.split())


def test_a_malformed_convention_ends_with_2_and_names_file_and_line(toy: Path, flopledger: Run) -> None:
    (toy.parent / "mine.toml").write_text(
        'name = "mine"\nextend = "mac"\n\n[rules.layer]\n"Python" = "macz"\n'
    )
    done = flopledger("count", toy, "-c", "./mine.toml")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: mine.toml:5: ")
    assert "did you mean 'macs'?" in done.stderr
    (toy.parent / "mine.toml").write_text('name = "mine')
    done = flopledger("count", toy, "-c", "./mine.toml")
    assert done.returncode == 2
    assert "mine.toml: not a TOML file" in done.stderr


def test_a_source_that_is_missing_malformed_or_a_folder_ends_with_3(toy: Path, flopledger: Run) -> None:
    (toy.parent / "empty.prototxt").write_text("")
    (toy.parent / "binary.prototxt").write_bytes(bytes(range(256)))
    (toy.parent / "broken.json").write_text('{"schema": "flopledger.graph/1"')
    (toy.parent / "notes.txt").write_text("a text")
    sources = (
        "missing.prototxt", "empty.prototxt", "binary.prototxt", "broken.json", "notes.txt", ".",
        "no.such_module:model", "missing.py:model",
    )  # fmt: skip
    for source in sources:
        done = flopledger("count", source)
        assert (source, done.returncode, done.stdout) == (source, 3, "")
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ConventionError("x"), 2),
        (ProfileMismatch("x"), 2),
        (ExpressionError("x"), 2),
        (SourceError("x"), 3),
        (GraphError("x"), 3),
        (ShapeError("x"), 3),
        (PluginError("x"), 3),
        (FlopledgerError("x"), 3),
        (MemoryError(), 3),
        (RecursionError(), 3),
        (OutputError("x"), 5),
        (OSError(28, "No space left on device"), 5),
        (BrokenPipeError(), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("flopledger.cli.exits._abandon_stdout", lambda: None)
    monkeypatch.setattr("flopledger.cli.frontends.lines", fail)
    assert run(["frontends"]) == code
    quiet = isinstance(error, (KeyboardInterrupt, BrokenPipeError))
    assert capfd.readouterr().err.startswith("" if quiet else "Error: ")


def test_a_pipe_that_closes_ends_quietly_with_5(
    toy: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for args in (("count", toy), ("count", toy, "--format", "json"), ("conventions",), ("--help",)):
        process = start(*args, stdout=writer, stderr=subprocess.PIPE)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 5
        assert errors == b""
    os.close(writer)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_head_of_a_long_table_ends_quietly(
    unbuffered: str, toy: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    many = ["count", *[toy] * 500]
    process = start(*many, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"toy.prototxt: multiply-accumulates (mac)\n"
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (5, b"")


def test_a_full_disk_behind_stdout_ends_with_5(toy: Path, flopledger: Run) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  (a device)
        for args in (("count", toy), ("conventions", "mac"), ("--version",)):
            done = flopledger(*args, stdout=full)
            assert done.returncode == 5
            assert done.stderr == "Error: the output can't be written: No space left on device\n"


def test_a_full_device_behind_o_ends_with_5(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy, "-o", "/dev/full")
    assert done.returncode == 5
    assert done.stderr == "Error: /dev/full: it can't be written: No space left on device\n"


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_other(toy: Path, flopledger: Run) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    target = toy.parent / "out.json"
    target.write_text("old")
    before = sorted(toy.parent.iterdir())
    for name in ("out.json", "new.json"):
        done = flopledger("count", toy, "--format", "json", "-o", name, preexec_fn=limit)
        assert done.returncode == 5
        assert f"Error: {name}: it can't be written: File too large\n" in done.stderr
    assert target.read_text() == "old"
    assert sorted(toy.parent.iterdir()) == before


@pytest.mark.parametrize("target", ["no/such/folder/out.json", ".", "toy.json/out.json", "x" * 300])
def test_a_target_that_can_not_be_written_ends_with_5(target: str, toy: Path, flopledger: Run) -> None:
    before = sorted(toy.parent.iterdir())
    done = flopledger("read", toy, "-o", target)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"Error: {target}: it can't be written: ")
    assert sorted(toy.parent.iterdir()) == before


def test_ctrl_c_ends_with_130_and_without_a_traceback(tmp_path: Path, start: Start) -> None:
    (tmp_path / "slow.py").write_text("import time\nopen('started', 'w').close()\ntime.sleep(60)\n")
    process = start("count", "slow.py:net", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 50
    while not (tmp_path / "started").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in errors


def test_ctrl_c_while_the_command_still_loads_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from flopledger import __main__

    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("flopledger.cli.run", interrupt)
    assert __main__.main() == 130


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", ">&- 2>&- <&-"])
def test_a_closed_stdout_ends_with_5_and_without_a_traceback(closed: str, toy: Path) -> None:
    args = ["sh", "-c", f'exec "$0" -m flopledger count "$1" {closed}', sys.executable, toy]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    message = "Error: the output can't be written: stdout is closed\n"
    assert (done.returncode, done.stderr) == (5, "" if "2>&-" in closed else message)


def test_help_that_can_not_be_written_ends_with_5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert run(["count", "--help"]) == 5
    assert run(["--version"]) == 5


def test_a_closed_stdout_does_not_matter_to_a_result_in_a_file(toy: Path, tmp_path: Path) -> None:
    script = 'exec "$0" -m flopledger count "$1" --format json -o "$2" >&- 2>&- <&-'
    args = ["sh", "-c", script, sys.executable, toy, tmp_path / "out.json"]
    assert subprocess.run(args, capture_output=True, check=False).returncode == 0
    assert json.loads((tmp_path / "out.json").read_text())


def test_a_traceback_of_ours_passes_the_gate_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> int:
        raise ValueError("a\x1b[31m\u202e")

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("flopledger.cli.run", broken)
    with pytest.raises(ValueError, match="a") as caught:
        main()
    sys.excepthook(caught.type, caught.value, caught.tb)
    assert capfd.readouterr().err.endswith("ValueError: a\\x1b[31m\\u202e\n")
