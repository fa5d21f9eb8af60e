"""The example plugin, installed as a user installs it, and used at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SMALL = "input x 1x3x8x8\nconv c1 x out=4 kernel=3\nscan s1 c1 state=16\n"
CONV_MACS = 3 * 3 * 3 * 4 * 6 * 6  # kernel, input channels, outputs
SCAN_MACS = 2 * 16 * 4 * 6 * 6  # an update and a readout for each of 16 states of each element


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, str]:
    """Install the plugin in a folder of its own; returns the environment that finds it there."""
    copy, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    shutil.copytree(root / "tests" / "example_plugin", copy, dirs_exist_ok=True)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(copy)], check=True)
    return {**os.environ, "PYTHONPATH": str(site)}


def run(environment: dict[str, str], code: str, *arguments: str) -> object:
    """Run Python code that prints JSON."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_plugin_is_listed_and_its_kind_and_convention_are_known(installed: dict[str, str]) -> None:
    code = (
        "import json; from flopledger.plugins import discovery as plugins; found = plugins.registry()\n"
        "toy = found.plugins['toy']\n"
        "print(json.dumps([toy.distribution, toy.frontend.summary, 'toy.scan' in found.kinds,"
        " [file.name for file in found.conventions], len(found.failures)]))"
    )
    summary = "toy: toy networks (.toy) and ToyModel objects"
    assert run(installed, code) == ["flopledger-toy", summary, True, ["toy-price.toml"], 0]


COUNT = """
import json, sys
import flopledger as fl
ledger = fl.count(sys.argv[1], convention=sys.argv[2])
print(json.dumps([ledger.total.count, ledger.total.params, {row.path: row.count for row in ledger.rows}]))
"""


def test_its_kind_is_counted_under_mac_at_once(installed: dict[str, str], tmp_path: Path) -> None:
    source = tmp_path / "small.toy"
    source.write_text(SMALL)
    params = 3 * 3 * 3 * 4 + 2 * 4 * 16
    assert run(installed, COUNT, str(source), "mac") == [
        CONV_MACS + SCAN_MACS,
        params,
        {"c1": CONV_MACS, "s1": SCAN_MACS},
    ]


def test_its_kind_is_counted_in_operations_too(installed: dict[str, str], tmp_path: Path) -> None:
    source = tmp_path / "small.toy"
    source.write_text("input x 1x4x6x6\nscan s1 x state=16\n")
    # 16 states: 2 * 16 products and 2 * 16 - 1 sums for each of 144 elements
    assert run(installed, COUNT, str(source), "ops") == [63 * 144, 128, {"s1": 63 * 144}]


def test_its_convention_prices_scans_alone(installed: dict[str, str], tmp_path: Path) -> None:
    source = tmp_path / "small.toy"
    source.write_text(SMALL)
    total, _, rows = run(installed, COUNT, str(source), "toy-price")
    assert total == SCAN_MACS // 2 == 2304
    assert rows["s1"] == 2304


def test_a_model_object_is_read_from_the_users_code(installed: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(
        "from flopledger_toy.model import ToyModel\n"
        "print('loading')\n"
        "def small(states=16):\n"
        "    return ToyModel(f'input x 1x4x6x6\\nscan s1 x state={states}')\n"
    )
    assert run(installed, COUNT, f"{file}:small", "mac") == [SCAN_MACS, 128, {"s1": SCAN_MACS}]


def test_it_keeps_the_contract(installed: dict[str, str], tmp_path: Path) -> None:
    source = tmp_path / "small.toy"
    source.write_text(SMALL)
    code = (
        "import sys; from flopledger.testing import check_frontend\n"
        "print(len(check_frontend('toy', sys.argv[1]).layers))"
    )
    assert run(installed, code, str(source)) == 2
