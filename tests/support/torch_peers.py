"""The common part of the tests of the PyTorch peers: the records, our own figures, and the comparison.

Neither torch nor a tool is imported here: both sides run in processes of their own.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import random
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(__file__).resolve().parents[1] / "differential"
RECORDED = FOLDER / "recorded"
ASKED_LIVE = 20
"""How many probes each tool is asked about again by the slow tests."""
PLACES = {"count": 0, "params": 1}


@functools.cache
def recorded(tool: str) -> dict[str, Any]:
    """Return the answers of a tool, and the versions that gave them."""
    found: dict[str, Any] = json.loads((RECORDED / f"{tool}.json").read_text())
    return found


def run(script: str, *arguments: str) -> dict[str, Any]:
    """Run one of the scripts beside the records, and return its output."""
    command = [sys.executable, str(FOLDER / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@functools.cache
def counted() -> dict[str, Any]:
    """Return our own figures for all probes, worked out once in a process with torch."""
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the probes need {package}, which is not installed: pip install '.[peers-torch]'")
    return run("count_torch_probes.py")


@functools.cache
def accepted() -> dict[tuple[str, str, str], str]:
    """Return the differences that we accept: convention, probe and figure, and the reason."""
    rows = tomllib.loads((FOLDER / "accepted.toml").read_text()).get("torch", [])
    return {(row["convention"], row["probe"], row["figure"]): row["reason"] for row in rows}


def theirs(tool: str, convention: str, figure: str) -> dict[str, Any]:
    """Return a tool's figures of one kind by probe, where it had one."""
    answers = recorded(tool)["answers"].items()
    return {probe: a[convention][PLACES[figure]] for probe, a in answers if "error" not in a}


def ours(convention: str, figure: str, probes: Iterable[str]) -> dict[str, Any]:
    """Return our own figures of one kind by probe, or the error in its place."""
    found = {probe: counted()[probe][convention] for probe in probes}
    return {probe: v["error"] if isinstance(v, dict) else v[PLACES[figure]] for probe, v in found.items()}


def compare(tool: str, *conventions: str) -> None:
    """Compare counts and parameters of all probes, exactly.

    A difference that is accepted must be one: where the figures agree after all, its line is out of date.
    """
    assert counted().keys() == recorded(tool)["answers"].keys(), "the probes have changed: make peers"
    for convention in conventions:
        for figure in PLACES:
            expected = theirs(tool, convention, figure)
            found = ours(convention, figure, expected)
            differ = {p: (expected[p], found[p]) for p in expected if expected[p] != found[p]}
            known = {p for c, p, f in accepted() if (c, f) == (convention, figure)}
            news = [f"{p}: {t} there, {o} here" for p, (t, o) in differ.items() if p not in known]
            assert not news, "\n".join([f"{convention}, {figure}", *news])
            assert known <= differ.keys(), f"{convention}: accepted in vain: {known - differ.keys()}"


def ask(tool: str, module: str) -> None:
    """Ask a tool itself about a sample of the probes, where it is installed as it was recorded."""
    _installed(tool, module)
    record = recorded(tool)
    sample = random.Random(tool).sample(sorted(record["answers"]), ASKED_LIVE)  # noqa: S311  (no secret)
    found = run("run_torch_peer.py", tool, *sample)
    if found["versions"] != record["versions"]:
        pytest.skip(f"recorded with {record['versions']}, installed are {found['versions']}")
    assert found["answers"] == {probe: record["answers"][probe] for probe in sample}


def record_again(tool: str, module: str) -> None:
    """Ask a tool itself about all probes, and write its answers down."""
    _installed(tool, module)
    found = run("run_torch_peer.py", tool)
    lines = [f"  {json.dumps(probe)}: {json.dumps(a)}" for probe, a in found.pop("answers").items()]
    head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in found.items())
    text = f'{{\n{head} "answers": {{\n' + ",\n".join(lines) + "\n }\n}\n"
    (RECORDED / f"{tool}.json").write_text(text)
    recorded.cache_clear()


def _installed(tool: str, module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{tool} is not installed: pip install '.[peers-torch]'")
