"""The built distributions, as users install them, in an environment that holds nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".venv", "_build"}


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without this environment's Python settings, and return its output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def dist(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, root, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def in_wheel(dist: Path) -> set[str]:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def in_sdist(dist: Path) -> set[str]:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.fixture(scope="module")
def installed(dist: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, and return its folder of commands."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    commands = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = dist.glob("*.whl")
    run(commands / "python", "-m", "pip", "install", "-q", "-c", root / "constraints.txt", wheel, cwd=folder)
    return commands


def test_the_wheel_holds_each_file_of_the_packages_and_nothing_else(root: Path, in_wheel: set[str]) -> None:
    packages = [root / "core" / "flopledger", *(root / "frontends").glob("flopledger_*")]
    files = [path for package in packages for path in package.rglob("*") if path.is_file()]
    parents = (root / "core", root / "frontends")
    named = {path.relative_to(p).as_posix() for path in files for p in parents if path.is_relative_to(p)}
    expected = {name for name in named if "__pycache__" not in name}
    assert {name for name in in_wheel if ".dist-info/" not in name} == expected


def test_the_wheel_holds_the_data_that_the_code_reads(in_wheel: set[str]) -> None:
    assert {
        "flopledger/py.typed",
        "flopledger_caffe/py.typed",
        "flopledger/conventions/README.md",
        "flopledger/conventions/mac.toml",
        "flopledger/conventions/caffe-script.toml",
    } <= in_wheel
    assert [n for n in in_wheel if n.startswith("flopledger/report/") and n.endswith(".json")]


def test_the_wheel_carries_the_licence(in_wheel: set[str]) -> None:
    assert [name for name in in_wheel if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_source_distribution_holds_no_caches(in_sdist: set[str]) -> None:
    left = [n for n in in_sdist if CACHES & set(PurePosixPath(n).parts) or n.endswith((".pyc", ".pyo"))]
    assert left == []


def test_the_source_distribution_holds_all_that_its_own_tests_need(in_sdist: set[str]) -> None:
    assert {
        "pyproject.toml",
        "constraints.txt",
        "Makefile",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "examples/alexnet.prototxt",
        "tests/conftest.py",
        "docs/conf.py",
        "stubs/sympy/__init__.pyi",
    } <= in_sdist


@pytest.mark.slow
def test_the_installed_command_states_its_version(installed: Path, root: Path, tmp_path: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert version in run(installed / "flopledger", "--version", cwd=tmp_path)


@pytest.mark.slow
def test_the_installed_command_counts_alexnet_with_no_framework(
    installed: Path, examples: Path, tmp_path: Path
) -> None:
    shown = run(installed / "flopledger", "count", examples / "alexnet.prototxt", cwd=tmp_path)
    assert "724,406,816" in shown


@pytest.mark.slow
def test_an_installation_brings_no_framework_and_no_numpy(installed: Path, tmp_path: Path) -> None:
    listed = run(installed / "python", "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    names = {line.partition("==")[0].lower() for line in listed.split()}
    assert "flopledger" in names
    assert names.isdisjoint({"torch", "keras", "tensorflow", "paddlepaddle", "numpy"})
