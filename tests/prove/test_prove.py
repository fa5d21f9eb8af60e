"""``make prove`` says so where it proved nothing, rather than that nothing survived."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CHANGE = "(call.out_elems * in_features) + 1"
"""The products of a linear layer, one more."""
SCRIPT = """
import sys
import prove
prove.TESTS = (sys.argv.pop(1),)
prove.unnoticed = lambda changes, jobs: changes
sys.exit(prove.main())
"""
KIND = """
from flopledger.kinds import builtin
from flopledger.kinds.kind import Call

kind = builtin()["linear"]
"""
COUNTS = """
def test_products():
    call = Call(kind, {"out_features": 3}, ((2, 4),), ((2, 3),))
    assert kind.facts(call)["macs"] == 24  # 3 x 4 weights, each used for 2 rows
"""


def run(folder: Path, tests: str, only: str = CHANGE) -> subprocess.CompletedProcess[str]:
    """Prove one change with the tests of one file."""
    (folder / "test_linear.py").write_text(tests)
    command = [sys.executable, "-c", SCRIPT, str(folder / "test_linear.py"), "--only", only, "--jobs", "1"]
    return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("tests", "reason", "named"),
    [
        ("def test_wrong():\n    assert 1 == 2\n", "the tests fail without any change", "::test_wrong"),
        ("import nothing_of_this_name\n", "some tests could not be collected", "nothing_of_this_name"),
    ],
    ids=["fails", "not collected"],
)
def test_tests_that_fail_unchanged_prove_nothing(tmp_path: Path, tests: str, reason: str, named: str) -> None:
    done = run(tmp_path, tests)

    assert done.returncode == 2
    assert reason in done.stdout
    assert named in done.stdout
    assert done.stdout.splitlines()[-1] == "not proved: 1 of 1 changes were not tried; see above"


def test_a_change_is_noticed_by_a_test_of_its_figure_and_survives_without_one(tmp_path: Path) -> None:
    proved = run(tmp_path, KIND + COUNTS)
    survived = run(tmp_path, KIND + "def test_nothing():\n    pass\n")

    assert (proved.returncode, proved.stdout.splitlines()[-1]) == (0, "1 changes, 0 survived")
    assert (survived.returncode, survived.stdout.splitlines()[-1]) == (1, "1 changes, 1 survived")
    assert f": {CHANGE}" in survived.stdout


def test_a_filter_that_no_change_matches_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path, "", "no line has this")

    assert done.returncode == 2
    assert "no change has 'no line has this' in its line" in done.stderr
