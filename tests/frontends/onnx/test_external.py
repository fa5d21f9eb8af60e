"""Data of a model that lie in another file: it is never opened, and never lost to a result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run
from onnx_files import graph, model, node, tensor, value

if TYPE_CHECKING:
    from pathlib import Path

WATCH = """
import json, os, sys

heard = []
sys.addaudithook(lambda event, args: heard.append(args[0]) if event == "open" else None)
from flopledger.cli import run

code = run(sys.argv[1:])
names = {os.path.basename(os.fsdecode(name)) for name in heard if isinstance(name, (str, bytes))}
print(json.dumps([code, sorted(names & {"net.onnx", "absent.bin"})]), file=sys.stderr)
"""
LINES = (
    "count net.onnx",
    "count net.onnx --execute -c ops --full",
    "read net.onnx",
    "explain net.onnx mac ops",
    "compare net.onnx net.onnx",
    "check net.onnx --max-macs 1G",
    "memory net.onnx --step train",
    "view net.onnx -o net.html",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model whose weight, and whose target shape, lie in ``absent.bin`` beside it."""
    nodes = [node("Gemm", ["x", "w"], ["y"]), node("Reshape", ["y", "s"], ["z"])]
    constants = [tensor("w", [3, 4]), tensor("s", [2], dtype=7)]
    content = model(graph(nodes, [value("x", [2, 3])], ["y"], constants))
    (tmp_path / "net.onnx").write_bytes(content)
    (tmp_path / "absent.bin").write_bytes(bytes(64))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", LINES)
def test_it_is_not_opened(line: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *line.split()], cwd=folder, capture_output=True, text=True, check=False
    )
    # the check can't say yes: what the shape is, the other file alone knows
    assert json.loads(done.stderr.splitlines()[-1]) == [4 if line.startswith("check") else 0, ["net.onnx"]]


def test_it_is_not_written_to(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", "net.onnx", "-o", "absent.bin"]) == 2
    assert "-o absent.bin: this command reads that file; name another to write" in capfd.readouterr().err
    assert (folder / "absent.bin").read_bytes() == bytes(64)


def test_a_file_elsewhere_is_not_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    stat = os.stat

    def heard(path: object, *args: object, **more: object) -> os.stat_result:
        asked.append(str(path))
        return stat(path, *args, **more)  # type: ignore[call-overload,no-any-return]

    content = (folder / "net.onnx").read_bytes().replace(b"absent.bin", b"/tmp/a.bin")
    (folder / "net.onnx").write_bytes(content)
    monkeypatch.setattr(os, "stat", heard)
    assert run(["count", "net.onnx"]) == 0
    assert asked
    assert not [path for path in asked if path.endswith("a.bin")]
