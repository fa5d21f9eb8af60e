"""The README lists the frontends, formats and tools that are registered."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.plugins.discovery import registry

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(
    r"^\| `(?P<name>\w+)` \| (?P<reads>.+?) \| (?P<install>.+?) \| (?P<tools>.+?) \|$", re.MULTILINE
)


@pytest.fixture(scope="module")
def rows(root: Path) -> dict[str, dict[str, str]]:
    table = (root / "README.md").read_text(encoding="utf-8").partition("\n## What is supported\n")[2]
    return {row["name"]: row.groupdict() for row in ROW.finditer(table.partition("\n## ")[0])}


def test_each_frontend_that_is_registered_has_a_row(rows: dict[str, dict[str, str]], root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(rows) == sorted(project["entry-points"]["flopledger.frontends"])


def test_a_row_says_what_the_frontend_says_of_itself(rows: dict[str, dict[str, str]]) -> None:
    for name, row in rows.items():
        frontend = registry().plugins[name].frontend
        assert row["reads"] == frontend.reads
        needed = f"`pip install '.[{frontend.extra}]'`" if frontend.extra else "nothing more"
        assert row["install"].startswith(needed)


def test_each_convention_of_a_tool_is_listed_with_the_frontend_whose_networks_it_counts(
    rows: dict[str, dict[str, str]],
) -> None:
    listed = {name: re.findall(r"`([\w-]+)`", row["tools"]) for name, row in rows.items()}
    for name in convention_names.known():
        convention = loader.load(name)
        if convention.frameworks:
            assert [f for f in convention.frameworks if name not in listed[f]] == []
    assert {tool for tools in listed.values() for tool in tools} <= set(convention_names.known())


FOUND = {
    "torchinfo": "__import__('torchinfo').summary(net, input_size=(1, 3, 16, 16), verbose=0).total_mult_adds",
    "fvcore": "__import__('fvcore.nn').nn.FlopCountAnalysis(net, image).total()",
    "ptflops": "__import__('ptflops').get_model_complexity_info(net, (3, 16, 16), as_strings=False, "
    "print_per_layer_stat=False)[0]",
    "calflops": "__import__('calflops').calculate_flops(net, input_shape=(1, 3, 16, 16), "
    "output_as_string=False, print_results=False)[1]",
    "flopledger": "__import__('flopledger').count(net, image).total.count",
}
"""How the tools are asked that the tests have; of the others the table names the versions."""


@pytest.mark.slow
@pytest.mark.parametrize("tool", FOUND)
def test_a_tool_finds_what_the_table_says(tool: str, root: Path) -> None:
    if any(importlib.util.find_spec(name) is None for name in (tool, "torch")):
        pytest.skip(f"{tool} or torch is not installed")
    table = (root / "README.md").read_text(encoding="utf-8").partition("\n## Beside other tools\n")[2]
    (cell,) = re.findall(rf"^\| {tool}[^|]* \| ([0-9,]+) \|", table, re.MULTILINE)
    code = (
        "import torch; from attention import Net; net = Net().eval(); image = torch.zeros(1, 3, 16, 16); "
        f"print(int({FOUND[tool]}))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=root / "examples", capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.split()[-1] == cell.replace(",", "")
