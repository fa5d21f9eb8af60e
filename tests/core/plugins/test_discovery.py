from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.frontend.description import Frontend, type_names
from flopledger.kinds import builtin
from flopledger.plugins import discovery as plugins

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Install

HEAD = """
from pathlib import Path

from flopledger.frontend.description import Frontend
from flopledger.frontend.hookspecs import hookimpl
from flopledger.kinds import Kind
from flopledger.kinds.kind import same_shape

@hookimpl
def frontend():
    return Frontend(name={name!r}, framework="Toy")
"""
KIND = """
@hookimpl
def kinds():
    return [Kind(name={kind!r}, doc="a kind", group="move", shapes=same_shape)]
"""
CONVENTION = """
@hookimpl
def conventions():
    return [Path({path!r})]
"""


SOURCES = """
@hookimpl
def sources():
    return ["# acme 1.0", "acme.nn: Gate", "acme.nn: Mix Norm", "Splice"]
"""


def plugin(name: str, *parts: str) -> str:
    return HEAD.format(name=name) + "".join(parts)


def error_of(distribution: str) -> str:
    (failure,) = [f for f in plugins.registry().failures.values() if f.distribution == distribution]
    return failure.error


@pytest.mark.usefixtures("fresh_registry")
def test_our_own_frontend_comes_in_by_the_same_door() -> None:
    caffe = plugins.registry().plugins["caffe"]
    assert caffe.distribution == "flopledger"
    assert caffe.frontend.in_place


def test_a_plugin_is_found_with_its_kinds_and_conventions(install: Install, tmp_path: Path) -> None:
    price = tmp_path / "acme-price.toml"
    price.touch()
    install("acme", "acme", plugin("acme", KIND.format(kind="acme.scan"), CONVENTION.format(path=str(price))))
    found = plugins.registry()
    assert found.plugins["acme"].distribution == "acme"
    assert set(plugins.kinds()) == {*builtin(), "acme.scan"}
    assert plugins.conventions() == (price,)
    assert found.plugins["acme"].offers("kinds")
    assert not found.plugins["acme"].offers("build")


def test_the_sources_of_a_plugin_are_names_and_whole_namespaces_and_may_be_left_out(install: Install) -> None:
    install("acme", "acme", plugin("acme", SOURCES))
    install("bolt", "bolt", plugin("bolt"))
    names, spaces = plugins.registry().sources()
    assert {"acme.nn.Gate", "acme.nn.Mix", "acme.nn.Norm", "Splice", "torch.nn.Linear"} <= names
    assert not {"# acme 1.0", "acme.nn"} & names
    assert "acme.nn" in spaces


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise SystemExit('gone')", "SystemExit: gone"),
        ("def (", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "the hook frontend() of 'acme' gives None, expected a Frontend"),
        (plugin("other"), "it calls itself 'other', its entry point 'acme'"),
        (
            plugin("acme", "@hookimpl\ndef recognizes_file(path): return True\n"),
            "unknown hook 'recognizes_file'",
        ),
        (plugin("acme", "@hookimpl\ndef recognises_file(file): return True\n"), "file"),
        (plugin("acme", "@hookimpl\ndef kinds(): raise OSError('no kinds')\n"), "OSError: no kinds"),
        (plugin("acme", KIND.format(kind="scan")), "the kind 'scan' lacks the plugin's name: 'acme.scan'"),
        (plugin("acme", CONVENTION.format(path="/no/such.toml")), "/no/such.toml is not there"),
    ],
)
def test_a_broken_plugin_is_kept_as_a_failure_and_hurts_no_other(
    install: Install, code: str, expected: str
) -> None:
    install("acme", "acme", code)
    install("working", "working", plugin("working", KIND.format(kind="working.scan")))
    found = plugins.registry()
    assert "acme" not in found.plugins
    assert expected in error_of("acme")
    assert "working" in found.plugins
    assert set(found.kinds) == {*builtin(), "working.scan"}


def test_plugins_of_one_name_clash_and_both_sides_are_named(install: Install) -> None:
    install("first", "acme", plugin("acme"))
    install("second", "acme", plugin("acme"))
    assert plugins.registry().plugins["acme"].distribution == "first"
    assert error_of("second") == (
        "PluginError: the plugin 'acme' of second brings the plugin 'acme', "
        "as the plugin 'acme' of first does already"
    )


def test_a_kind_given_twice_clashes(install: Install) -> None:
    twice = KIND.format(kind="acme.scan").replace("]\n", "] * 2\n")
    install("acme", "acme", plugin("acme", twice))
    assert "brings the kind 'acme.scan', as the plugin 'acme' of acme does already" in error_of("acme")
    assert "acme.scan" not in plugins.kinds()


def test_conventions_of_one_name_clash_and_the_second_brings_nothing(
    install: Install, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        file = tmp_path / name / "price.toml"
        file.parent.mkdir()
        file.touch()
        kind = KIND.format(kind=f"{name}.scan")
        install(name, name, plugin(name, kind, CONVENTION.format(path=str(file))))
    assert error_of("second") == (
        "PluginError: the plugin 'second' of second brings the convention 'price', "
        "as the plugin 'first' of first does already"
    )
    assert set(plugins.kinds()) == {*builtin(), "first.scan"}


def test_a_convention_named_as_one_of_ours_clashes(install: Install, tmp_path: Path, root: Path) -> None:
    ours = min((root / "core" / "flopledger" / "conventions").glob("*.toml"))
    file = tmp_path / ours.name
    file.touch()
    install("acme", "acme", plugin("acme", CONVENTION.format(path=str(file))))
    assert f"brings the convention {ours.stem!r}, as flopledger does already" in error_of("acme")


def test_discovery_imports_no_framework() -> None:
    code = (
        "import json, sys; from flopledger.plugins import discovery as plugins; found = plugins.registry()\n"
        "print(json.dumps([sorted(found.plugins), sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, imported = json.loads(run.stdout)
    assert "caffe" in names
    heavy = {"torch", "keras", "tensorflow", "paddle", "numpy", "sympy", "google"}
    assert heavy.isdisjoint(imported)


def test_a_framework_that_is_missing_names_the_extra() -> None:
    frontend = Frontend("acme", "Acme", module="no_such_framework", extra="acme", reads="Acme models")
    assert not frontend.installed
    assert frontend.summary == ("acme: Acme models (Acme is not installed: pip install 'flopledger[acme]')")


def test_a_folder_of_the_frameworks_name_is_not_the_framework(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_framework").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not Frontend("acme", "Acme", module="acme_framework").installed


class Base: ...


class Model(Base): ...


def make() -> Model:
    return Model()


def test_objects_classes_and_functions_have_the_names_of_their_types() -> None:
    classes = (f"{__name__}.Model", f"{__name__}.Base")
    assert type_names(Model) == classes
    assert type_names(Model()) == classes
    assert type_names(make) == (f"{__name__}.make", *classes)
    assert type_names(3) == ("builtins.int",)
    assert type_names(len) == ("builtins.len",)
