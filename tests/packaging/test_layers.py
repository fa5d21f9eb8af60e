"""Folders import one way only, late imports and those for annotations included; see CONTRIBUTING.md.

import-linter holds the order of the folders. It knows nothing of circles within a folder, which are as hard
to read, so imports are looked up here a second time, in the sources themselves.
"""

from __future__ import annotations

import ast
import importlib
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DOOR = "flopledger.lazy"
"""The one module that may import upwards, by name."""
OFFERING = (
    "flopledger",
    "flopledger.checking",
    "flopledger.conventions",
    "flopledger.dims",
    "flopledger.expressions",
    "flopledger.frontend",
    "flopledger.graph",
    "flopledger.lazy",
    "flopledger.plugins",
    "flopledger.reading",
)
"""The modules that offer names defined elsewhere."""
FRONTENDS = ("caffe", "keras", "onnx", "paddle", "safetensors", "tflite", "torch")


def modules(base: Path) -> dict[str, Path]:
    found = {}
    for path in base.rglob("*.py"):
        parts = path.relative_to(base).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source: str, known: Mapping[str, object]) -> Iterator[str]:
    """Yield every module that a source imports, at the top, late, or for annotations."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "relative imports are not used"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module


def arrows(base: Path, package: str = "") -> dict[str, set[str]]:
    known = {name: path for name, path in modules(base).items() if f"{name}.".startswith(package)}
    found = {
        name: set(imported(path.read_text("utf-8"), known)) & known.keys() for name, path in known.items()
    }
    return {name: targets - {name} for name, targets in found.items()}


def circle(found: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter({name: set() if name == DOOR else t for name, t in found.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_core_has_no_import_circle_of_any_kind(root: Path) -> None:
    found = arrows(root / "core")

    assert len(found) > 100
    assert circle(found) == []


@pytest.mark.parametrize("name", FRONTENDS)
def test_a_frontend_has_no_import_circle_of_any_kind(root: Path, name: str) -> None:
    found = arrows(root / "frontends", f"flopledger_{name}.")

    assert any(found.values())
    assert circle(found) == []


@pytest.mark.parametrize(
    "back", ["import b", "def f():\n    import b", "if TYPE_CHECKING:\n    from b import x"]
)
def test_a_circle_is_seen_however_it_is_closed(tmp_path: Path, back: str) -> None:
    (tmp_path / "a.py").write_text(back)
    (tmp_path / "b.py").write_text("from a import y")

    assert set(circle(arrows(tmp_path))) == {"a", "b"}


@pytest.mark.parametrize("name", FRONTENDS)
def test_a_frontend_imports_from_one_place(root: Path, name: str) -> None:
    folder = root / "frontends" / f"flopledger_{name}"
    found = {
        (path.name, module)
        for path in folder.rglob("*.py")
        for module in imported(path.read_text("utf-8"), {})
        if module.partition(".")[0] == "flopledger" and module != "flopledger.frontend"
    }

    assert found == set()


@pytest.mark.parametrize("name", OFFERING)
def test_what_a_module_offers_is_there_and_is_what_type_checkers_see(name: str) -> None:
    module = importlib.import_module(name)
    offered = set(dir(module))
    source = ast.parse((module.__spec__ and module.__spec__.loader).get_source(name))  # type: ignore[union-attr]
    typed = {
        alias.asname or alias.name
        for block in source.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("flopledger")
        for alias in node.names
    }

    assert offered == typed
    assert offered <= set(module.__all__)
    assert all(getattr(module, offer) is not None for offer in offered)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module.nothing
