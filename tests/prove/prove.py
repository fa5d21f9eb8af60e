"""Proves that the tests can fail: changes each formula and each rule by one unit, and expects a failure.

python tests/prove/prove.py [--only TEXT] [--jobs N]

Changes of a tool's convention are first compared with the tool's recorded answers (recorded.py), as tests in
tests/differential do: many at once, since each network is read once for all of them. For the others the
tests are collected once; each change is made in a forked copy of this process, which then runs the related
tests, those of the changed file first, until one fails. A change that nothing notices is listed, and the exit
code is 1; equal.toml has those that change no figure, and why. Where a test fails without any change, nothing
is proved: the tests that fail are listed, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mutants
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORE = ROOT / "core" / "flopledger"
TESTS = (
    "tests/core/kinds",
    "tests/core/conventions",
    "tests/core/counting",
    "tests/differential/test_caffe_script.py",
    "tests/differential/test_convnet_burden.py",
    "tests/differential/test_netscope.py",
    "tests/differential/test_onnx_tool.py",
    "tests/differential/test_onnx_opcounter.py",
    "tests/differential/test_turnkeyml.py",
)
"""Tests that run in this process; recorded.py does the work of the other differential tests."""
UNPROVED = 2
"""The exit code where the tests fail without any change, or a process ends in an unexpected way."""


class Prover:
    """Takes the place of pytest's loop over the tests."""

    def __init__(self, changes: list[mutants.Mutant], jobs: int) -> None:
        self.changes, self.jobs = changes, jobs
        self.failed: list[pytest.TestReport] = []
        self.survivors: list[mutants.Mutant] = []
        self.tried = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of a test that failed."""
        if report.failed:
            self.failed.append(report)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the related tests once as they are, then against each change, some changes side by side."""
        if session.testsfailed:
            pytest.exit("some tests could not be collected", UNPROVED)
        related = {item: None for change in self.changes for item in _related(session.items, change)}
        if self._wait(self._fork(session, list(related), None)):
            pytest.exit("the tests fail without any change", UNPROVED)
        running: dict[int, mutants.Mutant] = {}
        waiting = list(self.changes)
        while waiting or running:
            while waiting and len(running) < self.jobs:
                change = waiting.pop(0)
                running[self._fork(session, _related(session.items, change), change)] = change
            process, status = os.wait()
            change = running.pop(process)
            code = os.waitstatus_to_exitcode(status)
            if code == 0:
                self.survivors.append(change)
                print(f"survived: {change.name}", flush=True)  # noqa: T201
            elif code != 1:
                pytest.exit(f"{change.name}: the process ended with {code}", UNPROVED)
            self.tried += 1
        return True

    @staticmethod
    def _wait(process: int) -> int:
        _, status = os.waitpid(process, 0)
        return os.waitstatus_to_exitcode(status)

    def _fork(self, session: pytest.Session, items: list[pytest.Item], change: mutants.Mutant | None) -> int:
        """Run tests in a forked process, which ends with 1 if one of them fails, else with 0."""
        sys.stdout.flush()
        process = os.fork()
        if process:
            return process
        code = 2
        try:
            code = int(self._fails(session, items, change))
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(code)

    def _fails(
        self, session: pytest.Session, items: list[pytest.Item], change: mutants.Mutant | None
    ) -> bool:
        """Run the tests in this process, against a change until one fails; return whether one did.

        Without a change all of them run, and those that fail are printed with their reasons.
        """
        plugins = session.config.pluginmanager
        plugins.unregister(plugins.get_plugin("terminalreporter"))
        if change is not None:
            mutants.apply(change)
        for item in items:
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if self.failed and change is not None:
                return True
        for report in self.failed:
            print(f"fails without any change: {report.nodeid}\n{report.longreprtext}", flush=True)  # noqa: T201
        return bool(self.failed)


def _related(items: list[pytest.Item], change: mutants.Mutant) -> list[pytest.Item]:
    """Return the tests that are to notice a change: those of its file, then those near it.

    For a kind the tests that go through all kinds are enough, whose parameters name its file; what the kinds
    share (axes) has no such name. A test of conventions counts with several, whatever its parameters. Tests
    that draw examples are left out: both sides of their comparisons change.
    """
    stem = change.path.stem
    items = [
        item for item in items if not getattr(getattr(item, "function", None), "is_hypothesis_test", False)
    ]
    own = [item for item in items if item.path.stem == f"test_{stem.replace('-', '_')}"]
    folders = ("conventions", "counting") if change.text else ("kinds",)
    others = [item for item in items if item.path.parent.name in folders and item not in own]
    named = [] if change.text else [item for item in others if f"[{stem}]" in item.name]
    return own + (named or others)


def changes(only: str) -> list[mutants.Mutant]:
    """Return the changes that are not known to change nothing."""
    equal = tomllib.loads((HERE / "equal.toml").read_text())["equal"]
    found = [m for path in sorted((CORE / "kinds").glob("*.py")) for m in mutants.of_kinds(path)]
    found += [
        m for path in sorted((CORE / "conventions").glob("*.toml")) for m in mutants.of_convention(path)
    ]
    known = {(row["file"], row["line"], row["change"]) for row in equal}
    return [m for m in found if only in m.name and (m.path.name, _source(m), m.what) not in known]


def _source(change: mutants.Mutant) -> str:
    """Return the line that is changed."""
    return change.path.read_text().splitlines()[change.line - 1].strip()


def _frameworks(convention: dict[str, Any]) -> list[str]:
    """Return the frameworks of a convention, its own or those of the one that it extends."""
    while "frameworks" not in convention and "extend" in convention:
        convention = tomllib.loads((CORE / "conventions" / f"{convention['extend']}.toml").read_text())
    return convention.get("frameworks", [])


def unnoticed(changes: list[mutants.Mutant], jobs: int) -> list[mutants.Mutant]:
    """Return the changes that a comparison with the tools' recorded answers does not notice."""
    with ThreadPoolExecutor(jobs) as pool:
        noticed = set().union(*pool.map(lambda name: _noticed(name, changes), ("torch", "keras", "paddle")))
    return [change for change in changes if change.name not in noticed]


def _noticed(framework: str, changes: list[mutants.Mutant]) -> list[str]:
    """Return the names of the changes that the answers of one framework's tools notice."""
    rows = [
        (change.name, change.path.stem, change.text)
        for change in changes
        if change.text and framework in _frameworks(tomllib.loads(change.text))
    ]
    if not rows:
        return []
    command = [sys.executable, str(HERE / "recorded.py"), framework]
    run = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True, check=True)
    names: list[str] = json.loads(run.stdout)
    return names


def main() -> int:
    """Try every change; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only changes whose line holds this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    tried = changes(options.only)
    if not tried:
        parser.error(f"no change has {options.only!r} in its line")
    prover = Prover(unnoticed(tried, options.jobs), options.jobs)
    paths = [str(ROOT / path) for path in TESTS if (ROOT / path).exists()]
    code = pytest.main(
        ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--no-header", *paths], plugins=[prover]
    )
    unproved = len(prover.changes) - prover.tried
    if code or unproved:
        print(f"not proved: {unproved} of {len(tried)} changes were not tried; see above")  # noqa: T201
        return int(code) or UNPROVED
    print(f"{len(tried)} changes, {len(prover.survivors)} survived")  # noqa: T201
    return int(bool(prover.survivors))


if __name__ == "__main__":
    sys.exit(main())
