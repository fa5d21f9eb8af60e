"""The common part of the tests of the Keras peers: records, our own figures, and new answers of the tools.

Keras is not imported here: both sides run in processes of their own.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "differential"
RECORDED = FOLDER / "recorded"
ASKED_LIVE = 20
"""How many probes the tools are asked about again by the slow tests."""
SHORT = "FLOPLEDGER_SLOW_TESTS" not in os.environ
"""Whether whole networks are counted at one batch alone, and those that only the summary knows not at all."""
PARTS = {"keras-summary": "summary", "tf-profiler": "profiler"}
"""The part of an answer that each record holds."""


@functools.cache
def recorded(tool: str) -> dict[str, Any]:
    """Return the answers of a tool, and the versions that gave them."""
    found: dict[str, Any] = json.loads((RECORDED / f"{tool}.json").read_text())
    return found


def run(script: str, *arguments: str) -> str:
    """Run one of the scripts beside the records, and return its output."""
    command = [sys.executable, str(FOLDER / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answers(tool: str) -> dict[str, Any]:
    """Return a tool's answers about the networks that are counted: all, or all but the largest."""
    every: dict[str, Any] = recorded(tool)["answers"]
    if not SHORT:
        return every
    known = {name: answer for name, answer in every.items() if name in recorded("tf-profiler")["answers"]}
    if tool != "tf-profiler":
        return known
    whole = {name for name in known if name[0].isupper()}  # ResNet50, whereas probes are lower case
    return {name: {"1": answer["1"]} if name in whole else answer for name, answer in known.items()}


@functools.cache
def counted() -> dict[str, Any]:
    """Return our own figures for all probes, worked out once in a process with Keras."""
    needs("keras", "tensorflow")
    found: dict[str, Any] = json.loads(run("count_keras_probes.py", *(["--short"] if SHORT else [])))
    return found


def needs(*packages: str) -> None:
    """Skip where a package is not installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install '.[peers-keras]'")


def asked(*names: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Ask the tools themselves; return their versions, and their answers by name."""
    needs("keras", "tensorflow")
    first, *lines = run("run_keras_peer.py", *names).splitlines()
    answers = {answer.pop("name"): answer for answer in map(json.loads, lines)}
    versions: dict[str, str] = json.loads(first)["versions"]
    return versions, answers


@functools.cache
def asked_all() -> tuple[dict[str, str], dict[str, Any]]:
    """Ask the tools about everything, once for both records."""
    return asked()


def record_again(tool: str) -> None:
    """Ask a tool itself about all probes, and write its answers down."""
    versions, answers = asked_all()
    part = PARTS[tool]
    kept = {name: answer[part] for name, answer in answers.items() if answer[part]}
    lines = [f"  {json.dumps(name)}: {json.dumps(answer)}" for name, answer in kept.items()]
    head = f' "versions": {json.dumps(versions)},\n'
    text = f'{{\n{head} "answers": {{\n' + ",\n".join(lines) + "\n }\n}\n"
    (RECORDED / f"{tool}.json").write_text(text)
    recorded.cache_clear()


@functools.cache
def asked_sample() -> tuple[dict[str, str], dict[str, Any]]:
    """Ask the tools about a sample of the probes, once for both records."""
    answers = recorded("tf-profiler")["answers"]
    small = [name for name in sorted(answers) if name.islower()]
    return asked(*random.Random("keras").sample(small, ASKED_LIVE))  # noqa: S311  (no secret)


def ask(tool: str) -> None:
    """Ask a tool itself about a sample of the probes, where it is installed as it was recorded."""
    record, part = recorded(tool), PARTS[tool]
    versions, answers = asked_sample()
    if versions != record["versions"]:
        pytest.skip(f"recorded with {record['versions']}, installed are {versions}")
    assert {name: a[part] for name, a in answers.items()} == {n: record["answers"][n] for n in answers}
