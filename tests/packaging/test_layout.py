"""The places that name the frontends agree: folders, wheel, types, import contracts, entry points."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def pyproject(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def frontends(root: Path) -> list[str]:
    folders = sorted(p.name for p in (root / "frontends").iterdir() if p.is_dir() and p.name != "__pycache__")
    assert "flopledger_caffe" in folders
    return folders


def test_a_frontend_folder_never_carries_a_framework_s_own_name(frontends: list[str]) -> None:
    assert [name for name in frontends if not name.startswith("flopledger_")] == []


def test_each_frontend_has_its_light_plugin_module_and_is_typed(root: Path, frontends: list[str]) -> None:
    needed = ("__init__.py", "plugin.py", "py.typed")
    absent = [f"{n}/{f}" for n in frontends for f in needed if not (root / "frontends" / n / f).is_file()]
    assert absent == []


def test_the_wheel_takes_every_package(pyproject: dict[str, Any], frontends: list[str]) -> None:
    packages = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == ["core/flopledger", *(f"frontends/{name}" for name in frontends)]


def test_mypy_checks_every_package(pyproject: dict[str, Any], frontends: list[str]) -> None:
    assert sorted(pyproject["tool"]["mypy"]["packages"]) == ["flopledger", *frontends]


def test_every_frontend_registers_its_plugin_module(pyproject: dict[str, Any], frontends: list[str]) -> None:
    registered = pyproject["project"]["entry-points"]["flopledger.frontends"]
    assert registered == {name.removeprefix("flopledger_"): f"{name}.plugin" for name in frontends}


def test_the_import_contracts_cover_every_package(pyproject: dict[str, Any], frontends: list[str]) -> None:
    linter = pyproject["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    forbidden = contracts["core imports no frontend and no framework"]["forbidden_modules"]
    assert sorted(linter["root_packages"]) == ["flopledger", *frontends]
    assert set(frontends) <= set(forbidden)
    assert sorted(contracts["frontends do not import each other"]["modules"]) == frontends


def test_the_extra_all_brings_every_framework(pyproject: dict[str, Any]) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    frameworks = [n for n in extras if n not in {"all", "dev", "docs"} and not n.startswith("peers-")]
    assert extras["all"] == [f"flopledger[{','.join(frameworks)}]"]


def test_a_plugin_module_imports_no_framework(frontends: list[str]) -> None:
    plugins = ", ".join(f"{name}.plugin" for name in frontends)
    script = f"import sys, {plugins}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "flopledger_caffe.plugin" in loaded
    assert loaded.isdisjoint({"torch", "keras", "tensorflow", "paddle", "numpy", "sympy"})
