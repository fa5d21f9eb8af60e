"""The places that name the frontends agree, from folders to entry points; tests mirror the code."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import slowest


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


def test_pythons_and_lower_bounds_are_the_documented_ones(root: Path, pyproject: dict[str, Any]) -> None:
    project, page = pyproject["project"], (root / "docs" / "reference" / "versions.md").read_text("utf-8")
    label = "Programming Language :: Python :: "
    pythons = [text.removeprefix(label) for text in project["classifiers"] if text.startswith(f"{label}3.")]
    assert project["requires-python"] == f">={pythons[0]}"
    named = " and ".join(filter(None, (", ".join(pythons[:-1]), pythons[-1])))
    assert f"is tested with Python {named}; `requires-python` is `{project['requires-python']}`" in page
    extras = project["optional-dependencies"]
    names = re.findall(r"\w+", extras["all"][0])[1:]
    listed = [*project["dependencies"], *(text for name in names for text in extras[name])]
    assert listed == re.findall(r"^\| `([a-z]+>=[0-9.]+)`", page, re.MULTILINE)


def test_a_plugin_module_imports_no_framework(frontends: list[str]) -> None:
    plugins = ", ".join(f"{name}.plugin" for name in frontends)
    script = f"import sys, {plugins}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "flopledger_caffe.plugin" in loaded
    assert loaded.isdisjoint({"torch", "keras", "tensorflow", "paddle", "numpy", "sympy"})


SUBJECTS = {
    "core/cli/test_bad_input.py": "wrong networks and conventions, through every command",
    "core/cli/test_columns.py": "the columns of a training step, from the command to the table",
    "core/cli/test_documents.py": "the JSON of every command beside its schema",
    "core/cli/test_examples.py": "the networks in examples/, from prototxt to printout",
    "core/cli/test_hostile_names.py": "control characters in names, through every command and format",
    "core/cli/test_numbers.py": "options that take a number, in every command",
    "core/cli/test_special_files.py": "pipes, devices and folders in place of files, in every command",
    "core/cli/test_terminal.py": "what a terminal shows, at several widths",
    "core/conventions/test_estimates.py": "estimates of a training step, and bytes of activations",
    "core/conventions/test_own.py": "the figures of mac, 2mac, 2mac-1 and ops",
    "core/conventions/test_keras_peers.py": "the conventions of Keras's own counters, by hand",
    "core/conventions/test_paddle_peers.py": "the conventions of Paddle's counters, on calls made by hand",
    "core/conventions/test_schema.py": "the TOML schema for editors beside the loader",
    "core/conventions/test_seeds.py": "the figures of the documents that the project began with",
    "core/conventions/test_torch_peers.py": "the conventions of PyTorch's counters, one layer at a time",
    "core/conventions/test_torch_structure.py": "the same where modules are shared, reused or nested",
    "core/conventions/test_training_peers.py": "the conventions of counters around a training step",
    "core/counting/test_evaluations.py": "how often explain, compare and count evaluate a rule",
    "core/counting/test_totals.py": "totals without rows, beside the ledgers of the same counts",
    "core/kinds/test_symbols.py": "every kind on symbols beside the same kind on numbers",
    "core/reading/test_limits.py": "limits of time and memory of a child, and what it leaves behind",
    "core/reading/test_readings.py": "several readings that share a child",
    "core/report/test_experts.py": "what every format says of routed experts",
    "core/report/test_formats.py": "what all formats have in common",
    "core/report/view/test_browser.py": "pages in a real browser",
    "core/report/view/test_hostile_pages.py": "names of strangers on pages in a real browser",
    "core/report/view/test_narrow_screens.py": "pages on a narrow screen, in a browser",
    "core/report/view/test_selection.py": "selections on pages in a real browser",
    "core/report/view/test_sliders.py": "symbols on pages in a real browser",
    "frontends/caffe/test_examples.py": "the networks in examples/",
    "frontends/caffe/test_golden.py": "real networks against recorded figures",
    "frontends/keras/test_careless.py": "layers that remember what they see, in random places",
    "frontends/keras/test_contract.py": "the published checks that every frontend passes",
    "frontends/keras/test_corners.py": "unusual layers, with figures by hand",
    "frontends/keras/test_experts.py": "mixtures of experts",
    "frontends/keras/test_listed_sources.py": "the list of sources beside the framework",
    "frontends/keras/test_profiler.py": "the convention tf-profiler",
    "frontends/keras/test_reading.py": "each layer: its kind and shapes",
    "frontends/keras/test_seeds.py": "the networks of examples/keras_seeds.py",
    "frontends/keras/test_summary.py": "the convention keras-summary",
    "frontends/keras/test_symbols.py": "readings at sizes that are symbols",
    "frontends/keras/test_tflite.py": "networks that TensorFlow converts, read by both frontends",
    "frontends/keras/test_training.py": "training steps, by hand",
    "frontends/keras/test_unchanged.py": "what a reading leaves as it was",
    "frontends/onnx/tables/test_standard.py": "the node tests of the ONNX standard",
    "frontends/onnx/test_control.py": "branches, loops and calls of functions in whole networks",
    "frontends/onnx/test_example.py": "the file in examples/",
    "frontends/onnx/test_external.py": "data in another file: not opened, not written to",
    "frontends/onnx/test_golden.py": "real networks against recorded figures",
    "frontends/onnx/test_weights.py": "which constants are weights, in whole networks",
    "frontends/paddle/test_bounds_fuzz.py": "bounds.py on files with anything changed",
    "frontends/paddle/test_careless.py": "layers that remember what they see, in random places",
    "frontends/paddle/test_experts.py": "mixtures of experts",
    "frontends/paddle/test_listed_sources.py": "the list of sources beside the framework",
    "frontends/paddle/test_printout.py": "what paddle.flops and paddle.summary print",
    "frontends/paddle/test_reading.py": "inputs, sharing and reuse in whole networks",
    "frontends/paddle/test_training.py": "training steps, by hand",
    "frontends/tflite/test_example.py": "the file in examples/",
    "frontends/tflite/test_golden.py": "a real network against recorded figures",
    "frontends/torch/archive/test_fuzz.py": "archives with anything changed",
    "frontends/torch/archive/test_hostile.py": "archives made to do harm",
    "frontends/torch/language/test_classes.py": "every class of language models beside FlopCounterMode",
    "frontends/torch/language/test_estimators.py": "conventions that estimate a training step",
    "frontends/torch/language/test_expert_estimators.py": "the same of networks with routed experts",
    "frontends/torch/language/test_golden.py": "published language models against recorded figures",
    "frontends/torch/test_arithmetic.py": "products of sizes, as listen/sizes.py records them for a profile",
    "frontends/torch/test_control.py": "control flow and derivatives inside a forward",
    "frontends/torch/test_counting.py": "our own figures, on every level",
    "frontends/torch/test_experts.py": "mixtures of experts",
    "frontends/torch/test_exports.py": "networks against what torch's own exporters write of them",
    "frontends/torch/test_functions.py": "functions and operators: their kinds and their counts",
    "frontends/torch/test_listed_sources.py": "the list of sources beside the framework",
    "frontends/torch/test_memory.py": "memory of activations, beside measured figures",
    "frontends/torch/test_modes.py": "the mode of a live model, and of one that is built",
    "frontends/torch/test_programs.py": "exported programs: files.py and archive/",
    "frontends/torch/test_random_networks.py": "random networks, beside torch's own counter",
    "frontends/torch/test_reading.py": "what a graph of a model holds",
    "frontends/torch/test_silence.py": "every function of torch, counted or unknown",
    "frontends/torch/test_sources.py": "what can be read, by name and as an object",
    "frontends/torch/test_symbols.py": "totals as formulas",
    "frontends/torch/test_training.py": "training steps, by hand and beside a backward that runs",
    "frontends/torch/test_training_memory.py": "memory of training steps, beside PyTorch at work",
    "frontends/torch/test_unchanged.py": "what a reading leaves as it was",
}
"""Files of tests that are about a subject rather than a module, and the subject."""


def module_of(test: Path) -> Path:
    """Where the module lies that a file of tests is named after: the path below ``tests/``, mirrored."""
    room, *folders, name = test.parts
    if room == "frontends":
        folders[0] = f"flopledger_{folders[0]}"
    else:
        folders.insert(0, "flopledger")
    return Path(room, *folders, name.removeprefix("test_"))


def test_files_of_tests_mirror_the_modules_or_name_their_subject(root: Path) -> None:
    tests = [p.relative_to(root / "tests") for p in (root / "tests").rglob("test_*.py")]
    mirrors = {str(t): module_of(t) for t in tests if t.parts[0] in ("core", "frontends")}
    strays = {test for test, module in mirrors.items() if not (root / module).is_file()}
    assert len(mirrors) > len(strays) > 0
    assert sorted(strays) == sorted(SUBJECTS)


ELSEWHERE = {
    "frontends/flopledger_keras/tables": "frontends/keras/test_operations.py",
    "frontends/flopledger_onnx/control": "frontends/onnx/test_control.py",
}
"""Folders of modules with tests neither in files of their names nor in the same folder."""


def test_each_module_has_tests_where_contributing_says(root: Path) -> None:
    modules = [p for base in ("core/flopledger", "frontends") for p in (root / base).rglob("*.py")]
    folders = {p.parent.relative_to(root) for p in modules if p.name != "__init__.py"}
    guide = (root / "CONTRIBUTING.md").read_text("utf-8")
    assert len(folders) > 30
    for folder in folders:
        base, package, *inside = folder.parts
        own = Path(base, package.removeprefix("flopledger_") if base == "frontends" else "", *inside)
        if not any((root / "tests" / own).glob("test_*.py")):
            file = ELSEWHERE[str(folder)]
            assert (root / "tests" / file).is_file()
            assert Path(file).name in guide


def test_each_folder_of_core_says_what_is_inside_and_offers_names_that_are_there(root: Path) -> None:
    folders = sorted(p.parent for p in (root / "core" / "flopledger").rglob("__init__.py"))
    assert len(folders) > 15
    for folder in folders:
        name = ".".join(folder.relative_to(root / "core").parts)
        package = importlib.import_module(name)
        assert (package.__doc__ or "").partition("\n")[0].endswith("."), name
        offered = getattr(package, "__all__", ())
        assert offered or name in OFFER_NOTHING, name
        assert all(hasattr(package, each) for each in offered), name


OFFER_NOTHING = {
    "flopledger.analysis.experts": "part of analysis, which offers what it finds",
    "flopledger.cli": "the command, which is run and not imported",
    "flopledger.frontend.exported": "part of frontend, which offers what is in it",
}
"""Folders whose names nobody imports from above."""


MOST_LINES = 400
TABLES = ("tests/differential/keras_probes.py", "tests/differential/torch_structures.py")
"""Files that are tables of probes, one after the other, which are not read from top to bottom."""


def test_no_file_is_longer_than_a_reader_takes_in(root: Path) -> None:
    files = [p for base in ("core", "frontends", "tests") for p in (root / base).rglob("*.py")]
    lengths = {str(p.relative_to(root)): len(p.read_text("utf-8").splitlines()) for p in files}
    assert len(lengths) > 500
    assert [name for name, lines in lengths.items() if lines > MOST_LINES and name not in TABLES] == []


def test_the_list_of_the_slowest_tests_names_tests_that_are_there(root: Path) -> None:
    named = slowest.listed()
    assert named
    for name in named:
        file, _, test = name.partition("::")
        assert not name.startswith(slowest.KEPT), name
        function = test.partition("[")[0].rpartition("::")[2]
        assert f"def {function}(" in (root / file).read_text(), name


def test_one_test_in_twenty_is_left_out_and_none_that_compares_with_recorded_answers() -> None:
    quick = "".join(f"0.01s call     tests/core/test_a.py::test_{i}\n" for i in range(36))
    report = f"""
        0.50s call     tests/core/test_a.py::test_long[a b]
        9.00s call     tests/differential/test_tool.py::test_recorded
        0.20s setup    tests/core/test_a.py::test_prepared
        0.40s call     tests/core/test_a.py::test_prepared
        0.55s call     tests/core/test_a.py::test_third
{quick}===== 40 passed, 3 skipped in 12.00s =====
"""
    assert slowest.slowest(report) == [
        "tests/core/test_a.py::test_prepared",
        "tests/core/test_a.py::test_third",
    ]
