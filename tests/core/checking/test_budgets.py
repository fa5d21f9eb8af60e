"""Budgets in pyproject.toml, and the reports for CI systems: LeNet has 2,293,000 MACs, 431,080 parameters."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from flopledger.checking.budgets import budgets
from flopledger.cli import run
from flopledger.errors import UsageError

ROOT = Path(__file__).parents[3]
PROJECT = """
[project]
name = "nets"

[[tool.flopledger.budgets]]
source = "lenet.prototxt"
max-macs = "2.3M"
max_params = 400_000
max = {count = 2293000}

[[tool.flopledger.budgets]]
source = "lenet.prototxt"
inputs = ["2x1x28x28"]
convention = "flops"
set = {bias = "none"}
max-flops = "10 MFLOPs"
"""
LIMITS = (
    ("notice", "macs", "macs is 2,293,000, the limit is 2,300,000 (convention mac)"),
    ("error", "params", "params is 431,080, the limit is 400,000 (convention mac)"),
    ("notice", "count", "count is 2,293,000, the limit is 2,293,000 (convention mac)"),
    ("notice", "flops", "flops is 9,172,000, the limit is 10,000,000 (convention 2mac)"),
)
ANNOTATIONS = "".join(
    f"::{level} file=lenet.prototxt,title=flopledger%3A {key}::lenet.prototxt: {text}\n"
    for level, key, text in LIMITS
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lenet.prototxt").write_bytes((ROOT / "examples" / "lenet.prototxt").read_bytes())
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_check_without_a_source_runs_the_budgets_and_annotates(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "github"]) == 1
    assert capfd.readouterr().out == ANNOTATIONS


@pytest.mark.usefixtures("project")
def test_junit_has_a_case_for_each_limit(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "junit"]) == 1
    suites = ET.fromstring(capfd.readouterr().out)  # noqa: S314  (our own)

    assert [(suite.get("tests"), suite.get("failures")) for suite in suites] == [("3", "1"), ("1", "0")]
    assert [case.get("name") for case in suites.iter("testcase")] == ["macs", "params", "count", "flops"]
    failure = suites.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "params is 431,080, the limit is 400,000 (convention mac)"


def test_a_budget_that_can_not_be_checked_keeps_no_other_from_it(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text(
        PROJECT.replace("lenet.", "gone.", 1).replace("10 MFLOPs", "4,1G")
    )
    assert run(["check", "--format", "github"]) == 3
    first, second = capfd.readouterr().out.splitlines()
    assert first.startswith("::error file=gone.prototxt,title=flopledger%3A not checked::")
    assert second.startswith("::error file=lenet.prototxt,title=flopledger%3A not checked::")
    assert second.endswith("did you mean 4.1G?")


def test_the_project_is_looked_for_upwards_and_its_files_are_found(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """That of a part that is not for flopledger is passed by; the result is written where we are."""
    inner = project / "part" / "deeper"
    inner.mkdir(parents=True)
    (project / "part" / "pyproject.toml").write_text("[project]\nname = 'part'\n")
    monkeypatch.chdir(inner)

    assert run(["check", "--format", "github"]) == 1
    assert capfd.readouterr().out == ANNOTATIONS
    assert run(["check", "--format", "github", "-o", "out.txt"]) == 1
    assert (inner / "out.txt").read_text() == ANNOTATIONS
    assert Path.cwd() == inner

    (project / "part" / "pyproject.toml").write_text("[tool.flopledgr]\n")
    assert run(["check"]) == 2
    assert "did you mean [tool.flopledger]?" in capfd.readouterr().err


def test_a_table_by_source_is_a_list_of_budgets_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.flopledger.budgets.'net.py:Net']\nmax-macs = '1G'\n")

    (budget,) = budgets(tmp_path)
    assert (budget.source, budget.text("max-macs")) == ("net.py:Net", "1G")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "pyproject.toml has no budgets of flopledger's. So name a source"),
        ("[tool", "pyproject.toml can't be read"),
        (
            "[[tool.flopledgr.budgets]]\nsource = 'a'",
            r"It has \[tool.flopledgr\]: did you mean \[tool.flopledger\]",
        ),
        ("[tool.flopledger]\nmax-macs = 3", r"'max-macs' is in \[tool.flopledger\]; it belongs below"),
        ("[[tool.flopledger.budget]]\nsource = 'a'", "no key 'budget'; did you mean 'budgets'"),
        ("[tool]\nflopledger = 3", "tool.flopledger is 3, expected a table"),
        ("[tool.flopledger]\nbudgets = 3", "tool.flopledger.budgets is 3, expected tables"),
        (
            "[tool.flopledger.budgets]\nsource = 'a'\nmax-macs = 3",
            r"'source' is in \[tool.flopledger.budgets\]; it belongs below \[\[tool.*two brackets",
        ),
        (
            "[[tool.flopledger.budgets]]\nsource = ['a', 'b']",
            r"budget 1: source is \['a', 'b'\], a list; a budget is for one source",
        ),
        (
            "[[tool.flopledger.budgets]]\nmax-mac = 3",
            "budget 1: there is no key 'max-mac'; did you mean 'max-macs'",
        ),
        ("[[tool.flopledger.budgets]]\nmax-macs = 3", "budget 1: it names no source"),
        ("[[tool.flopledger.budgets]]\nsource = 'a'\nset = 3", "budget 1: set is 3, expected a table"),
        ("[[tool.flopledger.budgets]]\nsource = 'a'\ninputs = 3", "budget 1: inputs is 3, expected specs"),
        (
            "[[tool.flopledger.budgets]]\nsource = 'a'\nmax-macs = []",
            "budget 1: max-macs is \\[\\], expected a",
        ),
    ],
)
def test_a_malformed_budget_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        budgets(tmp_path)


def test_without_a_source_and_a_project_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["check"]) == 2
    assert "nothing to check, and no pyproject.toml here or above: name a source" in capfd.readouterr().err
    assert run(["check", "--max-macs", "3"]) == 2
    assert "none is named: SOURCE is missing" in capfd.readouterr().err


def test_the_hook_and_the_workflow_run_a_command_that_there_is() -> None:
    """Their YAML is not parsed, since no parser of it is among the tools; their commands are."""
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "budgets.yml").read_text(encoding="utf-8")

    assert hooks.count("entry: flopledger check\n") == 2
    assert workflow.count("run: flopledger check --format github\n") == 1
    assert run(["check", "--help"]) == 0


def test_the_workflow_installs_flopledger_from_where_it_is_itself_by_default() -> None:
    """No index has flopledger. ``github.repository`` would be the repository that calls the workflow."""
    workflow = (ROOT / ".github" / "workflows" / "budgets.yml").read_text(encoding="utf-8")
    (line,) = [line for line in workflow.splitlines() if "inputs.flopledger" in line]
    found = re.search(r"inputs\.flopledger \|\| format\('(.*)', (.*)\) }}", line)

    assert found is not None
    places = {
        "github.server_url": "https://github.com",
        "job.workflow_repository": "o/flopledger",
        "job.workflow_sha": "c0ffee",
    }
    filled = found[1].format(*(places[name] for name in found[2].split(", ")))
    assert filled == "flopledger@git+https://github.com/o/flopledger@c0ffee"
    assert [line.strip() for line in workflow.splitlines() if "default:" in line][2] == 'default: ""'


def test_the_example_of_the_documentation_calls_the_workflow_with_inputs_that_it_has() -> None:
    workflow = (ROOT / ".github" / "workflows" / "budgets.yml").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "how-to" / "use-in-ci.md").read_text(encoding="utf-8")
    inputs = re.findall(r"^      ([a-z-]+):$", workflow.partition("permissions:")[0], re.MULTILINE)

    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == inputs
    assert "uses: OWNER/flopledger/.github/workflows/budgets.yml@main\n" in page
    assert re.findall(r"^    with:\n      ([a-z-]+):", page, re.MULTILINE) == ["install"]
