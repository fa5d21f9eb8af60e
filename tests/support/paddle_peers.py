"""The common part of the tests of Paddle's counters: the records, our own figures, and the comparison.

Paddle is not imported here: both sides run in processes of their own.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "differential"
ASKED_LIVE = 20
"""How many probes each tool is asked about again by the slow tests."""


@functools.cache
def recorded(tool: str) -> dict[str, Any]:
    """Return the answers of a tool, and the versions that gave them."""
    found: dict[str, Any] = json.loads((FOLDER / "recorded" / f"{tool}.json").read_text())
    return found


def run(script: str, *arguments: str) -> dict[str, Any]:
    """Run one of the scripts beside the records, and return its output."""
    if importlib.util.find_spec("paddle") is None:
        pytest.skip("Paddle is not installed: pip install '.[paddle]' 'numpy<2.4'")
    command = [sys.executable, str(FOLDER / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@functools.cache
def counted() -> dict[str, Any]:
    """Return our own figures for all probes, worked out once in a process with paddle."""
    return run("count_paddle_probes.py")


def compare(tool: str) -> None:
    """Compare all that a tool answered with our own, exactly."""
    answers = recorded(tool)["answers"]
    assert counted().keys() == answers.keys(), "the probes have changed: make peers"
    theirs = {probe: answer for probe, answer in answers.items() if "error" not in answer}
    differ = [
        f"{probe}: {answer} there, {counted()[probe][tool]} here"
        for probe, answer in theirs.items()
        if counted()[probe][tool] != answer
    ]
    assert theirs
    assert not differ, "\n".join(differ)


def ask(tool: str) -> None:
    """Ask a tool itself about a sample of the probes, where it is installed as it was recorded."""
    record = recorded(tool)
    sample = random.Random(tool).sample(sorted(record["answers"]), ASKED_LIVE)  # noqa: S311  (no secret)
    found = run("run_paddle_peer.py", tool, *sample)
    if found["versions"] != record["versions"]:
        pytest.skip(f"recorded with {record['versions']}, installed are {found['versions']}")
    assert found["answers"] == {probe: record["answers"][probe] for probe in sample}


def record_again(tool: str) -> None:
    """Ask a tool itself about all probes, and write its answers down."""
    found = run("run_paddle_peer.py", tool)
    lines = [f"  {json.dumps(probe)}: {json.dumps(a)}" for probe, a in found.pop("answers").items()]
    head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in found.items())
    text = f'{{\n{head} "answers": {{\n' + ",\n".join(lines) + "\n }\n}\n"
    (FOLDER / "recorded" / f"{tool}.json").write_text(text)
    recorded.cache_clear()
